"""Exact tests that a difference is smaller than a margin."""

import numpy as np
import pytest
from scipy.stats import multinomial

from diffing.estimates import Estimate
from diffing.metrics import net_interval
from diffing.metrics.equivalence import LEVEL, interval_90, p_below, prompts_needed


def test_without_any_verdict_for_a_side_p_is_that_of_a_coin() -> None:
    assert p_below(0, 0, 30, 0.1) == pytest.approx(0.9**30)
    assert p_below(0, 0, 0, 0.1) == 1.0
    # the smallest number of prompts that can rule out five points
    assert next(n for n in range(200) if p_below(0, 0, n, 0.05) <= LEVEL) == 59


@pytest.mark.parametrize(("k_for", "k_against", "n", "margin"), [(1, 2, 12, 0.2), (0, 3, 12, 0.1), (4, 4, 12, 0.3)])
def test_p_is_the_largest_probability_of_outcomes_that_are_as_clear(
    k_for: int, k_against: int, n: int, margin: float
) -> None:
    """Enumerated over all outcomes, ordered by Tango's statistic as its interval inverts it."""

    def score(a: int, b: int) -> float:
        """From the maximum-likelihood share under the margin, which is found on a grid here."""
        against = np.linspace(1e-9, (1 - margin) / 2, 100_001)
        with np.errstate(divide="ignore", invalid="ignore"):
            likelihood = b * np.log(against) + a * np.log(against + margin)
            likelihood += np.where(n > a + b, (n - a - b) * np.log(1 - margin - 2 * against), 0.0)
        share = against[np.nanargmax(likelihood)]
        return float((a - b - n * margin) / np.sqrt(n * (2 * share + margin * (1 - margin))))

    observed = score(k_for, k_against)
    clear = [(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a) if score(a, b) <= observed + 1e-4]
    shares = [(q + margin, q, max(0.0, 1 - margin - 2 * q)) for q in (1 - margin) / 2 * np.linspace(0, 1, 60) ** 2]
    expected = max(multinomial.pmf(clear, n, each).sum() for each in shares)
    assert p_below(k_for, k_against, n, margin) == pytest.approx(expected, rel=1e-6)


def test_the_size_is_at_most_5_percent_where_tangos_interval_alone_exceeds_it() -> None:
    """30 prompts, a true net difference of exactly 10 points, by enumeration."""
    n, margin, against = 30, 0.1, 0.45
    outcomes = [(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)]
    chances = multinomial.pmf(outcomes, n, (against + margin, against, 0.0))
    likely = [(a, b, c) for (a, b, _), c in zip(outcomes, chances, strict=True) if c > 1e-9]
    exact = sum(chance for a, b, chance in likely if p_below(a, b, n, margin) <= LEVEL)
    tango = sum(chance for a, b, chance in likely if (interval_90(a, b, n).high or 0) < margin)
    assert 0.02 < exact <= LEVEL < tango


def test_the_90_percent_interval_lies_within_the_95_percent_one() -> None:
    for k_for, k_against, n in [(0, 0, 50), (50, 0, 50), (0, 50, 50), (10, 4, 50)]:
        narrow, wide = interval_90(k_for, k_against, n), net_interval(k_for, k_against, n)
        assert narrow.value == wide.value
        assert wide.low <= narrow.low <= narrow.high <= wide.high


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_with_the_planned_prompts_most_runs_decide(share: float) -> None:
    k = round(share * 40)
    needed = prompts_needed(net_interval(k, k, 40), k, k, 0.1)
    assert needed is not None
    true = (k + 1) / 42  # none of 40 does not mean none ever
    drawn = np.random.default_rng(0).multinomial(needed, (true, true, 1 - 2 * true), 60)
    decided = np.mean([p_below(a, b, needed, 0.1) <= LEVEL for a, b, _ in drawn.tolist()])
    assert decided > 0.65


def test_no_number_is_planned_where_none_would_help() -> None:
    assert prompts_needed(Estimate(None, None, None, 0), 0, 0, 0.1) is None
    assert prompts_needed(net_interval(5, 0, 50), 5, 0, 0.1) is None
    assert prompts_needed(net_interval(0, 0, 10), 0, 0, 0.05) == 430
