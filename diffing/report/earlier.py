"""Documents of earlier schema versions as today's: they held the findings, and a measure was a text. Knows no file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffing.report.document import Document, read_document
from diffing.report.json_types import read
from diffing.types import (
    Category,
    Finding,
    Hypothesis,
    LatentMeasure,
    Measure,
    Metrics,
    PhraseMeasure,
    PropertyMeasure,
    Rating,
    Side,
)

LAST_WITH_FINDINGS = 2
"""The last schema version whose document holds the findings."""
_LATENTS = re.compile(r"features active: ([0-9]{1,9}(?:, [0-9]{1,9})*)")
_PHRASE = "phrase: "
_LABELLER = "labeller"
"""The role of the LLM that wrote sentences on the latents of an SAE; without one, hypotheses only named latents."""


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """A hypothesis as it was stored; its evidence was in a table of its own, as it is today."""

    id: str
    text: str
    direction: Side
    method: str
    category: Category
    measure: str | None = None
    train_effect: float | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    """A finding as it was stored."""

    hypothesis: _Hypothesis
    train: Metrics
    heldout: Metrics
    accepted: bool
    confirmed: bool
    rating: Rating | None = None


def read_earlier(value: Mapping[str, Any]) -> tuple[Document, tuple[Finding, ...]]:
    """A document of schema version 1 or 2, and the findings in it, which have no evidence yet.

    Args:
        value: The document, from JSON.

    Raises:
        ValueError: It is no report's; the message says where in it.
    """
    document = read_document({key: each for key, each in value.items() if key != "findings"})
    if "findings" not in value:
        raise ValueError("findings is missing")
    stored: Mapping[str, tuple[_Finding, ...]] = read(
        Mapping[str, tuple[_Finding, ...]], {"findings": value["findings"]}
    )
    in_words = any(model.role == _LABELLER for model in document.others)
    return document, tuple(_finding(each, in_words) for each in stored["findings"])


def _finding(stored: _Finding, in_words: bool) -> Finding:
    h = stored.hypothesis
    measure = None if h.measure is None else _measure(h.method, h.measure, in_words)
    hypothesis = Hypothesis(h.id, h.text, h.direction, h.method, h.category, (), measure, h.train_effect)
    return Finding(hypothesis, stored.train, stored.heldout, stored.accepted, stored.confirmed, stored.rating)


def _measure(method: str, text: str, in_words: bool) -> Measure:
    """What the text of a measure meant: each method had notations of its own."""
    if method == "sae" and (latents := _LATENTS.fullmatch(text)):
        return LatentMeasure(tuple(map(int, latents[1].split(", "))), in_words)
    if method == "lexical" and text.startswith(_PHRASE):
        return PhraseMeasure(text.removeprefix(_PHRASE))
    return PropertyMeasure(text)
