"""Stands in for vLLM, with its signatures: writes tokens that depend on the prompt and the seed alone.

`test_vllm` checks the same interface of an installed vLLM.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

VERSION = "0.33.0"
CONTEXT, VOCABULARY, LONGEST = 512, 100, 24


@dataclass
class SamplingParams:
    """The settings of one request; those of vLLM that we set."""

    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    max_tokens: int | None = 16
    skip_special_tokens: bool = True


@dataclass
class LoRARequest:
    """The adapter of a request."""

    lora_name: str
    lora_int_id: int
    lora_path: str = ""


@dataclass
class CompletionOutput:
    """One answer."""

    index: int
    text: str
    token_ids: list[int]
    cumulative_logprob: float | None
    logprobs: None
    finish_reason: str | None = None


@dataclass
class RequestOutput:
    """The answers to one request."""

    request_id: str
    prompt: str | None
    prompt_token_ids: list[int] | None
    prompt_logprobs: None
    outputs: list[CompletionOutput]
    finished: bool


class LLM:
    """An engine, which records how it was made and what it was asked."""

    made: ClassVar[list["LLM"]] = []

    def __init__(
        self,
        model: str,
        *,
        trust_remote_code: bool = False,
        tensor_parallel_size: int = 1,
        dtype: str = "auto",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        self.options = {"dtype": dtype, "tensor_parallel_size": tensor_parallel_size, "seed": seed, **kwargs}
        self.model_config = SimpleNamespace(max_model_len=CONTEXT, get_vocab_size=lambda: 100_000)
        self.running = True
        self.llm_engine = SimpleNamespace(engine_core=SimpleNamespace(shutdown=self._shutdown))
        self.batches: list[list[tuple[list[int], SamplingParams]]] = []
        self.adapters: list[LoRARequest | None] = []
        LLM.made.append(self)

    def generate(
        self,
        prompts: Any,
        sampling_params: Any = None,
        *,
        use_tqdm: Any = True,
        lora_request: Any = None,
        priority: Any = None,
        tokenization_kwargs: Any = None,
        mm_processor_kwargs: Any = None,
    ) -> list[RequestOutput]:
        assert self.running
        asked = [(prompt["prompt_token_ids"], each) for prompt, each in zip(prompts, sampling_params, strict=True)]
        self.batches.append(asked)
        self.adapters.append(lora_request)
        answers = [(ids, [_answer(ids, each)]) for ids, each in asked]
        return [RequestOutput(str(i), None, ids, None, given, True) for i, (ids, given) in enumerate(answers)]

    def _shutdown(self, timeout: float | None = None) -> None:
        self.running = False


def _answer(prompt: list[int], params: SamplingParams) -> CompletionOutput:
    draw = random.Random(str((prompt, params.seed if params.temperature else None)))
    stops = params.stop_token_ids or []
    known = [token for token in range(5, VOCABULARY) if token not in stops]
    ids = draw.choices(known, k=draw.randrange(1, LONGEST))
    assert params.max_tokens is not None
    if len(ids) < params.max_tokens:
        return CompletionOutput(0, "", [*ids, stops[0]], None, None, "stop")
    return CompletionOutput(0, "", ids[: params.max_tokens], None, None, "length")


@dataclass
class Modules:
    """The modules of vLLM that we import."""

    vllm: Any = field(default_factory=lambda: ModuleType("vllm"))
    lora: Any = field(default_factory=lambda: ModuleType("vllm.lora.request"))
    parallel: Any = field(default_factory=lambda: ModuleType("vllm.distributed.parallel_state"))


def fake_modules() -> Modules:
    """The modules with what we use of them."""
    modules = Modules()
    modules.vllm.LLM, modules.vllm.SamplingParams = LLM, SamplingParams
    modules.lora.LoRARequest = LoRARequest
    modules.parallel.cleanup_dist_env_and_memory = lambda shutdown_ray=False: None
    return modules


@contextmanager
def fake_vllm() -> Iterator[None]:
    """A context manager in which vLLM is installed."""
    modules = fake_modules()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "vllm", modules.vllm)
        patch.setitem(sys.modules, "vllm.lora", ModuleType("vllm.lora"))
        patch.setitem(sys.modules, "vllm.lora.request", modules.lora)
        patch.setitem(sys.modules, "vllm.distributed", ModuleType("vllm.distributed"))
        patch.setitem(sys.modules, "vllm.distributed.parallel_state", modules.parallel)
        patch.setattr("diffing.models.vllm.model.vllm_version", lambda: VERSION)
        patch.setattr(LLM, "made", [])
        yield
