"""Converts what reports of earlier schema versions stored in another form, when such a report is loaded.

In schema versions 1 and 2, `report.json` held the findings, with each measure as text. Before version 4, and in the
first reports of it, the checks of the judge had no scale.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diffing.estimates import Metrics
from diffing.report.json_document import ReportDocument, read_document
from diffing.report.json_types import read
from diffing.types import (
    Category,
    Finding,
    Hypothesis,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
    Rating,
    Row,
    Side,
)

LAST_WITH_FINDINGS = 2
"""The last schema version in which `report.json` holds the findings."""
_LATENTS = re.compile(r"features active: ([0-9]{1,9}(?:, [0-9]{1,9})*)")
_PHRASE = "phrase: "
_KAPPA = "second judge, beyond chance"
"""The only check without a scale whose value was a kappa."""
_LABELLER = "labeller"
"""The role of the LLM that described an SAE's latents in words. Without such an LLM, hypotheses only named latents."""


@dataclass(frozen=True, slots=True)
class _StoredHypothesis:
    """A hypothesis as versions 1 and 2 stored it; its evidence is in a table of its own, as in later versions."""

    id: str
    text: str
    direction: Side
    method: str
    category: Category
    measure: str | None = None
    train_effect: float | None = None


@dataclass(frozen=True, slots=True)
class _StoredFinding:
    """A finding as versions 1 and 2 stored it."""

    hypothesis: _StoredHypothesis
    train: Metrics
    heldout: Metrics
    accepted: bool
    confirmed: bool
    rating: Rating | None = None


def read_earlier(value: Mapping[str, Any]) -> tuple[ReportDocument, tuple[Finding, ...]]:
    """Reads a document of schema version 1 or 2 and the findings in it; the findings have no evidence yet.

    Args:
        value: The parsed JSON of `report.json`.

    Raises:
        ValueError: The JSON is not a report's document; the message names the place.
    """
    document = read_document({key: each for key, each in value.items() if key != "findings"})
    if "findings" not in value:
        raise ValueError("findings is missing")
    stored: Mapping[str, tuple[_StoredFinding, ...]] = read(
        Mapping[str, tuple[_StoredFinding, ...]], {"findings": value["findings"]}
    )
    in_words = any(model.role == _LABELLER for model in document.others)
    return document, tuple(_finding(each, in_words) for each in stored["findings"])


def with_scales(checks: Sequence[Row]) -> tuple[Row, ...]:
    """Adds to the checks of the judge what their values are, `share` or `kappa`, where the report does not say it."""
    return tuple({"scale": "kappa" if row.get("check") == _KAPPA else "share", **row} for row in checks)


def _finding(stored: _StoredFinding, in_words: bool) -> Finding:
    h = stored.hypothesis
    measure = None if h.measure is None else _measure(h.method, h.measure, in_words)
    hypothesis = Hypothesis(h.id, h.text, h.direction, h.method, h.category, (), measure, h.train_effect)
    return Finding(hypothesis, stored.train, stored.heldout, stored.accepted, stored.confirmed, stored.rating)


def _measure(method: str, text: str, in_words: bool) -> Measure:
    """Parses the text of a measure; each method had its own notation."""
    if method == "sae" and (latents := _LATENTS.fullmatch(text)):
        return LatentMeasure(tuple(map(int, latents[1].split(", "))), in_words)
    if method == "lexical" and text.startswith(_PHRASE):
        return PhraseMeasure(text.removeprefix(_PHRASE))
    return PropertyMeasure(text)
