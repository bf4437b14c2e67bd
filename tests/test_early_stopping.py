"""The plan is made of train alone, drops what has no hope, and has no more judged than it needs."""

from collections.abc import Sequence

import numpy as np
import pytest

from diffing import metrics
from diffing.early_stopping import CERTAIN_POWER, RunSize, TrainCounts, checkpoints, plan, plan_all, power, rounds


def test_stages_grow_and_end_with_all() -> None:
    assert checkpoints(1000) == (50, 75, 100, 150, 200, 300, 400, 600, 800, 1000)
    assert checkpoints(300) == (50, 75, 100, 150, 200, 300)
    assert (checkpoints(50), checkpoints(51), checkpoints(3)) == ((50,), (50, 51), (3,))


@pytest.mark.parametrize(
    ("seen", "planned"),
    [
        (TrainCounts(200, 200, 800), 0),  # as many for as against
        (TrainCounts(20, 60, 100), 0),  # the other way round
        (TrainCounts(0, 0, 600), 0),  # never decided
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


def test_a_rare_difference_without_exception_is_not_given_up() -> None:
    """4 for and 0 against of 50: if it is as frequent as that allows, 40 held-out prompts show it 8 times."""
    assert plan(TrainCounts(4, 0, 50), 40, 10) is None
    assert plan(TrainCounts(4, 4, 50), 40, 10) == 0


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

    plans = plan_all(["null", "clear", "likely"], RunSize(1000, 500, 60, batch=1), look)
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
        ["open"],
        RunSize(60, 500, 60, batch=1),
        lambda active, start, stop: {"open": TrainCounts(stop // 4, stop // 6, stop)},
    )
    assert plans == {"open": 500}


SHARES = {"clear": (60, 5), "null": (50, 50), "worse": (45, 55), "worst": (10, 60), "likely": (40, 25)}


def planned(names: list[str], batch: int) -> tuple[dict[str, int], dict[str, int]]:
    """The plans of a run of 1,000 train and 500 held-out prompts, and on how many train prompts each was judged."""
    judged: dict[str, int] = {}

    def look(active: Sequence[str], start: int, stop: int) -> dict[str, TrainCounts]:
        assert all(judged.get(each, 0) == start for each in active)
        judged.update(dict.fromkeys(active, stop))
        return {each: TrainCounts(*(share * stop // 100 for share in SHARES[each]), stop) for each in active}

    return plan_all(names, RunSize(1000, 500, 60, batch), look), judged


def test_who_costs_no_further_question_is_kept() -> None:
    """A question that is asked about `likely` has room for another: for `null`, which promises more than `worse`."""
    assert planned(["worst", "null", "worse", "likely"], 1)[0] == {"worst": 0, "null": 0, "worse": 0, "likely": 500}
    plans, judged = planned(["worst", "null", "worse", "likely"], 2)
    assert plans == {"worst": 0, "null": 500, "worse": 0, "likely": 500}
    assert planned(["worst", "worse"], 2)[0] == {"worst": 0, "worse": 0}
    # judging on train ends with the last undecided one, and the least promising ends first
    assert judged["worst"] <= judged["worse"] <= judged["null"] < 1000


def test_what_fills_up_questions_asks_no_further_ones() -> None:
    """Two questions about the first 200 prompts, one about the rest: the second has room for two, the rest for one."""
    names = ["clear", "likely", "likely too", "null", "worse", "worst"]
    shares = SHARES | {"likely too": SHARES["likely"]}

    def look(active: Sequence[str], start: int, stop: int) -> dict[str, TrainCounts]:
        return {each: TrainCounts(*(share * stop // 100 for share in shares[each]), stop) for each in active}

    for batch in (1, 2, 3, 4, 6):
        plans = plan_all(names, RunSize(1000, 500, 60, batch), look)
        alone = plan_all(names, RunSize(1000, 500, 60, 1), look)
        assert all(plans[each] >= alone[each] for each in names)
        for stop in (200, 500):
            asked, needed = (sum(number >= stop for number in each.values()) for each in (plans, alone))
            assert -(-asked // batch) == -(-needed // batch)
            assert asked == min(len(names), needed + -needed % batch)
    assert alone == {"clear": 200, "likely": 500, "likely too": 500, "null": 0, "worse": 0, "worst": 0}


def test_what_may_be_chance_starts_no_question_and_takes_the_room_that_futile_ones_leave() -> None:
    known = {
        "clear": TrainCounts(600, 50, 1000),
        "futile": TrainCounts(2, 0, 1000),
        "chance": TrainCounts(200, 200, 1000),
        "against": TrainCounts(30, 400, 1000),
    }

    def plans(batch: int, *names: str) -> dict[str, int]:
        told = {name: known[name] for name in names}
        return plan_all(names, RunSize(1000, 500, 60, batch), _never, told)

    assert plans(10, "futile", "chance", "against") == {"futile": 0, "chance": 0, "against": 0}
    assert plans(1, *known) == {"clear": 500, "futile": 0, "chance": 0, "against": 0}
    assert plans(2, *known) == {"clear": 500, "futile": 500, "chance": 0, "against": 0}
    assert plans(3, *known) == {"clear": 500, "futile": 500, "chance": 500, "against": 0}
    assert set(plans(10, *known).values()) == {500}


def _never(active: Sequence[str], start: int, stop: int) -> dict[str, TrainCounts]:
    raise AssertionError("train verdicts that are known are not judged again")


def test_verdicts_of_a_method_are_not_judged_again_and_promise_no_shorter_test() -> None:
    """Descriptions name fewer pairs than a judge does: only a hypothesis without hope is dropped for them."""
    known = {"clear": TrainCounts(60, 5, 100), "rare": TrainCounts(3, 0, 100), "against": TrainCounts(3, 40, 100)}
    looked: list[str] = []

    def look(active: Sequence[str], start: int, stop: int) -> dict[str, TrainCounts]:
        looked.extend(active)
        return {each: TrainCounts(60 * stop // 100, 5 * stop // 100, stop) for each in active}

    plans = plan_all(["against", "clear", "judged", "rare"], RunSize(100, 500, 60, batch=1), look, known)
    assert plans == {"against": 0, "clear": 500, "judged": 200, "rare": 500}
    assert looked == ["judged"]
