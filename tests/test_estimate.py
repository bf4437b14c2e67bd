"""What a run takes, where strangers ask: nothing of theirs is read in the process that serves all."""

from dataclasses import replace

import pytest

from diffing.config import DiffConfig, Limits
from diffing.errors import ModelError
from diffing.estimate import DATASET_LENGTH, estimate
from diffing.models.local.weight_sizes import ModelSize
from diffing.view.progress.steps import steps_of

REMOTE = DiffConfig("providers:org/a", "providers:org/b", train=40, heldout=20)


@pytest.mark.parametrize(
    "changed",
    [{"prompts": "nobody/nothing"}, {"model_a": "recorded:nobody/nothing"}, {"prompts": "no-such-file.jsonl"}],
)
def test_a_dataset_is_assumed_and_not_opened(changed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    config = replace(REMOTE, **changed)  # type: ignore[arg-type]
    told = estimate(config, Limits(), reads=False)
    b = next(stage for stage in told.stages if stage.name == "responses b")
    assert (b.calls, b.prompt_tokens) == (60, 60 * DATASET_LENGTH // 4)
    assert "they are not read before the run" in told.assumptions[0]


def test_what_comes_with_the_package_is_read_all_the_same() -> None:
    assert estimate(REMOTE, Limits(), reads=False) == estimate(REMOTE, Limits())


def unknown(spec: str) -> ModelSize:
    raise ModelError(f"{spec} is not known")


def test_stages_are_those_of_progress_and_usage() -> None:
    config = replace(
        REMOTE,
        llm="providers:org/llm",
        reader="gpt2",
        features=600,
        second_judge="providers:org/second",
        suspect="advice",
    )
    told = [stage.name for stage in estimate(config, Limits(), size_of=unknown).stages]
    steps = [stage for step in steps_of(config) for stage in step.stages]
    untold = {"access", "prepare", "weights a", "weights b", "gpu a", "gpu b", "measure"}  # they ask no model
    assert set(told) == set(steps) - untold


@pytest.mark.parametrize(
    ("changed", "questions", "scopes", "checks"),
    [
        ({}, 20 * 5, 2, 25),  # nine hypotheses of 40 train prompts, in twos: the judge sees held-out prompts alone
        ({"judging": "full"}, 60 * 5, 6, 25),
        ({"train": 100}, 20 * 5, 2, 25),  # nine of the 15 look promising
        ({"train": 100, "judge_batch": 10}, 20, 2, 20),
        ({"clustering": "paper"}, 60 * 20, None, 25),
        ({"both_orders": True}, 2 * 20 * 5, 2, None),
        ({"judge_batch": 40, "check_judge": 50}, 20, 2, 20),  # no more than there are questions
    ],
)
def test_what_the_judge_is_asked_follows_from_the_settings(
    changed: dict[str, object], questions: int, scopes: int | None, checks: int | None
) -> None:
    config = replace(REMOTE, llm="providers:org/llm", method=("llm",), **({"judge_batch": 2} | changed))  # type: ignore[arg-type]
    calls = {stage.name: stage.calls for stage in estimate(config, Limits()).stages}
    assert (calls["judge"], calls.get("scope"), calls.get("check judge")) == (questions, scopes, checks)
