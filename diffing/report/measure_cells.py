"""Converts what a hypothesis is measured by to two cells of `findings.parquet`, kind and text, and back."""

import re

from diffing.types import (
    FeatureAbove,
    FeatureKind,
    FeatureMeasure,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
)

_PROPERTY, _PHRASE, _LATENTS = "property", "phrase", "latents"
_IN_WORDS = " in words"
_ABOVE: dict[str, FeatureKind] = {"crosscoder latents above": "crosscoder", "adapter features above": "adapter"}
_INDICES = re.compile(r"[0-9]{1,9}(?:, [0-9]{1,9})*")
_NUMBER = r"[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?"
_FEATURE = rf"(?:[0-9]{{1,5}}\.)?d?[0-9]{{1,9}} > {_NUMBER}"
_FEATURES = re.compile(rf"({_FEATURE}(?:, {_FEATURE}){{0,63}}) of ([0-9a-f]{{1,64}})")


def measure_cells(measure: Measure | None) -> tuple[str | None, str | None]:
    """Returns the kind of a measure and what it measures, as texts; None for both without a measure."""
    match measure:
        case None:
            return None, None
        case PropertyMeasure(name):
            return _PROPERTY, name
        case PhraseMeasure(phrase):
            return _PHRASE, phrase
        case LatentMeasure(indices, in_words):
            return _kind(_LATENTS, in_words), ", ".join(map(str, indices))
        case FeatureMeasure(kind, _, _, in_words):
            name = next(name for name, each in _ABOVE.items() if each == kind)
            return _kind(name, in_words), measure.text


def measure_from(kind: str | None, measured: str | None) -> Measure | None:
    """Returns the measure that `measure_cells` converted.

    Raises:
        ValueError: There is no such measure.
    """
    if kind is None and measured is None:
        return None
    if kind is not None and measured is not None:
        in_words = kind.endswith(_IN_WORDS)
        name = kind.removesuffix(_IN_WORDS)
        if kind == _PROPERTY:
            return PropertyMeasure(measured)
        if kind == _PHRASE:
            return PhraseMeasure(measured)
        if name == _LATENTS and _INDICES.fullmatch(measured):
            return LatentMeasure(tuple(map(int, measured.split(", "))), in_words=in_words)
        if name in _ABOVE and (found := _FEATURES.fullmatch(measured)):
            features = tuple(_feature(text) for text in found[1].split(", "))
            return FeatureMeasure(_ABOVE[name], features, found[2], in_words=in_words)
    raise ValueError(f"findings: there is no measure {kind!r:.40} of {measured!r:.60}")


def _kind(name: str, in_words: bool) -> str:
    return f"{name}{_IN_WORDS}" if in_words else name


def _feature(text: str) -> FeatureAbove:
    name, _, above = text.partition(" > ")
    return FeatureAbove(name, float(above))
