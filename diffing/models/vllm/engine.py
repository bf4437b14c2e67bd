"""Starts vLLM's engine and has it write answers: the only module that calls vLLM."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from diffing.errors import MissingExtraError
from diffing.models.base import Sampling
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.decoding import DecodingRow
from diffing.models.local.spec import LocalOptions

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The largest ranks of LoRA adapters that vLLM can be prepared for."""
_UNSET = "vllm"
"""The name by which vLLM takes no settings of generation from the checkpoint; all are given with each request."""


@dataclass(slots=True)
class VllmEngine:
    """A running engine."""

    llm: Any
    """The `vllm.LLM`."""
    adapter: Any
    """The `LoRARequest` of all requests; None without an adapter."""

    @property
    def context(self) -> int:
        """The context length in tokens, for prompt and answer together."""
        return int(self.llm.model_config.max_model_len)

    @property
    def vocabulary(self) -> int:
        """The number of tokens that the model knows."""
        return int(self.llm.model_config.get_vocab_size())

    def write(self, rows: Sequence[DecodingRow], sampling: Sampling, chat: Chat) -> None:
        """Writes the answers of rows, each with its own seed.

        Args:
            rows: The rows, whose `written` and `finish` are set.
            sampling: The settings of sampling.
            chat: The model's tokenizer, which knows what ends an answer.
        """
        import vllm

        answers = self.llm.generate(
            [{"prompt_token_ids": row.prompt} for row in rows],
            [
                vllm.SamplingParams(
                    temperature=sampling.temperature,
                    top_p=sampling.top_p if sampling.temperature else 1.0,
                    seed=seed_of(row.key),
                    max_tokens=row.limit,
                    stop=list(chat.stop_texts),
                    stop_token_ids=sorted(chat.stop_ids),
                    skip_special_tokens=False,
                )
                for row in rows
            ],
            use_tqdm=False,
            lora_request=self.adapter,
        )
        for row, answer in zip(rows, answers, strict=True):
            given = answer.outputs[0]
            row.written = list(given.token_ids)
            row.finish = "length" if given.finish_reason == "length" else "stop" if given.finish_reason else None

    def close(self) -> None:
        """Ends the engine's processes and frees the memory of the GPUs."""
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        self.llm.llm_engine.engine_core.shutdown()
        self.llm = None
        cleanup_dist_env_and_memory()


def start_engine(folder: Path, adapter: Path | None, options: LocalOptions, gpus: int) -> VllmEngine:
    """Loads a model into a new engine.

    Args:
        folder: The folder of its files.
        adapter: The folder of a LoRA adapter's files; None if there is none.
        options: The options of loading.
        gpus: The number of GPUs that share each layer.
    """
    import vllm
    from vllm.lora.request import LoRARequest

    lora = {} if adapter is None else {"enable_lora": True, "max_lora_rank": _rank_of(adapter)}
    llm = vllm.LLM(
        str(folder),
        dtype=options.dtype,
        tensor_parallel_size=gpus,
        trust_remote_code=options.trust_remote_code,
        load_format="auto" if options.allow_pickle else "safetensors",
        generation_config=_UNSET,
        seed=0,
        **lora,
    )
    return VllmEngine(llm, None if adapter is None else LoRARequest("adapter", 1, str(adapter)))


def seed_of(key: bytes) -> int:
    """Returns a seed of 31 bits from the key of a conversation's noise."""
    return int.from_bytes(key[:4], "big") >> 1


def tensor_parallel_size(config: Mapping[str, Any]) -> int:
    """The number of GPUs that share each layer of a model: as many of those there are as divide its attention heads.

    Args:
        config: The parsed config.json. CUDA_VISIBLE_DEVICES limits the GPUs.
    """
    import torch

    text = config.get("text_config", config)
    heads = text.get("num_attention_heads") if isinstance(text, Mapping) else None
    size = 1
    while isinstance(heads, int) and heads % (2 * size) == 0 and 2 * size <= torch.cuda.device_count():
        size *= 2
    return size


def vllm_version() -> str:
    """The version of vLLM.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return metadata.version("vllm")
    except metadata.PackageNotFoundError:
        raise MissingExtraError("A model with the prefix vllm:", "vllm") from None


def _rank_of(adapter: Path) -> int:
    """The smallest rank for which vLLM can be prepared and that holds an adapter's."""
    rank = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8")).get("r", 16)
    return next((each for each in RANKS if isinstance(rank, int) and rank <= each), RANKS[-1])
