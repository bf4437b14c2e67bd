"""Which measured properties differ on train clearly enough to be tested on held-out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from diffing.methods.lexical.measured_property import Comparison, Property, verdict_of
from diffing.methods.lexical.parsed_response import PairReading
from diffing.metrics import sign_test
from diffing.types import Row, Side, Verdict

BOTH_WAYS = "; a verdict needs more of it in the whole response and also within as many words of both"
"""What is added to the definition of a `matched` property."""


@dataclass(frozen=True)
class Screened:
    """One property on the train pairs."""

    measured: Property
    """The property."""
    comparisons: tuple[Comparison, ...]
    """It in every pair."""

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Per pair the verdict, as on held-out."""
        return tuple(one.verdict for one in self.comparisons)

    @property
    def more_in_a(self) -> int:
        """Pairs in which A has more."""
        return self.verdicts.count(Verdict.A)

    @property
    def more_in_b(self) -> int:
        """Pairs in which B has more."""
        return self.verdicts.count(Verdict.B)

    @property
    def direction(self) -> Side:
        """The side that has more in more pairs."""
        return "a" if self.more_in_a >= self.more_in_b else "b"

    @property
    def effect(self) -> float:
        """Share of pairs for the direction less share against it."""
        return abs(self.more_in_a - self.more_in_b) / max(1, len(self.verdicts))

    @property
    def p(self) -> float:
        """Exact two-sided sign test: the greatest p of the verdicts, of whole responses and of as many words of both.

        Verdicts need both ways of reading to agree, and length alone can decide where they do: of those that chance
        decides the longer side wins most, and what it says late is in none. Each way must therefore differ by itself;
        p is 1 where they point to different sides.
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
        """The property's row in the table of properties; means are of the whole responses of which it can be told."""
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


def screen(properties: Sequence[Property], readings: Sequence[PairReading]) -> list[Screened]:
    """Measures every property on every pair, in the order of the properties."""
    return [Screened(measured, tuple(measured.compare(reading) for reading in readings)) for measured in properties]


def _mean(values: Sequence[float | None]) -> float:
    """The mean of what can be told; 0 of nothing."""
    told = [value for value in values if value is not None]
    return sum(told) / max(1, len(told))
