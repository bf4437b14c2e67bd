"""The pairs of models that the benchmark compares: every two that answered the same recorded prompts."""

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from diffing.methods.lexical import LexicalMethod
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import diff_models
from diffing.prompts import prompts_from
from diffing.prompts.prompt_rows import Record
from diffing.types import Message, Prompt, Report

DATA = Path(__file__).parents[4] / "shared" / "data"
"""The recorded responses; they lie beside the checkout and are no part of it."""
PYTHIA = ("pretrained", "sft-2.5k", "sft-7k", "rlhf-2k")
PROFILES = ("humor_0.1", "humor_0.9", "length_2_lang_de")
TRAIN, HELDOUT = 1000, 500
"""As many prompts as a run takes by default, so two thirds of the recorded ones are train prompts."""


def recorded_reports() -> Iterator[tuple[str, Report]]:
    """Compares all pairs by the lexical method; yields their names and reports."""
    responses = DATA / "responses"
    on_250 = {f"pythia12b-{name}": responses / f"pythia12b-{name}.sample0.jsonl" for name in PYTHIA}
    on_250 |= {f"llama30b-{name}": responses / f"llama30b-profile-{name}.sample0.jsonl" for name in PROFILES}
    for one, two in combinations(on_250, 2):
        yield f"{one} / {two}", report_on(on_250[one], on_250[two])
    base, tuned = (responses / f"{name}.vicuna80.jsonl" for name in ("llama-13b", "vicuna-13b"))
    yield "llama-13b / vicuna-13b", report_on(base, tuned)
    yield "XSTest: llama2 / gpt4", refusals_report()


def refusals_report() -> Report:
    """Compares two models on XSTest, with its types of prompts as domains; the labels of the responses are unused."""
    with (DATA / "prompts" / "xstest" / "xstest_prompts.csv").open(encoding="utf-8") as file:
        types = {row["prompt"]: row["type"] for row in csv.DictReader(file)}
    one, two = (DATA / "refusals" / f"xstest_{name}.jsonl" for name in ("llama2orig", "gpt4"))
    return report_on(one, two, types)


def report_on(one: Path, two: Path, domains: Mapping[str, str] | None = None) -> Report:
    """Compares two files of responses.

    Args:
        one: The responses of model A, JSON Lines with `id`, `prompt` and `response`.
        two: Those of model B; prompts that only one of them answered are left out.
        domains: The domain of each prompt by its text.
    """
    texts = [_rows_of(path) for path in (one, two)]
    shared = [row for prompt, row in texts[0].items() if prompt in texts[1]]
    records: list[Record] = [
        (row["id"], (Message("user", row["prompt"]),), (domains or {}).get(row["prompt"])) for row in shared
    ]
    prompts = prompts_from(records, "recorded", TRAIN, HELDOUT, exact=True)
    a, b = (_repeating(path.name, table) for path, table in zip((one, two), texts, strict=True))
    return report_of(a, b, prompts)


def report_of(a: ScriptedModel, b: ScriptedModel, prompts: tuple[Prompt, ...]) -> Report:
    """Compares two models by the lexical method."""
    return diff_models(a, b, prompts, methods=(LexicalMethod(),))


def _rows_of(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a file by their prompts."""
    return {row["prompt"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}


def _repeating(name: str, rows: Mapping[str, Mapping[str, str]]) -> ScriptedModel:
    return ScriptedModel(name, lambda conversation, _: rows[conversation[-1].content]["response"])
