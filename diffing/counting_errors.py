"""Computes whether the known errors of a count could produce a measured difference between two models."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing.estimates import Estimate
from diffing.types import Finding, Side


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """How well a count agrees with human labels of one model's responses. All intervals are Wilson's."""

    model: str
    """The model whose responses were labelled."""
    recall: Estimate
    """Of the responses that show the behaviour, the share that is counted."""
    precision: Estimate
    """Of the counted responses, the share that shows the behaviour; those that show it partly are left out."""
    partial: Estimate
    """Of the responses that show the behaviour partly, the share that is counted."""
    recall_with_partial: Estimate
    """Of the responses that show the behaviour fully or partly, the share that is counted."""
    precision_with_partial: Estimate
    """Of the counted responses, the share that shows the behaviour fully or partly."""


@dataclass(frozen=True, slots=True)
class CountingErrors:
    """The errors of the count of one behaviour, over all labelled sets."""

    behaviour: str
    """The behaviour in the plural, such as `refusals`."""
    sets: tuple[LabelledSet, ...]
    """The sets, at least one."""

    @property
    def recall(self) -> tuple[float, float]:
        """The lowest and the highest recall in the intervals of all sets, with and without partial ones."""
        return _range([share for each in self.sets for share in (each.recall, each.recall_with_partial)])

    @property
    def precision(self) -> tuple[float, float]:
        """The lowest and the highest precision in the intervals of all sets, with and without partial ones."""
        return _range([share for each in self.sets for share in (each.precision, each.precision_with_partial)])

    def true_shares(self, counted: float) -> tuple[float, float]:
        """Returns the lowest and the highest true share that can give a counted share within these errors."""
        return counted * self.precision[0] / self.recall[1], min(1.0, counted * self.precision[1] / self.recall[0])


def could_make(errors: CountingErrors, larger: float, smaller: float) -> bool:
    """Tells whether one true share of both models could give both counted shares, if the errors differ between them.

    Args:
        errors: The errors of the count.
        larger: The larger counted share; for a cautious answer, the smaller share plus the lower end of the interval
            of the difference.
        smaller: The smaller counted share.
    """
    return errors.true_shares(larger)[0] <= errors.true_shares(smaller)[1]


def caution(errors: CountingErrors | None, finding: Finding) -> str:
    """Says that differing errors of the count could make a finding's difference; empty if they could not.

    It is also empty if nothing was measured against labels, or if the shares of both models are not known.

    Args:
        errors: The errors of the count of what the finding measures.
        finding: The finding, with both models' shares on held-out prompts among its levels.
    """
    shares = {side: _share(finding, side) for side in ("a", "b")}
    if errors is None or shares["a"] is None or shares["b"] is None:
        return ""
    ahead = finding.hypothesis.direction
    larger, smaller = shares[ahead], shares["b" if ahead == "a" else "a"]
    low = finding.heldout.net_difference.low
    if larger is None or smaller is None or larger <= smaller:
        return ""
    if not could_make(errors, larger if low is None else min(larger, smaller + max(0.0, low)), smaller):
        return ""
    return (
        f"This is not claimed as a difference between the models, because errors of the count alone could make it. The "
        f"count finds {_percent(errors.recall)} of all {errors.behaviour}, and {_percent(errors.precision)} of what it "
        f"counts are {errors.behaviour}, depending on how a model words them. With counted shares of {larger:.0%} and "
        f"{smaller:.0%} on these prompts, the true shares of both models can therefore be the same."
    )


def _share(finding: Finding, side: Side) -> float | None:
    """Returns the share of a model's held-out responses that show what a finding is about, if it is known."""
    return next(
        (
            level.value.value
            for level in finding.levels
            if (level.split, level.place, level.side, level.kind) == ("heldout", "all", side, "share")
        ),
        None,
    )


def _range(estimates: Sequence[Estimate]) -> tuple[float, float]:
    lows = [each.low for each in estimates if each.low is not None]
    highs = [each.high for each in estimates if each.high is not None]
    return min(lows), max(highs)


def _percent(ends: tuple[float, float]) -> str:
    return f"{100 * ends[0]:.0f}% to {100 * ends[1]:.0f}%"
