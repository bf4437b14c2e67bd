"""The test of a scope against all assignments of its labels, one by one."""

from collections.abc import Sequence
from itertools import combinations

import pytest

from diffing.scopes import exact_tests
from diffing.scopes.exact_tests import VerdictCounts, p_differs


def counted(verdicts: Sequence[int]) -> VerdictCounts:
    return VerdictCounts(verdicts.count(1), verdicts.count(-1), len(verdicts))


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ([1, 1, 1, 0], [0, 0, -1, -1, 1]),
        ([1, 1, -1], [1, -1, 0, 0, 0, 0]),
        ([1, 0, 0, -1, -1], [1, 1, 1]),
        ([1, 1, 1], [1, 1]),
        ([0, 0], [0, -1, 1]),
        ([1], []),
    ],
)
def test_p_is_the_share_of_assignments_with_as_large_a_difference(inside: list[int], outside: list[int]) -> None:
    every = inside + outside
    sums = [sum(every[place] for place in places) for places in combinations(range(len(every)), len(inside))]
    expected = sum(each >= sum(inside) for each in sums) / len(sums)
    assert p_differs(counted(inside), counted(every)) == pytest.approx(expected, rel=1e-12)


def test_without_verdicts_against_it_is_fishers_exact_test() -> None:
    from scipy.stats import fisher_exact

    expected = fisher_exact([[9, 11], [14, 166]], alternative="greater").pvalue
    assert p_differs(VerdictCounts(9, 0, 20), VerdictCounts(23, 0, 200)) == pytest.approx(expected, rel=1e-10)


def test_large_counts_and_small_p_are_exact() -> None:
    from scipy.stats import hypergeom

    got = p_differs(VerdictCounts(1500, 0, 1600), VerdictCounts(2000, 0, 3333))
    assert got == pytest.approx(float(hypergeom.sf(1499, 3333, 2000, 1600)), rel=1e-8)


def test_many_possible_counts_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, every = VerdictCounts(70, 55, 200), VerdictCounts(100, 110, 333)
    whole = p_differs.__wrapped__(inside, every)
    monkeypatch.setattr(exact_tests, "_CELLS", 500)
    assert p_differs.__wrapped__(inside, every) == pytest.approx(whole, rel=1e-12)
    assert 0.001 < whole < 0.1


def test_nothing_inside_shows_nothing() -> None:
    assert p_differs(VerdictCounts(0, 0, 0), VerdictCounts(5, 2, 20)) == 1.0


def test_counts_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most the counts"):
        p_differs(VerdictCounts(3, 0, 3), VerdictCounts(2, 0, 10))
