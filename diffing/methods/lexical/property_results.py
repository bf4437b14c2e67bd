"""Measures every property on the train pairs, with its effect and p-value; `method.py` selects by the p-value."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from diffing.methods.lexical.measured_property import MeasuredProperty, Scale
from diffing.methods.lexical.property_comparison import PropertyComparisons
from diffing.metrics import two_sided_p
from diffing.types import Row, Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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

    measured: MeasuredProperty
    """The property."""
    comparisons: PropertyComparisons
    """The measurements of the pairs."""

    @cached_property
    def more(self) -> tuple[int, int]:
        """The numbers of pairs in which A and in which B has more, by the same rule as on held-out pairs."""
        verdicts = self.comparisons.verdicts
        return int((verdicts == 1).sum()), int((verdicts == 2).sum())

    @property
    def direction(self) -> Side:
        """The side that has more in more pairs."""
        return "a" if self.more[0] >= self.more[1] else "b"

    @property
    def effect(self) -> float:
        """The share of pairs for the direction minus the share against it."""
        return abs(self.more[0] - self.more[1]) / self._pairs

    @cached_property
    def p(self) -> float:
        """The two-sided p on train, by the same test as on held-out pairs."""
        return two_sided_p(self.comparisons.kinds(), self.direction)

    def row(self, chosen: bool) -> Row:
        """Returns the row in the table of properties; the means are over all whole responses with a value."""
        return {
            "property": self.measured.name,
            "sentence": self.measured.sentence,
            "category": self.measured.category,
            "definition": self.measured.definition + COMPARED[self.measured.scale],
            "scale": self.measured.scale,
            "mean_a": _mean(self.comparisons.whole[:, 0]),
            "mean_b": _mean(self.comparisons.whole[:, 1]),
            "share_a_more": self.more[0] / self._pairs,
            "share_b_more": self.more[1] / self._pairs,
            "p_train": self.p,
            "chosen": chosen,
        }

    @property
    def _pairs(self) -> int:
        return max(1, len(self.comparisons.whole))


def _mean(values: "NDArray[np.float64]") -> float:
    """Returns the mean of all values that are known; 0 if there are none."""
    known: list[float] = values[values == values].tolist()  # NaN is unequal to itself
    return sum(known) / max(1, len(known))
