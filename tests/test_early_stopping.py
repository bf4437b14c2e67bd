"""The plan is made of train alone, drops what has no hope, and has no more judged than it needs."""

import numpy as np
import pytest

from diffing import metrics
from diffing.early_stopping import CERTAIN_POWER, TrainCounts, checkpoints, plan, plan_all, power, rounds


def test_stages_grow_and_end_with_all() -> None:
    assert checkpoints(1000) == (50, 75, 100, 150, 200, 300, 400, 600, 800, 1000)
    assert checkpoints(300) == (50, 75, 100, 150, 200, 300)
    assert (checkpoints(50), checkpoints(51), checkpoints(3)) == ((50,), (50, 51), (3,))


@pytest.mark.parametrize(
    ("seen", "planned"),
    [
        (TrainCounts(100, 100, 400), 0),  # as many for as against
        (TrainCounts(20, 60, 100), 0),  # the other way round
        (TrainCounts(0, 0, 400), 0),  # never decided
        (TrainCounts(0, 0, 50), None),  # a rare difference may still come
        (TrainCounts(0, 0, 0), None),
        (TrainCounts(30, 20, 100), None),  # perhaps
        (TrainCounts(60, 5, 100), 200),  # clear: fewer will do
        (TrainCounts(30, 2, 50), 200),
        (TrainCounts(80, 50, 200), 500),  # likely: further train prompts would not help
    ],
)
def test_what_train_says_decides(seen: TrainCounts, planned: int | None) -> None:
    assert plan(seen, 500, 60) == planned


def test_few_heldout_prompts_leave_less_hope() -> None:
    assert plan(TrainCounts(10, 5, 100), 500, 60) is None
    assert plan(TrainCounts(10, 5, 100), 40, 60) == 0


def test_power_is_that_of_the_sign_test() -> None:
    """Against draws: how often is the p of so many decided verdicts small enough?"""
    rng = np.random.default_rng(0)
    reached = [metrics.sign_test(int(k), 40 - int(k)) <= 0.01 for k in rng.binomial(40, 0.7, 2000)]
    assert power(0.4, 0.7, 100, 0.01) == pytest.approx(np.mean(reached), abs=0.03)
    assert power(0.02, 1.0, 100, 0.05) == 0.0
    assert power(0.05, 1.0, 100, 0.05) == 1.0
    assert power(0.0, 0.5, 100, 0.05) == 0.0


def test_a_plan_with_fewer_prompts_confirms_what_train_promised() -> None:
    """Were a hypothesis as good as train showed it, the planned number confirms it even as the only one of 60."""
    seen = TrainCounts(60, 5, 100)
    planned = plan(seen, 500, 60)
    assert planned is not None
    assert power(65 / 100, 60 / 65, planned, 0.05 / 60) > CERTAIN_POWER


def test_everyone_is_looked_at_until_planned_and_tested_on_the_first_prompts() -> None:
    """Nested rounds: who needs more prompts shares the questions about the first ones."""
    looked: list[tuple[str, int, int]] = []
    clear, null, likely = (60, 5), (50, 50), (40, 25)

    def look(active: list[str], start: int, stop: int) -> dict[str, TrainCounts]:
        looked.extend((each, start, stop) for each in active)
        shares = {"clear": clear, "null": null, "likely": likely}
        return {each: TrainCounts(*(share * stop // 100 for share in shares[each]), stop) for each in active}

    plans = plan_all(["null", "clear", "likely"], 1000, 500, 60, look)
    assert plans == {"clear": 200, "null": 0, "likely": 500}
    assert [stop for each, _, stop in looked if each == "clear"] == [50]
    steps = [(start, stop) for each, start, stop in looked if each == "null"]
    assert steps == list(zip((0, *checkpoints(1000)), checkpoints(1000), strict=False))[: len(steps)]
    assert steps[-1][1] < 1000
    assert [(sorted(who), *at) for who, *at in rounds(plans)] == [
        (["clear", "likely"], 0, 200),
        (["likely"], 200, 500),
    ]


def test_what_stays_open_gets_all() -> None:
    plans = plan_all(
        ["open"], 60, 500, 60, lambda active, start, stop: {"open": TrainCounts(stop // 4, stop // 6, stop)}
    )
    assert plans == {"open": 500}
