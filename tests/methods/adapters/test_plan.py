"""What a run with adapters is told to cost, and where it is refused."""

from typing import Any

import pytest

from diffing.config import DiffConfig
from diffing.costs import ResponseLengths
from diffing.demo.config import FOLDER
from diffing.errors import ModelError, SettingError
from diffing.methods.adapters.cost import check_cpu, minutes, training_operations
from diffing.methods.adapters.plan import ADAPTERS
from diffing.types import Message, Prompt


def config(**more: Any) -> Any:
    sides = {"model_a": str(FOLDER / "models" / "base"), "model_b": str(FOLDER / "models" / "tuned")}
    return DiffConfig(**{**sides, "method": ("adapters",), **more})


def prompts(train: int, heldout: int) -> list[Prompt]:
    """Prompts of 10 tokens each."""
    splits = ["train"] * train + ["heldout"] * heldout
    return [Prompt(f"p{i}", (Message("user", "x" * 40),), "file", split) for i, split in enumerate(splits)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("billions", "tokens", "operations", "expected"), [(2, 5e6, 1.4e17, 7.8), (7, 20e6, 1.96e18, 109)]
)
def test_operations_and_minutes(billions: int, tokens: float, operations: float, expected: float) -> None:
    found = training_operations(billions * 10**9, int(tokens))
    assert found == pytest.approx(operations)
    assert minutes(found, gpu=True) == pytest.approx(expected, rel=0.01)


def test_training_and_reading_are_estimated() -> None:
    train, read, *rest = ADAPTERS.estimate(config(), prompts(30, 10), ResponseLengths(50))
    assert rest == []
    # both responses behind their prompt: 120 tokens for each prompt
    assert (read.name, read.calls, read.prompt_tokens) == ("adapters read", 80, 40 * 120)
    # 4 passes over 60 responses, 12 in each step
    assert (train.name, train.calls, train.prompt_tokens, train.usd) == ("adapters train", 20, 4 * 30 * 120, 0.0)
    assert train.minutes is not None
    assert 0 < train.minutes < 1
    fewer, *_ = ADAPTERS.estimate(config(adapter_tokens=3600), prompts(30, 10), ResponseLengths(50))
    assert (fewer.calls, fewer.prompt_tokens) == (5, 3600)
    with_corpus, *_ = ADAPTERS.estimate(config(corpus=("org/texts",)), prompts(30, 10), ResponseLengths(50))
    assert with_corpus.prompt_tokens == 5_000_000


def test_published_adapters_need_no_training() -> None:
    stages = ADAPTERS.estimate(config(adapters="org/published"), prompts(3, 3), ResponseLengths(50))
    assert [stage.name for stage in stages] == ["adapters read"]
    assert ADAPTERS.assumptions(config(adapters="org/published")) == ()
    assert "operations for each million tokens" in ADAPTERS.assumptions(config())[0]


def test_a_cpu_is_refused_what_takes_it_days() -> None:
    check_cpu(training_operations(1_000_000, 5_000_000))
    with pytest.raises(ModelError, match=r"about 1e\+17 operations, too many for a CPU .* about 8 min"):
        check_cpu(training_operations(2_000_000_000, 5_000_000))


def test_a_public_server_refuses_runs_with_adapters_and_no_others() -> None:
    ADAPTERS.check_public(config(method=("lexical",)))
    with pytest.raises(SettingError, match="trains adapters, which a public server does not do"):
        ADAPTERS.check_public(config())


def test_zero_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ADAPTERS.check(config())
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    with pytest.raises(SettingError, match="ZeroGPU lends a GPU for seconds"):
        ADAPTERS.check(config())
