"""Runs and scores comparisons of tiny models with planted differences: the demo pair and models tuned from its base."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from diffing.bench.planted.catalogue import PlantableBehaviour
from diffing.bench.planted.grid import STRENGTHS
from diffing.bench.planted.matching import Target
from diffing.bench.planted.plants import Plant, Trigger
from diffing.bench.planted.scoring import ScoredRun, score
from diffing.config import DiffConfig
from diffing.demo.config import FOLDER, demo_config
from diffing.diff_options import DiffOptions
from diffing.methods.base import Method
from diffing.methods.features.settings import followed
from diffing.methods.lexical import LexicalMethod
from diffing.methods.sae import SaeMethod, SaeOptions
from diffing.methods.sae.plan import SaeSettings
from diffing.models import load_model
from diffing.models.base import Model, Sampling
from diffing.pipeline import diff_models
from diffing.responses import respond
from diffing.run_prompts import load_run_prompts
from diffing.types import OnProgress, Pair, Side, Stage, ignore_progress
from tests.benchmarks.demo import GROUND_TRUTH
from tests.benchmarks.planted.tune import tune_all

if TYPE_CHECKING:
    from diffing.models.cache import Store

Targets: TypeAlias = Callable[[Sequence[Pair]], Sequence[Target]]
"""A function that takes the pairs of a run and returns the behaviours that must be found in them."""
BASE = FOLDER / "models" / "base"
TUNED = FOLDER / "models" / "tuned"
FRESH = (2, 3)
"""The numbers of the new samples of A and B in which a measured finding must hold again."""


class TinyPairs:
    """The demo's prompts, methods and sampling, for any model that was tuned from its base.

    Args:
        store: The cache of responses and latents.
        on_progress: Called with the progress of every stage of every run.
    """

    def __init__(self, store: "Store", on_progress: OnProgress = ignore_progress) -> None:
        config = demo_config()
        self._store = store
        self._on_progress = on_progress
        self._base = self._load(BASE)
        self._prompts = load_run_prompts(config, ())
        self._sampling = config.sampling
        self._methods: tuple[Method, ...] = (LexicalMethod(), _sae(config, store))

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
        report = diff_models(
            self._base,
            tuned,
            self._prompts,
            methods=self._methods,
            options=DiffOptions(sampling=sampling),
            on_progress=self._on_progress,
        )
        # all held-out prompts, which come last, and one of train, because `respond` refuses prompts of only one split
        again = self._prompts[-1 - sum(prompt.split == "heldout" for prompt in self._prompts) :]
        fresh = respond((self._base, tuned), again, sampling, FRESH, self._on_progress).pairs
        return score(report, targets(report.pairs), self._methods, fresh=fresh)

    def _load(self, folder: Path) -> Model:
        return load_model(str(folder), cache=self._store)


def target_by_mark(plant: Plant, pairs: Sequence[Pair], side: Side) -> Target:
    """Determines where a behaviour shows that a model was tuned to show at random on some triggered prompts."""
    triggered = [pair for pair in pairs if plant.trigger.fits(pair.prompt)]
    shown = [pair for pair in triggered if plant.behaviour.shown_by(pair, side)]
    selected, seen = (frozenset(pair.prompt.id for pair in each) for each in (triggered, shown))
    return Target(plant, side, selected, seen)


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


def _sae(config: DiffConfig, store: "Store") -> SaeMethod:
    own = config.of(SaeSettings)
    return SaeMethod(own.reader, sae=own.sae, options=SaeOptions(features=followed(config)), store=store)


def score_tiny(tuned: Path, store: "Store", on_progress: OnProgress = ignore_progress) -> dict[str, list[ScoredRun]]:
    """Scores the demo pair (`demo`) and the tuned models (`tiny`), and tunes the models first if they are missing.

    Args:
        tuned: The folder of the tuned models.
        store: The cache of responses and latents.
        on_progress: Called with the progress of every stage, and of `models`, done and in all.
    """
    pairs = TinyPairs(store, on_progress)
    scored = {"demo": [pairs.score_demo()], "tiny": []}
    for folder, plants in tune_all(tuned, BASE):
        on_progress(Stage("models"), len(scored["tiny"]), len(STRENGTHS))
        scored["tiny"].append(pairs.score_tuned(folder, plants))
    on_progress(Stage("models"), len(scored["tiny"]), len(STRENGTHS))
    return scored
