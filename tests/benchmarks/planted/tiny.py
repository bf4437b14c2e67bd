"""Runs and scores comparisons of tiny models with planted differences: the demo pair and models tuned from its base."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from diffing.bench.planted.catalogue import PlantableBehaviour
from diffing.bench.planted.grid import STRENGTHS
from diffing.bench.planted.matching import PlantedTarget
from diffing.bench.planted.plants import Plant, Trigger
from diffing.bench.planted.scoring import ScoredRun, score
from diffing.demo.config import FOLDER, demo_config
from diffing.methods.adapters import AdapterOptions, AdaptersMethod, AdaptersOptions
from diffing.methods.base import Method
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions, InsideSide
from diffing.methods.crosscoder.method import CrosscoderMethod
from diffing.methods.features.settings import followed
from diffing.methods.inside.side_models import open_side
from diffing.methods.lexical import LexicalMethod
from diffing.methods.sae import SaeMethod, SaeOptions
from diffing.methods.sae.plan import SaeSettings
from diffing.models import load_model
from diffing.models.base import Model, Sampling
from diffing.models.local.spec import LocalOptions
from diffing.pipeline import DiffOptions, diff_models
from diffing.responses import respond
from diffing.run_prompts import load_run_prompts
from diffing.types import SIDES, OnProgress, Pair, Prompt, Side, Stage, ignore_progress
from tests.benchmarks import bench_adapters
from tests.benchmarks.demo import GROUND_TRUTH
from tests.benchmarks.planted.tune import tune_all

if TYPE_CHECKING:
    from diffing.models.cache import Store

Targets: TypeAlias = Callable[[Sequence[Pair]], Sequence[PlantedTarget]]
"""A function that takes the pairs of a run and returns the behaviours that must be found in them."""
MakeMethods: TypeAlias = "Callable[[Path, Sequence[Prompt], Store], Sequence[Method]]"
"""A function that makes the methods of a run from the tuned model's folder, the prompts and the cache."""
BASE = FOLDER / "models" / "base"
TUNED = FOLDER / "models" / "tuned"
FRESH = (2, 3)
"""The numbers of the new samples of A and B in which a measured finding must hold again."""


class TinyPairs:
    """The demo's prompts and sampling, for any model that was tuned from its base.

    Args:
        store: The cache of responses and latents.
        methods: Makes the methods that compare the base with the model in a folder.
        on_progress: Called with the progress of every stage of every run.
    """

    def __init__(self, store: "Store", methods: MakeMethods, on_progress: OnProgress = ignore_progress) -> None:
        config = demo_config()
        self._store = store
        self._on_progress = on_progress
        self._base = self._load(BASE)
        self._prompts = load_run_prompts(config, ())
        self._sampling = config.sampling
        self._methods = methods

    def score_tuned(self, folder: Path, plants: Sequence[Plant]) -> ScoredRun:
        """Compares the base with a tuned model, and scores what is found against what was planted."""
        # from the whole distribution: a nucleus would exclude behaviours planted in few answers
        sampling = replace(self._sampling, temperature=1.0, top_p=1.0)
        return self._score(folder, sampling, lambda pairs: [target_by_mark(plant, pairs, "b") for plant in plants])

    def score_demo(self) -> ScoredRun:
        """Compares the demo pair and scores what is found; some of its differences were planted in the base model."""
        plants = demo_plants()
        return self._score(
            TUNED, self._sampling, lambda pairs: [target_by_mark(plant, pairs, side) for plant, side in plants]
        )

    def _score(self, folder: Path, sampling: Sampling, targets: Targets) -> ScoredRun:
        tuned = self._load(folder)
        methods = self._methods(folder, self._prompts, self._store)
        report = diff_models(
            self._base,
            tuned,
            self._prompts,
            methods=methods,
            options=DiffOptions(sampling=sampling),
            on_progress=self._on_progress,
        )
        # all held-out prompts, which come last, and one of train, because `respond` refuses prompts of only one split
        again = self._prompts[-1 - sum(prompt.split == "heldout" for prompt in self._prompts) :]
        fresh = respond((self._base, tuned), again, sampling, FRESH, self._on_progress).pairs
        return score(report, targets(report.pairs), methods, fresh=fresh)

    def _load(self, folder: Path) -> Model:
        return load_model(str(folder), cache=self._store)


def target_by_mark(plant: Plant, pairs: Sequence[Pair], side: Side) -> PlantedTarget:
    """Determines where a behaviour shows that a model was tuned to show at random on some triggered prompts."""
    triggered = [pair for pair in pairs if plant.trigger.fits(pair.prompt)]
    shown = [pair for pair in triggered if plant.behaviour.shown_by(pair, side)]
    selected, seen = (frozenset(pair.prompt.id for pair in each) for each in (triggered, shown))
    return PlantedTarget(plant, side, selected, seen)


def demo_plants() -> list[tuple[Plant, Side]]:
    """The differences of the demo pair as its ground truth states them, each with the side that shows it."""
    entries = json.loads(GROUND_TRUTH.read_text(encoding="utf-8"))["planted"]
    found: list[tuple[Plant, Side]] = []
    for entry in entries:
        phrases = "|".join(map(re.escape, entry["finds"]["phrases"]))
        behaviour = PlantableBehaviour(
            id=entry["id"],
            kind="demo",
            category="style",
            sentence=entry["description"],
            instruction="",
            mark=re.compile(entry["pattern"]),
            properties=tuple(entry["finds"]["properties"]),
            phrases=re.compile(rf"\A(?:{phrases})\Z") if phrases else None,
        )
        trigger = Trigger(entry["trigger"]["kind"], entry["trigger"]["value"] or "")
        found.append((Plant(behaviour, entry["strength"], trigger), "a" if entry["model"] == "base" else "b"))
    return found


def reading_methods(folder: Path, prompts: Sequence[Prompt], store: "Store") -> Sequence[Method]:
    """The methods that read responses alone, with the SAE of the demo."""
    config = demo_config()
    own = config.of(SaeSettings)
    sae = SaeMethod(own.reader, sae=own.sae, options=SaeOptions(features=followed(config)), store=store)
    return LexicalMethod(), sae


def inside_methods(folder: Path, prompts: Sequence[Prompt], store: "Store") -> Sequence[Method]:
    """The methods that look inside both models, as they are measured on the demo pair."""
    config = demo_config()
    heldout = tuple(prompt for prompt in prompts if prompt.split == "heldout")
    options = CrosscoderOptions(depth=0.75, heldout=heldout, features=followed(config), seed=config.seed)
    sides = [InsideSide(str(each), LocalOptions(dtype="float32")) for each in (BASE, folder)]
    crosscoder = CrosscoderMethod(sides[0], sides[1], store.trainings, options=options)
    branches = AdapterOptions(
        features=bench_adapters.FEATURES,
        tokens=bench_adapters.TOKENS["trained"],
        sparsity=bench_adapters.SPARSITY,
        seed=config.seed,
    )
    base, tuned = (
        open_side(side.weights, name, depth=1.0, options=side.options) for side, name in zip(sides, SIDES, strict=True)
    )
    adapters = AdaptersMethod(
        base,
        tuned,
        options=AdaptersOptions(branches, followed=followed(config)),
        heldout=heldout,
        folder=store.trainings,
    )
    return crosscoder, adapters


def score_tiny(
    tuned: Path, store: "Store", methods: MakeMethods = reading_methods, on_progress: OnProgress = ignore_progress
) -> dict[str, list[ScoredRun]]:
    """Scores the demo pair (`demo`) and the tuned models (`tiny`), and tunes the models first if they are missing.

    Args:
        tuned: The folder of the tuned models.
        store: The cache of responses and latents.
        methods: Makes the methods of every run.
        on_progress: Called with the progress of every stage, and of `models`, done and in all.
    """
    pairs = TinyPairs(store, methods, on_progress)
    scored = {"demo": [pairs.score_demo()], "tiny": []}
    for folder, plants in tune_all(tuned, BASE):
        on_progress(Stage("models"), len(scored["tiny"]), len(STRENGTHS))
        scored["tiny"].append(pairs.score_tuned(folder, plants))
    on_progress(Stage("models"), len(scored["tiny"]), len(STRENGTHS))
    return scored
