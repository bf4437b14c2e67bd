"""Thresholds of activity: they find what differs in strength, and nothing if nothing differs."""

import numpy as np
from scipy.stats import false_discovery_control

from diffing.methods.features.feature_screening import ScreenOptions, count_latents, mcnemar, screen
from diffing.methods.features.sparse_latents import Latents
from diffing.methods.features.thresholds import QUANTILES, TRIED, above, choose_thresholds

Pairs = list[tuple[Latents, Latents]]


def latents(row: np.ndarray) -> Latents:
    indices = np.flatnonzero(row > 0).astype(np.int32)
    return Latents(indices, row[indices].astype(np.float32), 5)


def paired(a: np.ndarray, b: np.ndarray) -> Pairs:
    return [(latents(x), latents(y)) for x, y in zip(a, b, strict=True)]


def exceeding(pairs: Pairs, thresholds: np.ndarray) -> Pairs:
    return [(above(a, thresholds), above(b, thresholds)) for a, b in pairs]


def test_the_threshold_is_the_best_of_those_tried_one_latent_at_a_time() -> None:
    random = np.random.default_rng(3)
    a, b = (np.where(random.random((40, 6)) < 0.6, random.random((40, 6)), 0).astype(np.float32) for _ in range(2))
    a[:, 4] = b[:, 4] = 0
    chosen = choose_thresholds(paired(a, b), 6)
    for j in range(6):
        observed = np.concatenate([a[:, j], b[:, j]])
        observed = observed[observed > 0]
        quantiles = [float(np.quantile(observed, q, method="lower")) for q in QUANTILES] if len(observed) else []
        expected, best = 0.0, -1.0
        for candidate in [0.0, *quantiles]:
            only_a, only_b = (int(((x[:, j] > candidate) & (y[:, j] <= candidate)).sum()) for x, y in ((a, b), (b, a)))
            z = abs(only_a - only_b) / max(only_a + only_b, 1) ** 0.5
            if z > best:
                expected, best = candidate, z
        assert chosen[j] == expected, j
    assert TRIED == 7
    assert choose_thresholds([], 3).tolist() == [0.0] * 3


def test_a_latent_that_is_stronger_in_one_model_is_found_only_above_its_threshold() -> None:
    random = np.random.default_rng(0)
    a, b = (np.where(random.random((200, 50)) < 0.9, random.random((200, 50)), 0) for _ in range(2))
    a[::3, 7] = 5.0 + random.random(len(a[::3]))  # both fire nearly always, A alone so strongly
    pairs = paired(a, b)
    at_theta = screen(count_latents(pairs, 50), ScreenOptions())
    assert 7 not in [one.index for one in at_theta]
    thresholds = choose_thresholds(pairs, 50)
    found = screen(count_latents(exceeding(pairs, thresholds), 50), ScreenOptions(), TRIED)
    assert [(one.index, one.direction) for one in found] == [(7, "a")]
    assert found[0].rate_a > 0.15
    assert found[0].rate_b < 0.05


def test_the_price_of_trying_several_is_paid_on_train() -> None:
    counted = count_latents(paired(*(np.eye(12)[:, :1] * x for x in (np.ones(1), np.zeros(1)))), 1)
    assert [screen(counted, ScreenOptions(false_discovery_rate=1, margin=0.0), n)[0].p for n in (1, 7)] == [1, 1]
    a = np.zeros((40, 1))
    a[:10] = 1
    counted = count_latents(paired(a, np.zeros((40, 1))), 1)
    once, tried = (screen(counted, ScreenOptions(), n)[0].p for n in (1, TRIED))
    assert tried == TRIED * once


def test_under_a_null_the_screen_and_held_out_pairs_let_little_through() -> None:
    """25 runs with both sides from one distribution: what the screen passes is seldom confirmed on held-out pairs."""
    passed = confirmed = runs = 0
    random = np.random.default_rng(5)
    for _ in range(25):
        rates = random.random(80) * 0.7
        strengths = random.gamma(2.0, size=80)
        train, heldout = (
            paired(*(np.where(random.random((n, 80)) < rates, random.random((n, 80)) * strengths, 0) for _ in range(2)))
            for n in (120, 80)
        )
        thresholds = choose_thresholds(train, 80)
        found = screen(count_latents(exceeding(train, thresholds), 80), ScreenOptions(), TRIED)
        lenient = screen(count_latents(exceeding(train, thresholds), 80), ScreenOptions(mode="paper"))
        runs += bool(found)
        # the worst case: all that differ by the margin are tested, as if there were no paired test
        counted = count_latents(exceeding(heldout, thresholds), 80)
        indices = [one.index for one in lenient]
        q = false_discovery_control(mcnemar(counted.only_a[indices], counted.only_b[indices]), method="bh")
        passed, confirmed = passed + len(indices), confirmed + int((q <= 0.05).sum())
    assert passed > 400
    assert confirmed <= 0.05 * passed
    assert runs <= 3
