"""Which steps a run has, where it is in them, and what time is said to remain."""

from dataclasses import replace

import pytest

from diffing.config import DiffConfig
from diffing.view.progress.progress_html import duration, span
from diffing.view.progress.steps import StepProgress, progress_of, seconds_left, steps_of
from diffing.view.runs import StageProgress

LEXICAL = DiffConfig("org/a", "org/b")
FULL = replace(LEXICAL, llm="providers:org/llm", reader="org/reader", suspect="advice")


def standing(shown: tuple[StepProgress, ...]) -> str:
    """`x` for each step that is done, `>` for the one under way, `.` for those to come."""
    return "".join({"done": "x", "now": ">", "later": "."}[each.status] for each in shown)


def test_the_steps_follow_from_the_settings() -> None:
    assert [step.stages[:1] for step in steps_of(LEXICAL)] == [
        ("access",), ("responses a",), ("responses b",), ("measure",), (),
    ]  # fmt: skip
    # every stage that the pipeline tells of, once
    assert [stage for step in steps_of(FULL) for stage in step.stages] == [
        *(
            "access",
            "prepare",
            "weights a",
            "weights b",
            "gpu a",
            "gpu b",
            "write prompts",
            "responses a",
            "responses b",
            "measure",
            "read",
            "score labels",
            "label",
        ),
        *("score new labels", "summarise a", "summarise b", "sift a", "sift b", "describe"),
        *(
            "propose",
            "join",
            "sharpen",
            "scope",
            "judge",
            "check judge",
            "second judge",
            "rate interestingness",
            "rate abstraction",
            "merge",
        ),
    ]
    pooled = steps_of(replace(LEXICAL, pool=100))
    assert [step.stages for step in pooled if step.side] == [
        ("pool a",), ("pool b",), ("responses a",), ("responses b",),
    ]  # fmt: skip
    assert "pool a" not in {
        stage for step in steps_of(replace(LEXICAL, pool=9, pool_by="tokens")) for stage in step.stages
    }


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ([], ">...."),
        ([StageProgress("access", 0, 0, None)], ">...."),
        ([StageProgress("responses a", 0, 60, None)], "x>..."),
        ([StageProgress("responses a", 60, 60, 0.0)], "x>..."),
        ([StageProgress("responses a", 60, 60, 0.0), StageProgress("responses b", 3, 60, 1.0)], "xx>.."),
        ([StageProgress("responses b", 60, 60, 0.0), StageProgress("measure", 0, 60, None)], "xxx>."),
        ([StageProgress("responses b", 60, 60, 0.0), StageProgress("measure", 60, 60, 0.0)], "xxxx>"),
    ],
)
def test_a_step_that_began_ends_all_before_it(stages: list[StageProgress], expected: str) -> None:
    assert standing(progress_of(steps_of(LEXICAL), stages)) == expected


def test_a_step_of_several_stages_shows_the_latest_and_tokens_come_with_answers() -> None:
    stages = [
        StageProgress("responses a", 7, 60, None), StageProgress("tokens a", 512, 0, None),
        StageProgress("responses b", 60, 60, 0.0), StageProgress("score labels", 9, 9, 0.0),
        StageProgress("label", 1, 4, 8.0),
    ]  # fmt: skip
    shown = progress_of(steps_of(FULL), stages)
    a, label = (next(each for each in shown if name in each.step.stages) for name in ("responses a", "label"))
    assert (a.done, a.total, a.tokens, a.percent, a.seconds_left) == (7, 60, 512, 11, None)
    assert (label.done, label.total, label.percent, label.seconds_left) == (1, 4, 25, 8.0)


def test_time_is_said_of_the_whole_only_where_it_can_be_known() -> None:
    a, b = StageProgress("responses a", 10, 60, 100.0), StageProgress("responses b", 30, 60, 45.0)
    # 2 seconds a prompt: 50 left of A, then 60 of B
    assert seconds_left(progress_of(steps_of(LEXICAL), [a])) == (220.0, 220.0, True)
    slower = replace(a, seconds_at_most=150.0)
    assert seconds_left(progress_of(steps_of(LEXICAL), [slower])) == (220.0, 150.0 + 180.0, True)
    assert seconds_left(progress_of(steps_of(LEXICAL), [a, b])) == (45.0, 45.0, False)
    assert seconds_left(progress_of(steps_of(FULL), [a, b])) is None
    assert seconds_left(progress_of(steps_of(LEXICAL), [replace(a, seconds_left=None)])) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.3, "a few seconds"), (42, "40 seconds"), (89, "90 seconds"), (95, "2 minutes"), (60 * 7.4, "7 minutes"),
     (3600 * 2.24, "2.2 hours"), (3600 * 30, "30 hours")],
)  # fmt: skip
def test_times_are_as_rough_as_they_are_known(seconds: float, said: str) -> None:
    assert duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [(3, 4, "a few seconds"), (3, 42, "up to 40 seconds"), (42, 44, "about 40 seconds"), (42, 61, "40 to 60 seconds"),
     (42, 150, "40 seconds to 2 minutes"), (95, 400, "2 to 7 minutes"), (3000, 9000, "50 minutes to 2.5 hours"),
     (7200, 9000, "2.0 to 2.5 hours"), (42, None, "about 40 seconds")],
)  # fmt: skip
def test_a_time_is_a_range_where_two_speeds_differ(least: float, most: float | None, said: str) -> None:
    assert span(least, most).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(
    ("stages", "doing", "side"),
    [
        ([], "Starting Python.", None),
        ([StageProgress("access", 0, 0, None)], "Checking that the models may be read.", None),
        ([StageProgress("prepare", 0, 0, None)], "Looking up the models and the prompts.", None),
        ([StageProgress("weights b", 0, 1, None)], "Loading <MODEL>.", "b"),
        ([StageProgress("responses a", 0, 60, None)], "Loading <MODEL>. The first answers follow.", "a"),
        ([StageProgress("responses a", 0, 60, None), StageProgress("tokens a", 8, 0, None)], "", None),
        ([StageProgress("responses b", 0, 60, None)], "", None),
    ],
)
def test_the_step_under_way_says_what_is_done_right_now(
    stages: list[StageProgress], doing: str, side: str | None
) -> None:
    now = next(each for each in progress_of(steps_of(LEXICAL), stages, ["a"]) if each.status == "now")
    assert (now.doing, now.doing_for) == (doing, side)
