"""Metrics against independent implementations, exact enumeration and the papers' own numbers."""

import itertools
import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, multinomial
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from diffing import metrics
from diffing.estimates import Metrics
from diffing.metrics.unequal_chances import chance_of_presence, chances_of_more_per_word, unequal_sign_test
from diffing.types import Judgement, Side, Verdict
from tests.papers import paper_evaluation
from tests.work import assert_linear


def judged(a: int, b: int, neither: int, unreadable: int = 0) -> list[Judgement]:
    verdicts = [Verdict.A] * a + [Verdict.B] * b + [Verdict.NEITHER] * neither + [Verdict.UNREADABLE] * unreadable
    return [Judgement("h", f"p{i}", verdict, "measured") for i, verdict in enumerate(verdicts)]


# counting


@pytest.mark.parametrize("direction", ["a", "b"])
def test_counts_follow_the_direction_and_leave_unreadable_out(direction: Side) -> None:
    got = metrics.measure(judged(30, 10, 60, 7), direction)
    assert (got.n, got.unreadable, got.k_neither) == (100, 7, 60)
    assert (got.k_for, got.k_against) == ((30, 10) if direction == "a" else (10, 30))
    assert got.frequency.value == 0.4
    assert got.accuracy.value == (0.75 if direction == "a" else 0.25)
    assert got.net_difference.value == (0.2 if direction == "a" else -0.2)
    assert (got.frequency.n, got.accuracy.n, got.net_difference.n) == (100, 40, 100)


def test_undefined_is_none_never_zero() -> None:
    nothing = metrics.measure([], "a")
    assert nothing.n == 0
    assert nothing.frequency == nothing.accuracy == nothing.net_difference == metrics.UNDEFINED
    undecided = metrics.measure(judged(0, 0, 20), "a")
    assert (undecided.frequency.value, undecided.accuracy.value, undecided.p) == (0.0, None, 1.0)
    assert undecided.net_difference.low == -undecided.net_difference.high  # type: ignore[operator]


def test_counts_that_contradict_each_other_are_a_bug() -> None:
    with pytest.raises(ValueError, match="k_for \\+ k_against <= n"):
        metrics.metrics_of(3, 2, 2)


def test_the_time_of_counting_grows_with_the_judgements() -> None:
    many = judged(40_000, 30_000, 30_000)
    assert_linear(lambda size: metrics.measure(many[:size], "a"), 12_500)


# intervals


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_statsmodels(counts: tuple[int, int]) -> None:
    k, n = counts
    got = metrics.wilson(k, n)
    low, high = proportion_confint(k, n, method="wilson")
    assert got.low == pytest.approx(low, abs=1e-9)
    assert got.high == pytest.approx(high, abs=1e-9)
    assert got.low <= got.value <= got.high  # type: ignore[operator]


def test_net_interval_agrees_with_a_published_example() -> None:
    """Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33: 1 and 7 discordant pairs of 21."""
    got = metrics.net_interval(1, 7, 21)
    assert (round(got.low or 0, 3), round(got.high or 0, 3)) == (-0.517, -0.026)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))).flatmap(
    lambda kn: st.tuples(st.just(kn[0]), st.integers(0, kn[1] - kn[0]), st.just(kn[1]))))  # fmt: skip
def test_net_interval_holds_the_value_is_bounded_and_turns_with_the_direction(counts: tuple[int, int, int]) -> None:
    k_for, k_against, n = counts
    got, turned = metrics.net_interval(k_for, k_against, n), metrics.net_interval(k_against, k_for, n)
    assert got.value == (k_for - k_against) / n
    assert -1 <= got.low <= got.value <= got.high <= 1  # type: ignore[operator]
    assert got.low < got.high  # type: ignore[operator]
    assert got.low == pytest.approx(-turned.high, abs=1e-9)  # type: ignore[operator]


def coverage(n: int, p_for: float, p_against: float, interval: Callable[[int, int, int], bool]) -> float:
    """Exact probability that the interval holds the truth, summed over all outcomes but one in a million."""

    def likely(p: float) -> range:
        return range(int(binom.ppf(1e-7, n, p)) if p else 0, int(binom.ppf(1 - 1e-7, n, p)) + 1)

    outcomes = [(b, c, n - b - c) for b in likely(p_for) for c in likely(p_against) if b + c <= n]
    weights = multinomial.pmf(outcomes, n, [p_for, p_against, 1 - p_for - p_against])
    return float(sum(w for (b, c, _), w in zip(outcomes, weights, strict=True) if w > 1e-9 and interval(b, c, n)))


def test_net_interval_covers_the_truth_in_93_to_97_of_100_runs() -> None:
    """Simulated; where fewer than 8 decisions are expected it may cover more, not less."""
    rng = np.random.default_rng(0)
    known: dict[tuple[int, int, int], tuple[float, float]] = {}

    def holds(b: int, c: int, n: int, truth: float) -> bool:
        if (b, c, n) not in known:
            got = metrics.net_interval(b, c, n)
            known[b, c, n] = (got.low or 0.0, got.high or 0.0)
        low, high = known[b, c, n]
        return low <= truth <= high

    for n, frequency, share in itertools.product((60, 250, 1000), (0.02, 0.1, 0.5, 0.9), (0.5, 0.8, 1.0)):
        p_for, p_against = frequency * share, frequency * (1 - share)
        draws = rng.multinomial(n, [p_for, p_against, 1 - p_for - p_against], size=1000)
        covered = sum(holds(int(b), int(c), n, p_for - p_against) for b, c, _ in draws) / len(draws)
        noise = 3 * math.sqrt(0.95 * 0.05 / len(draws))
        assert covered > 0.93 - noise, (n, frequency, share, covered)
        if n * frequency >= 8:
            assert covered < 0.97 + noise, (n, frequency, share, covered)


@pytest.mark.parametrize(("n", "frequency", "share"), [(60, 0.2, 0.6), (60, 0.05, 1.0), (100, 0.1, 0.9)])
def test_exact_coverage_is_at_least_93_percent(n: int, frequency: float, share: float) -> None:
    p_for, p_against = frequency * share, frequency * (1 - share)

    def holds(b: int, c: int, total: int) -> bool:
        got = metrics.net_interval(b, c, total)
        return (got.low or 0.0) <= p_for - p_against <= (got.high or 0.0)

    got = coverage(n, p_for, p_against, holds)
    assert 0.93 <= got
    assert n * frequency < 8 or got <= 0.97


# tests


def test_sign_test_is_the_binomial_tail() -> None:
    assert metrics.sign_test(8, 2) == pytest.approx(sum(math.comb(10, k) for k in range(8, 11)) / 2**10)
    assert metrics.sign_test(2, 8) > 0.98
    assert metrics.sign_test(0, 0) == 1.0


@given(st.lists(st.floats(0, 1), max_size=40))
def test_benjamini_hochberg_agrees_with_statsmodels(ps: list[float]) -> None:
    expected = multipletests(ps, method="fdr_bh")[1] if ps else []
    assert metrics.benjamini_hochberg(ps) == pytest.approx(list(expected))


def test_confirm_adds_q_over_the_run_and_confirmed_reads_it() -> None:
    counts = {"strong": (40, 5), "none": (0, 0), "weak": (12, 8)}
    heldout = {name: metrics.metrics_of(100, k_for, k_against) for name, (k_for, k_against) in counts.items()}
    got = metrics.confirm(heldout)
    assert list(got) == list(heldout)
    assert got["strong"].q == pytest.approx(3 * (heldout["strong"].p or 1))
    assert [metrics.confirmed(one) for one in got.values()] == [True, False, False]
    assert not metrics.confirmed(heldout["strong"])  # without q nothing is confirmed
    assert metrics.confirm({}) == {}


def test_false_confirmations_stay_below_five_percent_when_nothing_differs() -> None:
    rng = np.random.default_rng(1)
    runs = 300
    wrong = 0
    for _ in range(runs):
        ks = rng.multinomial(200, [0.15, 0.15, 0.7], size=12)
        wrong += min(metrics.benjamini_hochberg([metrics.sign_test(int(a), int(b)) for a, b, _ in ks])) <= 0.05
    assert wrong / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("k_for", "k_against", "n", "expected"), [
    (1, 0, 100, False), (2, 0, 100, True), (0, 2, 100, False), (5, 5, 100, False), (0, 0, 0, False), (1, 0, 33, True),
])  # fmt: skip
def test_accepted_needs_more_than_the_margin(k_for: int, k_against: int, n: int, expected: bool) -> None:
    assert metrics.accepted(metrics.metrics_of(n, k_for, k_against)) is expected


# paper mode


def judged_like(row: dict[str, float], direction: Side) -> Metrics:
    """Our metrics from the shares in a file of judging results."""
    total = int(row["total"])
    a, b, neither, unreadable = (
        round(total * share)
        for share in (row["pct_model_a"], row["pct_model_b"], row["pct_na"], row["pct_err"] + row["pct_missing"])
    )
    assert a + b + neither + unreadable == total
    return metrics.measure(judged(a, b, neither, unreadable), direction)


def test_paper_mode_and_ours_equal_the_reference_for_every_hypothesis(shared_data: Path) -> None:
    folder = shared_data / "differential"
    reference = json.loads((folder / "reference_output_alpha0.01.json").read_text())
    seen = 0
    for experiment in reference.values():
        train, heldout = (
            json.loads((folder / experiment[key]).read_text())["judging_results"] for key in ("train_file", "test_file")
        )
        for expected in experiment["hypotheses"]:
            number = expected["hypothesis_id"]
            direction: Side = "a" if expected["predicted_direction"] == "A" else "b"
            ours_train, ours_heldout = judged_like(train[number], direction), judged_like(heldout[number], direction)
            paper = paper_evaluation(ours_train, ours_heldout, direction, alpha=experiment["alpha"])
            side = {"a": "A", "b": "B", None: "NA"}
            assert paper.accepted == expected["accepted"]
            assert side[paper.train_side] == expected["train_judge_direction"]
            assert side[paper.heldout_side] == expected["test_judge_direction"]
            for name in ("accuracy", "frequency"):
                for split, ours in (("train", ours_train), ("heldout", ours_heldout)):
                    wanted = expected[f"{'train' if split == 'train' else 'test'}_{name}"]
                    assert getattr(paper, f"{split}_{name}") == pytest.approx(wanted, abs=1e-12)
                    # no errors in these files: our default is the same, but for undefined in the place of 0
                    assert (getattr(ours, name).value or 0.0) == pytest.approx(wanted, abs=1e-12)
            assert metrics.accepted(ours_train, alpha=experiment["alpha"]) == expected["accepted"]
            seen += 1
        assert sum(h["accepted"] for h in experiment["hypotheses"]) == experiment["num_accepted"]
    assert seen == 36


def test_paper_mode_counts_unreadable_as_applies() -> None:
    """1 - pct_na with pct_err = 0.2: the reference says 0.6 where readable verdicts say 0.5."""
    split = metrics.measure(judged(30, 10, 40, 20), "a")
    got = paper_evaluation(split, split, "a")
    assert got.train_frequency == pytest.approx(0.6)
    assert got.train_accuracy == pytest.approx(0.75)
    assert split.frequency.value == 0.5
    nothing = paper_evaluation(metrics.measure([], "a"), metrics.measure([], "a"), "a")
    assert (nothing.accepted, nothing.train_side, nothing.train_accuracy, nothing.train_frequency) == (
        False,
        None,
        0.0,
        0.0,
    )


def test_the_margin_falls_where_the_reference_lets_it_fall() -> None:
    """The reference compares shares in floating point; at a margin of exactly alpha only the same expression agrees."""
    draw = random.Random(0)
    for _ in range(300):
        n = draw.choice((100, 150, 200, 300, 1000))
        a = draw.randint(0, n // 2)
        b = max(0, a - draw.randint(0, 12))
        assert metrics.accepted(metrics.metrics_of(n, a, b)) == (a / n > b / n + 0.01)


def test_counts_per_word_are_tested_with_the_chances_that_lengths_bring() -> None:
    """The second response is a quarter as long: one sign is the first's with 80%, and all of three with 64 in 65."""
    words = np.array([(40, 10), (10, 40), (10, 10), (40, 10), (40, 10)])
    # of two signs, both are the first's (16/25); one each is a tie in all; both are the second's (1/25)
    # of three signs, three (64/125) are more per word than 2.4, two (48/125) and fewer (13/125) are not
    chances = chances_of_more_per_word(np.array([1, 1, 2, 2, 3]), words)
    assert chances == [0.8, 0.2, 0.5, round(16 / 17, 3), 0.512]
    assert chance_of_presence(7, (10, 10)) == 0.5
    assert chance_of_presence(3, (40, 10)) == round(64 / 65, 3)
    assert unequal_sign_test([0.5] * 5, 4) == pytest.approx(6 / 32)
    assert unequal_sign_test([0.8, 0.5], 2) == pytest.approx(0.4)
    assert unequal_sign_test([0.8, 0.5], 1) == pytest.approx(0.9)
    assert unequal_sign_test([], 0) == 1


def test_a_side_must_lead_in_all_and_by_more_than_lengths_explain() -> None:
    def p(direction: Side, *counted: tuple[Verdict, Side, float]) -> float | None:
        rows = [
            Judgement("h", str(i), verdict, "measured", per_word=side, chance_a=chance)
            for i, (verdict, side, chance) in enumerate(counted)
        ]
        return metrics.measure(rows, direction).p

    ten = [(Verdict.A, "a", 0.9)] * 10
    assert p("a", *ten) == pytest.approx(0.9**10)
    assert p("b", *ten) == 1
    # B is ahead in all on another ten pairs, although not per word
    behind = [(Verdict.NEITHER, "a", 0.5)] * 10
    assert p("a", *ten, *behind) == metrics.sign_test(10, 10)
    assert metrics.measure([Judgement("h", "1", Verdict.A, "measured")], "a").p == 0.5
