"""Measures every property on the train pairs, with its effect and p-value; `method.py` selects by the p-value."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from diffing.methods.lexical.measured_property import Property, PropertyComparison, verdict_of
from diffing.methods.lexical.parsed_response import PairReading
from diffing.metrics import sign_test
from diffing.types import Row, Side, Verdict

BOTH_WAYS = "; a verdict needs more of it in the whole response and also within as many words of both"
"""The text that is added to the definition of a property whose scale is `matched`."""


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

    @property
    def p(self) -> float:
        """The largest p of three exact two-sided sign tests: of the verdicts, in whole responses, and at equal length.

        A verdict requires both comparisons to agree, and length alone can influence on which pairs they do. So each
        comparison must show a difference by itself; p is 1 if they point to different sides.
        """
        sides = (Verdict.A, Verdict.B) if self.direction == "a" else (Verdict.B, Verdict.A)
        ways = (
            self.verdicts,
            [verdict_of(*one.whole) for one in self.comparisons],
            [verdict_of(*one.matched) for one in self.comparisons],
        )
        counts = [[verdicts.count(side) for side in sides] for verdicts in ways]
        if any(more < less for more, less in counts):
            return 1.0
        return max(min(1.0, 2 * sign_test(more, less)) for more, less in counts)

    def row(self, chosen: bool) -> Row:
        """Returns the row in the table of properties; the means are over all whole responses with a value."""
        pairs = max(1, len(self.verdicts))
        return {
            "property": self.measured.name,
            "sentence": self.measured.sentence,
            "category": self.measured.category,
            "definition": self.measured.definition + (BOTH_WAYS if self.measured.scale == "matched" else ""),
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
