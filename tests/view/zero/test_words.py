"""What is said of the machine, of refusals and of time."""

import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from spaces.zero.gradio import error as error_of_spaces

from diffing.config import DiffConfig, Limits
from diffing.errors import LimitError, ModelError
from diffing.estimate import estimate
from diffing.models.base import Sampling
from diffing.models.local import ModelSize
from diffing.view.zero import check_room, gpu_seconds, machine_in_words, obstacle, zero_gpu
from diffing.view.zero.gpu_refusals import NotLentError, one_line
from diffing.view.zero.loan_planner import LOAN, LONGEST, LoanPlanner

ROOT = Path(__file__).parents[3]
EIGHT_BILLION = ModelSize({"BF16": 8_000_000_000}, 16_000_000_000, 0, ("model.safetensors",))
CONFIG = DiffConfig("org/a", "org/b", train=1000, heldout=500)


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (
            error_of_spaces(
                "ZeroGPU quota exceeded",
                "You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 1 day, 3:12:00. ",
            ),
            r"^Your ZeroGPU quota is used up\. Answers so far are saved: come back in 27 hours and 12 minutes",
        ),
        (error_of_spaces("ZeroGPU quota exceeded", "You have exceeded your ZeroGPU runs limit. "), "come back later"),
        (error_of_spaces("ZeroGPU pending credits exceeded", "You have too many"), "Your other tasks are using"),
        (error_of_spaces("ZeroGPU illegal duration", "The requested GPU duration (90s) is larger"), "fewer tokens"),
        (
            error_of_spaces("ZeroGPU queue timeout", 'No GPU was available. <a href="https://x">Retry</a>', html=True),
            "No GPU was free within a minute",
        ),
        (error_of_spaces("ZeroGPU worker error", "GPU task aborted"), r"was interrupted \(GPU task aborted\)"),
        (
            error_of_spaces("ZeroGPU client error", "Expired ZeroGPU\nproxy <b>token</b>"),
            r"\(Expired ZeroGPU proxy token\)",
        ),
        (RuntimeError("ZeroGPU API /schedule error: 500 (Internal Server Error)"), "No GPU was lent"),
        (RuntimeError("Connection closed by visitor while queueing"), "No GPU was lent"),
        (httpx.ConnectError("no"), r"scheduler cannot be reached \(ConnectError\)"),
    ],
)
def test_refusals_are_one_line(raised: Exception, line: str) -> None:
    with pytest.raises(NotLentError, match=line) as caught, one_line():
        raise raised
    assert isinstance(caught.value, LimitError)
    assert "\n" not in str(caught.value)
    assert "Answers so far are saved" in str(caught.value)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="out of memory"), one_line():
        raise RuntimeError("CUDA out of memory")


def test_the_share_of_the_quota_that_is_left() -> None:
    with pytest.raises(NotLentError) as caught, one_line():
        raise error_of_spaces("ZeroGPU quota exceeded", "(90s requested vs. 45s left)")
    assert caught.value.share == 0.5


def test_chunks_follow_what_the_last_one_took() -> None:
    planner = LoanPlanner.of(8_000_000_000, 16_000_000_000, Sampling(max_new_tokens=1024))
    count, seconds = planner.chunk(1500)
    assert (count, seconds) == (116, 60), "350 tokens each at 1,250 a second, beside 12 s for the weights"
    planner.learn(load=4.0, writing=30.0, answered=116, chunk_size=count)
    assert planner.chunk(1384) == (148, 60), "50 s at 0.26 s each, with a margin of 30 percent"
    assert planner.chunk(10) == (10, 14)
    planner.learn(load=4.0, writing=50.0, answered=20, chunk_size=148)
    assert planner.chunk(1000)[0] == 15, "the time was up after 20 of them"
    planner.learn(load=4.0, writing=1.0, answered=15, chunk_size=15)
    assert planner.chunk(1000)[0] == 60, "not at once as many as a few short ones let hope"


def test_an_answer_that_takes_long_is_given_longer_but_not_for_ever() -> None:
    planner = LoanPlanner(load=10, each=200)
    assert planner.chunk(5) == (1, int(LOAN))
    assert planner.lengthen()
    assert planner.chunk(5) == (1, int(LONGEST))
    assert not planner.lengthen()


def test_a_quota_nearly_used_up_is_used_up_where_an_answer_fits() -> None:
    planner = LoanPlanner(load=2, each=1)
    assert planner.shorten(30)
    assert planner.chunk(100) == (16, 29)
    assert not planner.shorten(5)


def test_seconds_of_quota_before_the_run() -> None:
    estimated = estimate(CONFIG, Limits(), size_of=lambda spec: EIGHT_BILLION)
    seconds = gpu_seconds(CONFIG, estimated, size_of=lambda spec: EIGHT_BILLION)
    assert seconds is not None
    prompts = estimated.stages[0].calls
    chunks = -(-prompts // 116)
    assert seconds == pytest.approx(2 * (prompts * 0.28 + chunks * (1 + 16 / 1.5)))
    recorded = replace(CONFIG, model_a="providers:org/a", model_b="providers:org/b")
    assert gpu_seconds(recorded, estimate(recorded, Limits())) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, None),
        ({"llm": "providers:org/judge"}, None),
        ({"model_a": "providers:org/a", "model_b": "providers:org/b", "suspect": "x"}, None),
        ({"llm": "org/judge"}, "org/judge cannot be the LLM here"),
        ({"llm": "providers:org/x", "rater": ("org/r",)}, "org/r cannot be the LLM here"),
        ({"quantization_b": "4bit"}, "Weights cannot be quantized"),
        ({"llm": "providers:org/x", "suspect": "advice"}, "written for a suspicion"),
        ({"pool": 3000, "pool_by": "tokens"}, "ranked by tokens"),
        ({"pool": 3000, "model_b": "providers:org/b"}, "needs both models here"),
        ({"pool": 3000}, None),
        ({"prompts": "org/prompts"}, "Datasets of the Hub cannot be used on ZeroGPU"),
        ({"model_b": "recorded:org/answers"}, "Datasets of the Hub cannot be used on ZeroGPU"),
        ({"prompts": "bundled"}, None),
    ],
)
def test_what_zero_gpu_cannot_do(settings: dict[str, object], words: str | None) -> None:
    told = obstacle(replace(CONFIG, **settings))
    assert words in told if words else told == ""


def test_a_reader_too_slow_for_the_cpu_is_told_with_its_time() -> None:
    config = replace(CONFIG, reader="org/reader", sae="release/id")
    estimated = estimate(config, Limits(), size_of=lambda spec: EIGHT_BILLION)
    assert "on this Space's CPU and would take about 58.3 hours" in obstacle(
        config, estimated, size_of=lambda spec: EIGHT_BILLION
    )
    tiny = ModelSize({"F32": 1_000_000}, 4_000_000, 0, ("model.safetensors",))
    assert obstacle(config, estimated, size_of=lambda spec: tiny) == ""


def test_a_model_too_big_for_half_a_card() -> None:
    check_room("org/a", EIGHT_BILLION)
    with pytest.raises(ModelError, match=r"org/big needs about 84\.0 GB of GPU memory, ZeroGPU lends 45\.0 GB"):
        check_room("org/big", ModelSize({"BF16": 35_000_000_000}, 70_000_000_000, 0, ()))
    with pytest.raises(ModelError, match=r"needs about 48\.0 GB"):
        check_room("org/a", ModelSize({"F32": 10_000_000_000}, 40_000_000_000, 0, ()), "float32")


def test_the_machine_in_words() -> None:
    assert machine_in_words(public=False) in ("This machine's CPU", "This machine's GPU")
    assert machine_in_words(public=True) in ("This Space's CPU", "This Space's GPU")
    assert not zero_gpu()


def test_the_repositorys_own_folder_of_that_name_is_no_zero_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyPI's package `import spaces` finds the folder, an empty package."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.delitem(sys.modules, "spaces")
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    assert not zero_gpu()
    assert list(sys.modules["spaces"].__path__) == [str(ROOT / "spaces")]
