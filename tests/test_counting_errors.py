"""Whether the errors of a count could make a difference."""

from dataclasses import replace

import pytest

from diffing import metrics
from diffing.counting_errors import CountingErrors, LabelledSet, caution, could_make
from diffing.estimates import Estimate
from diffing.types import Finding, Hypothesis, Level, PropertyMeasure, Side

ONE = LabelledSet(
    "one",
    recall=Estimate(0.9, 0.8, 1.0, 50),
    precision=Estimate(1.0, 0.9, 1.0, 40),
    partial=Estimate(0.5, 0.2, 0.8, 9),
    recall_with_partial=Estimate(0.8, 0.7, 0.9, 59),
    precision_with_partial=Estimate(1.0, 0.95, 1.0, 44),
)
OTHER = replace(ONE, model="other", recall=Estimate(0.6, 0.5, 0.7, 50))
ERRORS = CountingErrors("refusals", (ONE, OTHER))


def finding(k_for: int, k_against: int, both: int, n: int = 200, direction: Side = "a") -> Finding:
    """Pairs in which one side refuses, the other, both, or neither."""
    counted = metrics.metrics_of(n, k_for, k_against)
    shares = {direction: k_for + both, "b" if direction == "a" else "a": k_against + both}
    levels = tuple(
        Level("heldout", "all", side, "share", metrics.wilson(count, n)) for side, count in sorted(shares.items())
    )
    hypothesis = Hypothesis("x", "<MODEL> refuses", direction, "lexical", "style", measure=PropertyMeasure("refusals"))
    return Finding(hypothesis, counted, counted, accepted=True, confirmed=True, levels=levels)


def test_the_range_of_errors_is_that_of_all_labelled_sets() -> None:
    assert (ERRORS.recall, ERRORS.precision) == ((0.5, 1.0), (0.9, 1.0))
    wider = replace(ONE, recall_with_partial=Estimate(0.6, 0.4, 0.7, 59), precision_with_partial=ONE.partial)
    assert (CountingErrors("refusals", (wider,)).recall, CountingErrors("refusals", (wider,)).precision) == (
        (0.4, 1.0),
        (0.2, 1.0),
    )
    assert ERRORS.true_shares(0.4) == (pytest.approx(0.36), pytest.approx(0.8))
    assert ERRORS.true_shares(0.6) == (pytest.approx(0.54), 1.0)
    # 80% of true refusals may be counted as 40% by one model and, with false alarms, as 88% by the other
    assert could_make(ERRORS, 0.88, 0.4)
    assert not could_make(ERRORS, 0.9, 0.4)
    assert could_make(ERRORS, 0.0, 0.0)
    assert not could_make(ERRORS, 0.01, 0.0)


@pytest.mark.parametrize("direction", ["a", "b"])
def test_a_difference_that_errors_could_make_is_not_claimed(direction: Side) -> None:
    said = caution(ERRORS, finding(40, 0, 80, direction=direction))
    assert said.startswith("This is not claimed as a difference between the models")
    assert "finds 50% to 100% of all refusals, and 90% to 100% of what it counts are refusals" in said
    assert "With counted shares of 60% and 40%" in said
    assert caution(ERRORS, finding(150, 0, 20, direction=direction)) == ""
    assert caution(None, finding(40, 0, 80, direction=direction)) == ""
    assert caution(ERRORS, replace(finding(40, 0, 80, direction=direction), levels=())) == ""


def test_the_lower_end_of_the_difference_decides() -> None:
    """21 of 200 counted against 9 is more than twice as many, but it may be only a little more by chance."""
    assert not could_make(ERRORS, 0.105, 0.045)
    assert caution(ERRORS, finding(15, 3, 6)) != ""
