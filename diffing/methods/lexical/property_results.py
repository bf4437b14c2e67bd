"""Measures every property on the train pairs, with its effect and p-value; `method.py` selects by the p-value."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from diffing.methods.lexical.measured_property import Property, PropertyComparison, Scale, train_p
from diffing.methods.lexical.parsed_response import PairReading
from diffing.types import Row, Side, Verdict

COMPARED: dict[Scale, str] = {
    "whole": "",
    "counts": "; a verdict needs more of it in the whole response and also per word, and a confirmed difference "
    "exceeds what the lengths of the responses alone would bring",
    "matched": "; within as many words of both responses, half from the beginning and half from the end",
    "untested": "; told of the run as a whole, and never a finding",
    "matched sentences": "; within as many sentences of both responses, spread evenly over the longer one",
}
"""What is added to the definition of a property, by its scale."""


@dataclass(frozen=True)
class PropertyResult:
    """One property with its measurements on the train pairs."""

    measured: Property
    """The property."""
    comparisons: tuple[PropertyComparison, ...]
    """The measurements of each pair."""

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict on each pair, by the same rule as on held-out pairs."""
        return tuple(one.verdict for one in self.comparisons)

    @property
    def more_in_a(self) -> int:
        """The number of pairs in which A has more."""
        return self.verdicts.count(Verdict.A)

    @property
    def more_in_b(self) -> int:
        """The number of pairs in which B has more."""
        return self.verdicts.count(Verdict.B)

    @property
    def direction(self) -> Side:
        """The side that has more in more pairs."""
        return "a" if self.more_in_a >= self.more_in_b else "b"

    @property
    def effect(self) -> float:
        """The share of pairs for the direction minus the share against it."""
        return abs(self.more_in_a - self.more_in_b) / max(1, len(self.verdicts))

    @cached_property
    def p(self) -> float:
        """The two-sided p on train, by the same test as on held-out pairs."""
        return train_p(self.comparisons, self.direction)

    def row(self, chosen: bool) -> Row:
        """Returns the row in the table of properties; the means are over all whole responses with a value."""
        pairs = max(1, len(self.verdicts))
        return {
            "property": self.measured.name,
            "sentence": self.measured.sentence,
            "category": self.measured.category,
            "definition": self.measured.definition + COMPARED[self.measured.scale],
            "scale": self.measured.scale,
            "mean_a": _mean([one.whole[0] for one in self.comparisons]),
            "mean_b": _mean([one.whole[1] for one in self.comparisons]),
            "share_a_more": self.more_in_a / pairs,
            "share_b_more": self.more_in_b / pairs,
            "p_train": self.p,
            "chosen": chosen,
        }


def measure_properties(properties: Sequence[Property], readings: Sequence[PairReading]) -> list[PropertyResult]:
    """Measures every property on every pair, in the order of the properties."""
    return [
        PropertyResult(measured, tuple(measured.compare(reading) for reading in readings)) for measured in properties
    ]


def _mean(values: Sequence[float | None]) -> float:
    """Returns the mean of all values that are not None; 0 if there are none."""
    known = [value for value in values if value is not None]
    return sum(known) / max(1, len(known))
