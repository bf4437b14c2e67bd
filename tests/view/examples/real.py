"""The examples with real models, whose folders `python -m tests.benchmarks.real_models FOLDER` makes.

Each run takes some minutes on one core: `python -m tests.view.examples.make --models FOLDER`.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import replace
from functools import partial
from pathlib import Path

from diffing.config import DiffConfig
from diffing.models.cache import Store
from diffing.run import run
from diffing.types import Report
from tests.benchmarks.real_models import GEMMA3, PRUNED, SMOLLM2, SOURCES

SHORT = "Answer in one short sentence."
_WHAT = {
    SMOLLM2: "4-bit weights (Q4_1) of SmolLM2-135M-Instruct, widened to bfloat16",
    GEMMA3: "weights of about 4 bits (Q4_K_M) of the base model gemma-3-270m, widened to bfloat16",
    PRUNED: f"{SMOLLM2}, in which the 30% of weights that are smallest are zero in each matrix of each layer",
}
"""What each folder holds."""


def real_config(model_b: str, **settings: str) -> DiffConfig:
    """A small run of SmolLM2 and another folder, whose path is the name of the folder alone."""
    of_b = DiffConfig(
        model_a=SMOLLM2, model_b=model_b, train=90, heldout=60, max_new_tokens=192, dtype="float32", **settings
    )  # type: ignore[arg-type]
    return of_b


REAL: Mapping[str, DiffConfig] = {
    "two-prompts": real_config(SMOLLM2, system_prompt_b=SHORT),
    "pruned": real_config(PRUNED),
    "two-families": real_config(GEMMA3),
}
"""The settings of the examples, by their keys."""


def note_of(folder: str, sources: Mapping[str, Mapping[str, object]]) -> str:
    """Says exactly what a folder was made of."""
    source = sources[folder]
    packages = source["packages"]
    assert isinstance(packages, dict)
    named = ", ".join(f"{package} (sha256 {digest})" for package, digest in packages.items())
    return (
        f"{folder} is what `python -m tests.benchmarks.real_models` made: {_WHAT[folder]}, from {named}; sha256 of "
        f"model.safetensors: {source['model.safetensors']}. It was computed in float32. What is said here is said of "
        "this file, and not of the original weights."
    )


def real(key: str, models: Path, store: Store) -> Report:
    """Runs one of them in the folder of the models."""
    config = REAL[key]
    sources = json.loads((models / SOURCES).read_text(encoding="utf-8"))
    with chdir(models):
        report = run(config, store=store)
    folders = dict.fromkeys((config.model_a, config.model_b))
    return replace(report, notes=(*(note_of(each, sources) for each in folders), *report.notes))


def real_makers(models: Path) -> dict[str, Callable[[Store], Report]]:
    """What makes each of them.

    Args:
        models: The folder that holds the folders of the models.
    """
    return {key: partial(real, key, models.resolve()) for key in REAL}
