"""Which measured properties differ on train clearly enough to be tested on held-out."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing.methods.lexical.measured import Property
from diffing.methods.lexical.reading import PairReading
from diffing.metrics import sign_test
from diffing.types import Row, Side, Verdict


@dataclass(frozen=True, slots=True)
class Screened:
    """One property on the train pairs."""

    measured: Property
    """The property."""
    values: tuple[tuple[float, float], ...]
    """Per pair both sides, a first."""

    @property
    def more_in_a(self) -> int:
        """Pairs in which A has more."""
        return sum(a > b for a, b in self.values)

    @property
    def more_in_b(self) -> int:
        """Pairs in which B has more."""
        return sum(b > a for a, b in self.values)

    @property
    def direction(self) -> Side:
        """The side that has more in more pairs."""
        return "a" if self.more_in_a >= self.more_in_b else "b"

    @property
    def effect(self) -> float:
        """Share of pairs for the direction less share against it."""
        return abs(self.more_in_a - self.more_in_b) / max(1, len(self.values))

    @property
    def p(self) -> float:
        """Exact two-sided sign test."""
        more, less = sorted((self.more_in_a, self.more_in_b), reverse=True)
        return min(1.0, 2 * sign_test(more, less))

    def row(self, chosen: bool) -> Row:
        """The property's row in the table of properties."""
        pairs = max(1, len(self.values))
        return {
            "property": self.measured.name,
            "sentence": self.measured.sentence,
            "category": self.measured.category,
            "definition": self.measured.definition,
            "scale": self.measured.scale,
            "mean_a": sum(a for a, _ in self.values) / pairs,
            "mean_b": sum(b for _, b in self.values) / pairs,
            "share_a_more": self.more_in_a / pairs,
            "share_b_more": self.more_in_b / pairs,
            "p_train": self.p,
            "chosen": chosen,
        }


def screen(properties: Sequence[Property], readings: Sequence[PairReading]) -> list[Screened]:
    """Measures every property on every pair, in the order of the properties."""
    return [Screened(measured, tuple(measured.values(reading) for reading in readings)) for measured in properties]


def verdict_of(a: float, b: float) -> Verdict:
    """Who has more. No tolerance: a chance difference is as likely for either side, which the sign test allows for."""
    if a == b:
        return Verdict.NEITHER
    return Verdict.A if a > b else Verdict.B
