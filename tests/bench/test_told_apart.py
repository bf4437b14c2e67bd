"""The benchmark of coverage: what its table sums up, and what is stored of it."""

from dataclasses import replace

from diffing.bench.results import load_result
from diffing.estimates import Coverage, Estimate
from diffing.metrics import UNDEFINED, wilson
from tests.benchmarks.page import RESULTS
from tests.benchmarks.told_apart import Compared, told_apart_result

SOME = Estimate(0.9, 0.8, 1.0, 100)
COVERAGE = Coverage(*[wilson(80, 100)] * 4, *[SOME] * 3, wilson(30, 100), wilson(20, 30), 0.001)


def test_medians_and_lowest_values_are_over_the_pairs_for_which_a_share_is_given() -> None:
    other = replace(COVERAGE, everything=wilson(60, 100), explained=UNDEFINED)
    result = told_apart_result(
        [Compared("a → b", 4, COVERAGE), Compared("a → c", 1, other), Compared("b → c", 9, COVERAGE)], "command"
    )
    rows = {row["pair"]: row for row in result.rows}
    assert list(rows) == ["a → b", "a → c", "b → c", "median", "lowest"]
    assert (rows["a → c"]["explained"], rows["a → c"]["everything_n"]) == (None, 100)
    assert [(rows[name]["confirmed"], rows[name]["everything"]) for name in ("median", "lowest")] == [
        (4, 0.8),
        (1, 0.6),
    ]
    assert (rows["median"]["explained"], rows["median"]["explained_n"]) == (0.9, 2)


def test_the_stored_lines_lose_little_of_what_the_list_tells() -> None:
    rows = load_result(RESULTS / "coverage-recorded.json").rows[:-2]
    assert len(rows) == 10
    assert all(row["everything_n"] >= 60 for row in rows)
    lost = [row["findings"] - row["lines"] for row in rows]
    assert sum(lost) / len(lost) <= 0.03


def test_the_stored_nulls_are_told_apart_as_often_as_chance_does() -> None:
    together = load_result(RESULTS / "null-recorded.json").rows[-1]
    assert together["told_apart_n"] == 70
    assert together["told_apart_low"] <= 0.05
