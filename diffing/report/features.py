"""The SAE method's tables as typed rows. Knows no page, no figure, and of the method only what its tables say.

A report may have been made elsewhere, so a row is believed field by field: what has the wrong type counts as absent,
and a row without an index or a rate is dropped.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diffing.types import Finding, LatentMeasure, Report, Row, Scalar, Side

FEATURES, EXAMPLES, RATES = "sae_features", "sae_examples", "sae_rates"
"""Names of the tables in `Report.tables`."""
_MARKED = re.compile("«([^«»]*)»")
_MARKS = str.maketrans("", "", "«»")


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature that differs on train. Texts are as models and labellers wrote them."""

    index: int
    """Which latent of the SAE."""
    rate_a: float
    """Share of A's responses in which it is active."""
    rate_b: float
    """Share of B's."""
    p: float | None
    """Of the paired test on train."""
    q: float | None
    """The same, after correction over all features."""
    label: str | None
    """What it stands for, in words."""
    label_source: str | None
    """Where the label comes from."""
    label_score: float | None
    """Share of held-back examples that a blind scorer told right by the label."""
    top_tokens: str | None
    """Where it is strongest."""
    url: str | None
    """Its public page; whatever the table says, so no link yet."""
    chosen: bool
    """Whether the method followed it up."""

    @property
    def direction(self) -> Side:
        """The side in which it is active more often."""
        return "a" if self.rate_a > self.rate_b else "b"

    @property
    def difference(self) -> float:
        """By how much, as a share; not negative."""
        return abs(self.rate_a - self.rate_b)


@dataclass(frozen=True, slots=True)
class Passage:
    """Where a feature is active in one response."""

    prompt_id: str
    """The pair."""
    side: Side
    """Whose response."""
    activation: float | None
    """The largest in the response."""
    text: str
    """The passage with its active tokens between « and »."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many features have one pair of rates."""

    a: float
    """Rate in A."""
    b: float
    """Rate in B."""
    features: int
    """How many."""


def features_of(report: Report) -> tuple[Feature, ...]:
    """The features that differ, each once, the largest difference first."""
    features: dict[int, Feature] = {}
    for row in report.tables.get(FEATURES, ()):
        index, rate_a, rate_b = _whole(row.get("index")), _share(row.get("rate_a")), _share(row.get("rate_b"))
        if index is not None and rate_a is not None and rate_b is not None:
            features.setdefault(index, _feature(row, index, rate_a, rate_b))
    return tuple(sorted(features.values(), key=lambda feature: (-feature.difference, feature.index)))


def _feature(row: Row, index: int, rate_a: float, rate_b: float) -> Feature:
    return Feature(
        index=index,
        rate_a=rate_a,
        rate_b=rate_b,
        p=_share(row.get("p")),
        q=_share(row.get("q")),
        label=_text(row.get("label")),
        label_source=_text(row.get("label_source")),
        label_score=_share(row.get("label_score")),
        top_tokens=_text(row.get("top_tokens")),
        url=_text(row.get("url")),
        chosen=row.get("chosen") is True,
    )


def passages_of(report: Report) -> Mapping[int, tuple[Passage, ...]]:
    """The passages of each feature, in the table's order, which is the strongest first."""
    passages: dict[int, list[Passage]] = {}
    for row in report.tables.get(EXAMPLES, ()):
        index, text, side = _whole(row.get("index")), _text(row.get("passage")), _side(row.get("side"))
        prompt_id = _text(row.get("prompt_id"))
        if index is not None and text is not None and side is not None and prompt_id is not None:
            passage = Passage(prompt_id, side, _number(row.get("activation")), text)
            passages.setdefault(index, []).append(passage)
    return {index: tuple(of_index) for index, of_index in passages.items()}


def rates_of(report: Report) -> Iterator[Rate]:
    """How often which pair of rates occurs, over all features of the SAE that are ever active."""
    for row in report.tables.get(RATES, ()):
        a, b, features = _share(row.get("rate_a")), _share(row.get("rate_b")), _whole(row.get("features"))
        if a is not None and b is not None and features:
            yield Rate(a, b, features)


def rests_on(finding: Finding) -> tuple[int, ...]:
    """The features by which a finding is measured; none if it is measured by something else, or judged."""
    measure = finding.hypothesis.measure
    return measure.indices if isinstance(measure, LatentMeasure) else ()


def marked(passage: str, response: str) -> tuple[tuple[str, bool], ...]:
    """A passage in pieces that are active or not.

    A response may hold « and » of its own, and then nobody can tell which were added. So marks are believed only where
    the response holds the passage without any of them; else the whole passage is one piece, as it is written.

    Args:
        passage: With the active tokens between « and ».
        response: The whole text that it was taken from.
    """
    if passage.translate(_MARKS) not in response:
        return ((passage, False),)
    pieces = ((piece.translate(_MARKS), odd % 2 == 1) for odd, piece in enumerate(_MARKED.split(passage)))
    return tuple(piece for piece in pieces if piece[0])


def _number(value: Scalar) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def _share(value: Scalar) -> float | None:
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def _whole(value: Scalar) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < 10**9 else None  # type: ignore[operator,return-value]


def _side(value: Scalar) -> Side | None:
    return "a" if value == "a" else "b" if value == "b" else None


def _text(value: Scalar) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
