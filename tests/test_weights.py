"""Hypotheses from descriptions weigh in their joint test what train promises, and the error rate stays."""

import numpy as np
import pytest

from diffing import metrics
from diffing.evaluation import findings_of
from diffing.metrics.weights import (
    EQUAL_SHARE,
    SHARE_OF_CHANCE,
    may_be_chance,
    weighted_benjamini_hochberg,
    weights,
)
from diffing.scopes import find_scoped
from diffing.types import DESCRIBED, Finding, Hypothesis, Judgement, Message, Pair, Prompt, Response, Split, Verdict

RATE = metrics.FALSE_DISCOVERY_RATE


def test_equal_weights_give_the_q_values_of_benjamini_and_hochberg() -> None:
    rng = np.random.default_rng(0)
    for count in range(1, 30):
        ps = [float(p) for p in rng.random(count).round(2) ** 3]
        assert weighted_benjamini_hochberg(ps, [1.0] * count) == pytest.approx(metrics.benjamini_hochberg(ps))


def test_p_values_are_divided_by_weights_and_no_q_is_below_its_own_p() -> None:
    assert weighted_benjamini_hochberg([0.02, 0.04], [2.0, 0.0]) == [0.02, 1.0]
    assert weighted_benjamini_hochberg([0.01, 0.04, 0.5], [0.5, 2.0, 0.5]) == pytest.approx([0.04, 0.04, 1.0])
    # 0.06 * 2 / 1.5 / 2 would be 0.04
    assert weighted_benjamini_hochberg([0.001, 0.06], [0.5, 1.5]) == pytest.approx([0.004, 0.06])


def test_weights_follow_what_train_promises() -> None:
    promising, misleading, balanced = (21, 7), (13, 9), (15, 14)
    found = weights([promising, misleading, balanced], [20, 17, 25], RATE)
    assert sum(found) == pytest.approx(3)
    assert found[0] > 1 > found[1] > found[2] > 0
    assert weights([(9, 1), (9, 1)], [12, 12], RATE) == pytest.approx([1, 1])


def test_train_verdicts_that_may_be_chance_take_little_from_the_others() -> None:
    """Even 2 against 1, and 4 against 3, are as likely as not if nothing differs."""
    assert all(may_be_chance(*each) for each in ((2, 1), (4, 3), (0, 0)))
    assert not any(may_be_chance(*each) for each in ((2, 0), (21, 7)))
    found = weights([(12, 5), (12, 5), (9, 9)], [20, 20, 20], RATE)
    alike = EQUAL_SHARE * 3 / (2 + SHARE_OF_CHANCE)
    assert found[0] == found[1] > 1
    # what has no lead promises nothing, and so has this part alone
    assert found[2] == pytest.approx(alike * SHARE_OF_CHANCE, rel=0.01)


def test_what_no_verdict_could_confirm_weighs_nothing() -> None:
    found = weights([(12, 0), (12, 0), (3, 0)], [20, 4, 0], RATE)  # 4 for and 0 against: p = 0.0625
    assert found == pytest.approx([3, 0, 0])
    assert weights([(12, 0)], [4], RATE) == [1.0]


def test_false_confirmations_stay_below_five_percent_if_nothing_differs() -> None:
    """Half of the hypotheses say the opposite of the other half, and all are decided alike on a prompt."""
    rng = np.random.default_rng(3)
    runs, wrong = 400, 0
    for _ in range(runs):
        common, own = rng.standard_normal((100, 1)), rng.standard_normal((100, 10))
        latent = (0.7 * common + 0.7 * own) * np.tile([1, -1], 5)
        verdicts = np.where(latent > 0.9, 1, np.where(latent < -0.9, -1, 0))
        train, heldout = ([((v == 1).sum(), (v == -1).sum()) for v in part.T] for part in np.split(verdicts, [60]))
        by_train = weights(train, [int(k_for + k_against) for k_for, k_against in heldout], RATE)
        ps = [metrics.sign_test(int(k_for), int(k_against)) for k_for, k_against in heldout]
        wrong += min(weighted_benjamini_hochberg(ps, by_train)) <= RATE
    assert 0 < wrong / runs <= 0.05


def _verdicts(name: str, split: str, counts: tuple[int, int], judge: str) -> list[Judgement]:
    sides = [Verdict.A] * counts[0] + [Verdict.B] * counts[1] + [Verdict.NOT_SHOWN] * (40 - sum(counts))
    return [Judgement(name, f"{split}{i}", side, judge) for i, side in enumerate(sides)]


def _findings(judge: str) -> dict[str, Finding]:
    splits: tuple[Split, ...] = ("train", "heldout")
    prompts = [Prompt(f"{split}{i}", (Message("user", "?"),), "x", split) for split in splits for i in range(40)]
    pairs = [Pair(each, Response(each.id, "a", "1", "stop"), Response(each.id, "b", "2", "stop")) for each in prompts]
    counts = {"promised": ((20, 4), (14, 5)), "rare": ((3, 0), (3, 0)), "weak": ((8, 7), (6, 6))}
    judgements = [
        verdict
        for name, (train, heldout) in counts.items()
        for verdict in (*_verdicts(name, "train", train, judge), *_verdicts(name, "heldout", heldout, "judge"))
    ]
    hypotheses = [Hypothesis(name, f"<MODEL> is {name}.", "a", "llm", "style") for name in counts]
    found = findings_of(hypotheses, judgements, pairs, {}, metrics.ALPHA, find_scoped([], [], [], pairs))
    return {finding.hypothesis.id: finding for finding in found}


def test_only_hypotheses_whose_train_verdicts_are_described_are_weighed() -> None:
    p = metrics.sign_test(14, 5)
    judged = _findings("some-judge")
    assert judged["promised"].heldout.q == pytest.approx(3 * p)
    assert not judged["promised"].confirmed
    described = _findings(DESCRIBED)
    assert described["promised"].heldout.q == pytest.approx(p, rel=0.2)
    assert described["promised"].confirmed
    assert described["rare"].heldout.q == 1.0
