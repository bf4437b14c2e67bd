"""Reads a report's tables of sparse features (features, example passages, rates) as typed rows.

Several methods have such tables; of the first of them in `METHODS` that took part in a run, they are read here.

A report may come from a stranger, so every field is checked: a value of the wrong type counts as absent, and a row
without an index or a rate is dropped.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diffing.types import FeatureMeasure, Finding, LatentMeasure, Report, Row, Scalar, Side, other_side

METHODS = ("sae", "crosscoder", "adapters")
"""The methods with features; the names of their tables in `Report.tables` begin with these."""
_MARKED = re.compile("«([^«»]*)»")
_NAME = re.compile(r"(?:[0-9]{1,5}\.)?d?[0-9]{1,9}")
_PROPERTY = re.compile(r"[a-z][a-z0-9_ -]{0,60}")
_MARKS = str.maketrans("", "", "«»")


@dataclass(frozen=True, slots=True)
class ListedFeature:
    """One feature whose rates differ on train prompts, or an internal one.

    Its texts come from models, labels and users, unescaped.
    """

    index: int
    """The feature's number among all latents."""
    name: str
    """What hypotheses call the feature; its number if it has no other name."""
    rate_a: float
    """The share of A's responses in which it is active."""
    rate_b: float
    """The share of B's responses in which it is active."""
    p: float | None
    """The p-value of the paired test on train."""
    q: float | None
    """The p-value after Benjamini-Hochberg correction over all features."""
    label: str | None
    """What the feature stands for, in words."""
    label_source: str | None
    """Where the label comes from."""
    label_score: float | None
    """The share of held-back examples that an LLM classified correctly from the label alone."""
    top_tokens: str | None
    """The tokens at which it is most active."""
    url: str | None
    """The address of its public page as the table gives it; it must be checked before it becomes a link."""
    chosen: bool
    """Whether the method made a hypothesis from it or labelled it."""
    about: str
    """What is known of it beside its rates, in a few words: whose it is, and what taking it out does; may be empty."""
    internal: bool
    """Whether its rates do not differ: one model stores it, and the responses do not show it."""
    agrees_with: str | None
    """The measured property that decides as it does on train pairs, if one was sought and found."""

    @property
    def direction(self) -> Side:
        """The side in whose responses it is active more often."""
        return "a" if self.rate_a > self.rate_b else "b"

    @property
    def difference(self) -> float:
        """The absolute difference of the two rates."""
        return abs(self.rate_a - self.rate_b)


@dataclass(frozen=True, slots=True)
class FeaturePassage:
    """A passage of one response in which a feature is active."""

    prompt_id: str
    """The prompt that the response answers."""
    side: Side
    """The side whose response it is."""
    activation: float | None
    """The feature's largest activation in the response."""
    text: str
    """The passage with its active tokens between « and »."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """The number of features that share one pair of rates: a point of the scatter plot."""

    a: float
    """The rate in A's responses."""
    b: float
    """The rate in B's responses."""
    features: int
    """How many features have these rates."""


def method_with_features(report: Report) -> str | None:
    """Returns the method whose features are shown; None if no method of the run has any."""
    return next((method for method in METHODS if f"{method}_features" in report.tables), None)


def _rows(report: Report, table: str) -> tuple[Row, ...]:
    return report.tables.get(f"{method_with_features(report)}_{table}", ())


def features_of(report: Report) -> tuple[ListedFeature, ...]:
    """Lists the features whose rates differ, and internal ones, each once, the largest difference first."""
    features: dict[int, ListedFeature] = {}
    for row in _rows(report, "features"):
        index, rate_a, rate_b = _whole(row.get("index")), _share(row.get("rate_a")), _share(row.get("rate_b"))
        if index is not None and rate_a is not None and rate_b is not None:
            features.setdefault(index, _feature(row, index, rate_a, rate_b))
    return tuple(sorted(features.values(), key=lambda feature: (-feature.difference, feature.index)))


def _feature(row: Row, index: int, rate_a: float, rate_b: float) -> ListedFeature:
    return ListedFeature(
        index=index,
        name=_name(row.get("name")) or str(index),
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
        about=_about(row),
        internal=row.get("shown_in") == "internal",
        agrees_with=_property(row),
    )


def passages_of(report: Report) -> Mapping[int, tuple[FeaturePassage, ...]]:
    """Returns the passages of each feature by its index, in the table's order, which is the strongest first."""
    passages: dict[int, list[FeaturePassage]] = {}
    for row in _rows(report, "examples"):
        index, text, side = _whole(row.get("index")), _text(row.get("passage")), _side(row.get("side"))
        prompt_id = _text(row.get("prompt_id"))
        if index is not None and text is not None and side is not None and prompt_id is not None:
            passage = FeaturePassage(prompt_id, side, _number(row.get("activation")), text)
            passages.setdefault(index, []).append(passage)
    return {index: tuple(of_index) for index, of_index in passages.items()}


def rates_of(report: Report) -> Iterator[RatePoint]:
    """Yields each pair of rates with the number of features that have it, over all features that are ever active."""
    for row in _rows(report, "rates"):
        a, b, features = _share(row.get("rate_a")), _share(row.get("rate_b")), _whole(row.get("features"))
        if a is not None and b is not None and features:
            yield RatePoint(a, b, features)


def measured_latents(finding: Finding, numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Returns the latents by which a finding is measured; empty if it is measured in another way, or judged.

    Args:
        finding: The finding.
        numbers: The numbers of the features with names of their own, by name.
    """
    match finding.hypothesis.measure:
        case LatentMeasure(indices):
            return indices
        case FeatureMeasure(_, features):
            return tuple(numbers[each.name] for each in features if each.name in numbers)
        case _:
            return ()


def _about(row: Row) -> str:
    """Puts what only some methods know of a feature into words."""
    kinds = {"difference": "along it the models differ", "changed": "both models have it, in different directions"}
    known = _owned(row) or kinds.get(str(row.get("kind")), "")
    internal = "internal: the responses do not tell the models apart by it" if row.get("shown_in") == "internal" else ""
    agrees = f"it decides as the measured property {found} does" if (found := _property(row)) else ""
    return "; ".join(each for each in (known, internal, agrees, _effect(row)) if each)


def _owned(row: Row) -> str:
    """Whose alone a feature is, with the figures of latent scaling; empty if it is no one's."""
    owner = _side(row.get("owner"))
    if owner is None:
        return ""
    error, reconstruction = _number(row.get("nu_error")), _number(row.get("nu_reconstruction"))
    if error is None or reconstruction is None:
        return f"only {owner.upper()}'s activations have it"
    scaling = f"error {error:.2f}, reconstruction {reconstruction:.2f}"
    return f"only {owner.upper()}'s activations have it (latent scaling in {other_side(owner).upper()}: {scaling})"


def _effect(row: Row) -> str:
    """What taking the feature out does, with its size beside that of random directions; empty if it was not checked."""
    causal = row.get("causal")
    if not isinstance(causal, bool):
        return ""
    shown = "it drives what the model says" if causal else "it marks what the model says; no effect was shown"
    own, random = (
        next((found for name in names if (found := _number(row.get(name))) is not None), None)
        for names in (("causal_kl", "kl"), ("causal_kl_random", "kl_random"))
    )
    if own is None or random is None:
        return shown
    return f"{shown} (taken out, it changes predictions by {own:.3g} nats; random directions: {random:.3g})"


def _property(row: Row) -> str | None:
    name = row.get("agrees_with")
    return name if isinstance(name, str) and _PROPERTY.fullmatch(name) else None


def marked(passage: str, response: str) -> tuple[tuple[str, bool], ...]:
    """Splits a passage into pieces, each with a flag that says whether the feature is active in it.

    A response may contain « and » itself, and then the added marks cannot be told apart. Marks are therefore trusted
    only if the response contains the passage without any of them; otherwise the whole passage is one inactive piece.

    Args:
        passage: The passage with its active tokens between « and ».
        response: The whole response that the passage was taken from.
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


def _name(value: Scalar) -> str | None:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _text(value: Scalar) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
