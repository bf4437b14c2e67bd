"""What a run takes, where strangers ask: nothing of theirs is read in the process that serves all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from diffing.config import DiffConfig, Limits
from diffing.costs import StageEstimate
from diffing.errors import ModelError
from diffing.estimate import DATASET_LENGTH, estimate
from diffing.models.cache import Store
from diffing.models.local.weight_sizes import ModelSize
from diffing.run import run
from diffing.types import Usage
from diffing.view.progress.steps import steps_of
from tests.benchmarks.varied_words.worlds import planted
from tests.recordings import write_pairs
from tests.servers.openai_server import OpenAIServer
from tests.servers.tokens import counting
from tests.servers.varied import VariedLLM

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


def test_amplified_answers_are_estimated_and_described_as_well() -> None:
    config = DiffConfig("org/a", "org/b", train=40, heldout=20, llm="providers:org/llm", usd_per_million="1,2")
    plain, louder = (
        {stage.name: stage for stage in estimate(each, Limits(), size_of=unknown).stages}
        for each in (config, replace(config, amplify=0.5))
    )
    assert louder.keys() - plain.keys() == {"amplified responses a", "amplified responses b"}
    assert louder["amplified responses a"].calls == 40
    assert louder["describe"].calls == 2 * plain["describe"].calls
    assert (louder["describe"].usd or 0) == pytest.approx(2 * (plain["describe"].usd or 0))
    assert louder["judge"].calls > plain["judge"].calls


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
        ({}, 20 * 5, 2, 12),  # nine hypotheses of 40 train prompts, in twos: the judge sees held-out prompts alone
        ({"judging": "full"}, 60 * 5, 6, 12),
        ({"train": 100}, 20 * 5, 2, 12),  # nine of the 15 look promising
        ({"train": 100, "judge_batch": 10}, 28, 2, 12),  # one question, sometimes two
        ({"clustering": "paper"}, 60 * 20, None, 12),
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


@pytest.mark.parametrize(
    ("material", "changed"),
    [("recorded", {}), ("recorded", {"clustering": "average"}), ("planted", {})],
    ids=["real responses", "by clusters", "short responses"],
)
def test_a_run_takes_about_what_was_estimated(
    material: str, changed: dict[str, object], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Within 30 % over all stages that ask the LLM, although the number of hypotheses is only assumed."""
    if material == "recorded":
        folder = request.getfixturevalue("shared_data") / "responses"
        a, b = (f"recorded:{folder}/pythia12b-{name}.sample0.jsonl" for name in ("sft-2.5k", "rlhf-2k"))
    else:
        a, b = write_pairs(tmp_path, planted(100).pairs())
    with OpenAIServer(counting(VariedLLM())) as server:
        config = DiffConfig(a, b, llm=f"openai:llm@{server.base_url}", method=("llm",), embedder="tfidf",
                            train=60, heldout=40, **changed)  # type: ignore[arg-type]  # fmt: skip
        told = [stage for stage in estimate(config, Limits()).stages if stage.model == config.llm]
        assert server.count == 0
        report = run(config, store=Store(tmp_path / "cache.sqlite"))
    used = [usage for usage in report.usage if not usage.stage.startswith("responses")]
    assert sum(usage.calls for usage in used) == server.count
    for one, other in ((calls_of(told), calls_of(used)), (tokens_of(told), tokens_of(used))):
        assert one == pytest.approx(other, rel=0.3)


def calls_of(stages: Sequence[StageEstimate | Usage]) -> int:
    return sum(stage.calls for stage in stages)


def tokens_of(stages: Sequence[StageEstimate | Usage]) -> int:
    return sum(stage.prompt_tokens + stage.completion_tokens for stage in stages)


def test_recorded_responses_of_strangers_are_not_read(tmp_path: Path) -> None:
    """Their lengths are assumed, so that longer files give the same estimate."""
    told = []
    for copies in (1, 20):
        pairs = [replace(pair, a=replace(pair.a, text=pair.a.text * copies)) for pair in planted(60).pairs()]
        a, b = write_pairs(tmp_path, pairs)
        config = DiffConfig(a, b, llm="providers:org/llm", method=("llm",), train=40, heldout=20)
        told.append([estimate(config, Limits(), reads=reads).total.prompt_tokens for reads in (False, True)])
    (unread, short), (again, long) = told
    assert unread == again
    assert long > short + 60 * (len(pairs[0].a.text) / 20)
