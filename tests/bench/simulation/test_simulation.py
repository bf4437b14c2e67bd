"""The benchmark of our statistics in small: right rules stay within the bounds, and a rule that is wrong does not."""

from dataclasses import replace

import numpy as np
import pytest

from diffing.bench.results import load_results
from diffing.judge.expected_costs import STAGED_SHARE
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.types import Row
from tests.benchmarks.page import RESULTS
from tests.benchmarks.simulation import scopes
from tests.benchmarks.simulation.conditional import RIGHT, WRONG, ConditionalShape, conditional_world
from tests.benchmarks.simulation.counting import ratio
from tests.benchmarks.simulation.coverage import coverage_of
from tests.benchmarks.simulation.mixes import TYPICAL, MixShape, measure_mix, measure_planned_coverage, simulate
from tests.benchmarks.simulation.nulls import NullShape, measure_null
from tests.benchmarks.simulation.rules import Outcome, Rule, decide, full, sign_test, thrift
from tests.benchmarks.simulation.scope_worlds import ScopeShape
from tests.benchmarks.simulation.scopes import false_row, power_row, power_shapes
from tests.benchmarks.simulation.worlds import Correlation, SimulatedJudge, Sizes, Truths, draw, nulls

RUNS = 100
RULES = {"full": full, "thrift": thrift}


def peeking(judge: SimulatedJudge, sizes: Sizes, hypotheses: int) -> Outcome:
    """Wrong: looks at held-out verdicts again and again, and keeps the number of prompts that looks best."""
    verdicts = judge.ask("heldout", range(hypotheses), 0, sizes.heldout)
    steps = [*range(10, sizes.heldout, 10), sizes.heldout]
    sums = {n: np.stack([(verdicts[:, :n] == sign).sum(axis=1) for sign in (1, -1)]) for n in steps}
    best = [min(steps, key=lambda n: sign_test(*map(int, sums[n][:, i]))) for i in range(hypotheses)]
    heldout = np.stack([sums[n][:, i] for i, n in enumerate(best)], axis=1)
    return decide(np.zeros((2, hypotheses), int), np.ones(hypotheses, int), heldout, np.array(best))


def chosen_on_heldout(judge: SimulatedJudge, sizes: Sizes, hypotheses: int) -> Outcome:
    """Wrong: tests on the prompts that suggested what to test, so that the family is chosen by its own p values."""
    verdicts = judge.ask("heldout", range(hypotheses), 0, sizes.heldout)
    counts = np.stack([(verdicts == sign).sum(axis=1) for sign in (1, -1)])
    promising = np.array([sign_test(*map(int, pair)) <= 0.2 for pair in counts.T])
    n = np.where(promising, sizes.heldout, 0)
    return decide(np.zeros((2, hypotheses), int), np.ones(hypotheses, int), counts * promising, n)


SHAPES = [
    NullShape(1, 0.9, Sizes(120, 60)),
    NullShape(30, 0.1, Sizes(300, 150)),
    NullShape(30, 0.5, Sizes(200, 100), Correlation(0.9)),
    NullShape(30, 0.5, Sizes(200, 100), Correlation(0.9, mirrored=True)),
    NullShape(30, 0.5, Sizes(200, 100), judge="first place"),
    NullShape(30, 0.5, Sizes(200, 100), judge="errs"),
]


def surely_too_many(row: Row, name: str) -> bool:
    """Whether the false confirmations are above 5 % by more than chance."""
    low = row[f"false_{name}_low"]
    return isinstance(low, float) and low > FALSE_DISCOVERY_RATE


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_nulls_are_confirmed_in_at_most_five_percent_of_runs(shape: NullShape) -> None:
    row = measure_null(shape, RULES, RUNS, np.random.default_rng(1))
    assert not surely_too_many(row, "full")
    assert not surely_too_many(row, "thrift")


@pytest.mark.parametrize(("wrong", "shape"), [(peeking, SHAPES[0]), (chosen_on_heldout, SHAPES[1])])
def test_the_check_finds_rules_that_are_wrong(wrong: Rule, shape: NullShape) -> None:
    row = measure_null(shape, {"wrong": wrong}, RUNS, np.random.default_rng(1))
    assert surely_too_many(row, "wrong")


def test_the_papers_rule_accepts_nulls() -> None:
    """Their criterion is no test: at 1,000 train prompts it accepts a tenth to two fifths of what does not hold."""
    row = measure_null(NullShape(20, 0.5, Sizes(1000, 60)), {"full": full}, 20, np.random.default_rng(1))
    assert 0.25 < row["accepted"] < 0.45
    assert row["accepted_n"] == 400


@pytest.mark.parametrize(
    ("frequency", "accuracy", "heldout"), [(0.1, 0.5, 250), (0.6, 0.7, 60), (0.9, 0.95, 250), (0.3, 0.7, 1000)]
)
def test_intervals_cover(frequency: float, accuracy: float, heldout: int) -> None:
    for row in coverage_of(frequency, accuracy, heldout, 600, np.random.default_rng(1)):
        assert row["coverage_low"] < 0.97, row
        assert row["coverage_high"] > 0.93, row


def test_intervals_of_few_decisions_cover_more() -> None:
    net = coverage_of(0.02, 0.5, 60, 600, np.random.default_rng(1))[0]
    assert net["estimate"] == "net difference"
    assert net["coverage"] > 0.97


def test_thrift_confirms_nearly_as_much_for_far_fewer_questions() -> None:
    shape = MixShape(TYPICAL, 60, Sizes(1000, 500))
    runs = list(simulate(shape, 15, np.random.default_rng(1)))
    row = measure_mix(shape, runs)
    assert row["kept"] > 0.94
    assert row["number"] > 0.94
    assert row["saved"] > 0.4
    assert row["false_thrift"] <= FALSE_DISCOVERY_RATE
    tested = next(row for row in measure_planned_coverage(shape, runs) if row["of"] == "thrift, tested")
    assert tested["coverage_n"] > 150
    assert tested["coverage_high"] > 0.93
    assert tested["coverage_low"] < 0.97


def test_the_worlds_are_as_they_say() -> None:
    rng = np.random.default_rng(1)
    for correlation in (Correlation(), Correlation(0.5), Correlation(0.5, mirrored=True)):
        verdicts = draw(Truths(np.array([0.3, 0.3]), np.array([0.8, 0.8])), 40_000, correlation, rng)
        assert np.mean(verdicts == 1) == pytest.approx(0.24, abs=0.005)
        assert np.mean(verdicts == -1) == pytest.approx(0.06, abs=0.005)
        together = np.corrcoef(verdicts)[0, 1]
        assert (together > 0.2) == (correlation == Correlation(0.5))
        assert (together < -0.2) == correlation.mirrored


def test_bad_judges_are_bad() -> None:
    """Told that nothing fits, one answers a place, the same for all of a question, and one something at random."""
    rng = np.random.default_rng(1)
    truth = {split: draw(nulls(20, 0.0), 3000, Correlation(), rng) for split in ("train", "heldout")}
    told = SimulatedJudge("first place", truth, rng).ask("heldout", range(20), 0, 3000)
    assert np.mean(told != 0) == pytest.approx(0.7, abs=0.02)
    assert set(abs(np.corrcoef(told[:10])[0]).round(6)) == {1.0}
    assert abs(np.corrcoef(told[0], told[15])[0, 1]) < 0.1
    errs = SimulatedJudge("errs", truth, rng)
    assert np.mean(errs.ask("heldout", range(15), 0, 3000) != 0) == pytest.approx(0.1, abs=0.01)
    assert errs.questions == 2 * 3000


def test_the_interval_of_a_ratio_counts_runs() -> None:
    """Hypotheses of one run stand or fall together: ten of each are no more than one."""
    once = ratio([1, 0, 1, 1] * 10, [1] * 40)
    tenfold = ratio([10, 0, 10, 10] * 10, [10] * 40)
    assert (once.value, once.low, once.high) == (tenfold.value, tenfold.low, tenfold.high)
    assert once.n == 40
    assert ratio([0, 0], [0, 0]).value is None


def test_differences_of_one_domain_are_found_and_named() -> None:
    shape = next(power_shapes())
    row = power_row(shape, 4, np.random.default_rng(0))
    assert row["named_low"] > 0.5
    assert row["named_low"] > row["before_high"]


def test_without_the_test_for_more_inside_false_scopes_are_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everything holds everywhere alike, the sign test inside says nothing of a scope."""
    shape = ScopeShape("everywhere", Sizes(500, 250), 0.2, real=20)
    right = false_row(shape, 4, np.random.default_rng(1))
    monkeypatch.setattr(scopes, "p_differs", lambda inside, everywhere: 0.0)
    wrong = false_row(shape, 4, np.random.default_rng(1))
    assert right["scoped_runs"] == 0.0
    assert wrong["scoped_runs"] >= 0.5


def test_a_condition_decided_badly_gives_the_verdicts_of_one_that_holds() -> None:
    """What is true outside a condition, with 15% of the decisions wrong, looks like a smaller effect inside."""
    shape = ConditionalShape(1.0, 0.3, 0.5, Sizes(500, 250), WRONG, holds_outside=True)
    holds = Truths(np.full(shape.hypotheses, 0.5), np.full(shape.hypotheses, 0.5 + 0.4 * 0.105 / 0.36))
    worlds = (
        conditional_world(shape, nulls(shape.hypotheses, 0.5), 2_000, np.random.default_rng(0)),
        conditional_world(replace(shape, deciding=RIGHT, holds_outside=False), holds, 2_000, np.random.default_rng(1)),
    )
    for verdicts, inside in worlds:
        counted = verdicts[inside]
        assert np.abs(counted).mean() == pytest.approx(0.5, abs=0.01)
        assert (counted == 1).sum() / np.abs(counted).sum() == pytest.approx(0.617, abs=0.01)


def test_the_stored_benchmark_keeps_its_promises() -> None:
    """What ships was made with enough runs and is within the bounds."""
    results = dict(load_results(RESULTS))
    stored = {name: result for name, result in results.items() if result.kind == "statistics"}
    assert set(stored) == {
        f"statistics-{name}"
        for name in (
            *("nulls", "coverage", "coverage-planned", "thrift", "conditional", "described"),
            *("scopes", "scopes-power", "equivalence"),
        )
    }
    for row in stored["statistics-scopes"].rows:
        assert row["scoped_runs_n"] >= 500
        assert row["false_low"] <= FALSE_DISCOVERY_RATE, row
        assert row["scoped_runs_low"] <= FALSE_DISCOVERY_RATE, row
    everywhere, few, weak, alone = stored["statistics-scopes-power"].rows
    assert [row["power"] >= least for row, least in ((everywhere, 0.85), (few, 0.85), (weak, 0.45))] == [True] * 3
    assert alone["power"] > alone["before"] - 0.03
    assert all(row["wrong"] <= 0.05 for row in stored["statistics-scopes-power"].rows)
    for row in stored["statistics-nulls"].rows:
        assert row["false_full_n"] >= 2000
        assert not surely_too_many(row, "full"), row
        assert not surely_too_many(row, "thrift"), row
    *scoped, badly_described = stored["statistics-conditional"].rows
    for row in scoped:
        assert row["false_full_n"] >= 2000
        assert not surely_too_many(row, "full"), row
        assert not surely_too_many(row, "thrift"), row
    # the one kind in which something is true of the prompts that were counted in, under a condition that misses them
    assert (badly_described["outside"], badly_described["scopes"]) == ("holds", "15 % wrong")
    for row in stored["statistics-described"].rows:
        assert row["mix"] != "typical" or row["dropped_low"] <= 0.03, row
    nets = [row for row in stored["statistics-coverage"].rows if row["estimate"] == "net difference"]
    for row in nets:
        assert row["coverage_high"] > 0.93, row
        assert row["decided"] < 8 or row["coverage_low"] < 0.97, row
    planned = [row for row in stored["statistics-coverage-planned"].rows if row["of"] == "thrift, tested"]
    assert len(planned) == 6
    for row in planned:
        assert row["coverage_high"] > 0.93, row
        assert row["coverage_low"] < 0.97, row
    typical = stored["statistics-thrift"].rows[0]
    assert (typical["mix"], typical["train"], typical["heldout"]) == ("typical", 1000, 500)
    assert typical["kept"] > 0.95
    assert typical["saved"] > 0.4
    assert pytest.approx(1 - typical["saved"], abs=0.01) == STAGED_SHARE  # what the estimate of a run assumes
    assert all(row["false_thrift"] < FALSE_DISCOVERY_RATE for row in stored["statistics-thrift"].rows)
