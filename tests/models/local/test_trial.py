"""How conversations run side by side is found by trying: whatever a model is called, its answers depend on nobody
else's."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from transformers import LlamaForCausalLM, MambaForCausalLM

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.batching_trial import BatchingStrategy, find_strategy
from diffing.models.local.cached_rows import Memory, UnsupportedCacheError, memory_of
from diffing.models.local.continuous_batching import ContinuousBatch
from diffing.models.local.decoding import DecodingJob, DecodingRow
from tests.models.local import tiny
from tests.models.local.tiny import MIXED, says

ModelFolder = Callable[[str], Path]
TEXT = list(range(5, 45, 2))
OF_THREE_LENGTHS = [MIXED[0], MIXED[1], MIXED[3]]
CACHE = next(iter({"cache", "past_key_values"} & inspect.signature(LlamaForCausalLM.forward).parameters.keys()))


def make(kind: type[Any], name: str = "llama", **more: Any) -> Any:
    config = tiny.config(name)
    config.update(more)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind(config).eval()


def alone_and_together(spec: object) -> tuple[list[str], list[str], BatchingStrategy]:
    model = LocalModel.load(str(spec), options=LocalOptions(device="cpu"))
    sampling = Sampling(max_new_tokens=8)
    alone = [model.generate([each], sampling)[0].text for each in OF_THREE_LENGTHS]
    together = [each.text for each in model.generate(OF_THREE_LENGTHS, sampling)]
    assert len(set(alone)) == len(OF_THREE_LENGTHS)
    assert model._loaded is not None
    return alone, together, model._loaded.manner


class Output(dict[str, Any]):
    @property
    def logits(self) -> torch.Tensor:
        return self["logits"]


class OtherName(LlamaForCausalLM):
    """Takes its cache, and gives it back, under a name that no release of transformers has used."""

    def forward(self, position_ids: Any = None, memory: Any = None, **more: Any) -> Any:
        output = super().forward(position_ids=position_ids, **({} if memory is None else {CACHE: memory}), **more)
        return Output(logits=output.logits, memory=output[CACHE])


class Forgetful(LlamaForCausalLM):
    """Takes a cache and does not look at it."""

    def forward(self, input_ids=None, **more):  # type: ignore[no-untyped-def]
        more.pop(CACHE, None)
        return super().forward(input_ids, **more)


class Unmasked(LlamaForCausalLM):
    """Reads its padding."""

    def forward(self, input_ids=None, attention_mask=None, **more):  # type: ignore[no-untyped-def]
        return super().forward(input_ids, **more)


class Mingling(LlamaForCausalLM):
    """What a row says depends on the other rows of its batch, as with experts that take so many tokens and no more."""

    def forward(self, input_ids=None, **more):  # type: ignore[no-untyped-def]
        output = super().forward(input_ids, **more)
        output.logits = output.logits + output.logits.mean(dim=0, keepdim=True)
        return output


class Drawing(LlamaForCausalLM):
    """Draws numbers while it reads, as Reformer does for its hashes."""

    def forward(self, input_ids=None, **more):  # type: ignore[no-untyped-def]
        output = super().forward(input_ids, **more)
        output.logits = output.logits + torch.randn(output.logits.shape[-1])
        return output


class DrawingForLongTexts(Unmasked):
    """Draws numbers for texts that are longer than the trial's, as Reformer does beyond its first chunk."""

    def forward(self, input_ids=None, **more):  # type: ignore[no-untyped-def]
        output = super().forward(input_ids, **more)
        if input_ids.shape[-1] > 20 or (more.get(CACHE) is not None and more[CACHE].get_seq_length() > 20):
            output.logits = output.logits + torch.randn(output.logits.shape[-1])
        return output


class Failing(LlamaForCausalLM):
    def forward(self, input_ids=None, **more):  # type: ignore[no-untyped-def]
        raise ZeroDivisionError("a bug of the model\nwith two lines")


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (LlamaForCausalLM, "llama", "slots"),
        (MambaForCausalLM, "mamba", "batches"),
        (Forgetful, "llama", "afresh"),
        (Unmasked, "llama", "alone"),
        (Mingling, "llama", "alone"),
        (Drawing, "llama", "afresh"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_way_is_found_by_what_a_model_does(kind: type[Any], name: str, expected: str, dtype: torch.dtype) -> None:
    assert find_strategy("tiny", make(kind, name).to(dtype), TEXT) == BatchingStrategy(expected)  # type: ignore[arg-type]


def greedy_job(max_rows: int) -> DecodingJob:
    """Takes the likeliest token, and never stops before the limit."""
    return DecodingJob(
        choose=lambda logits, rows: logits.argmax(dim=-1).tolist(),
        stop_ids=frozenset(),
        ends=lambda written: False,
        max_rows=max_rows,
        max_tokens=1000,
        on_finish=lambda row: None,
        on_tokens=lambda count: None,
    )


@pytest.mark.parametrize("kind", [Drawing, DrawingForLongTexts])
def test_a_model_that_draws_numbers_while_it_reads_writes_the_same_every_time(kind: type[Any]) -> None:
    model = make(kind)

    def written() -> list[int]:
        row = DecodingRow(0, TEXT[:5], 40, b"")
        find_strategy("tiny", model, TEXT).run(model, greedy_job(max_rows=1), [row])
        return row.written

    torch.manual_seed(1)
    first = written()
    torch.manual_seed(2)
    assert written() == first


def test_the_name_of_the_cache_does_not_matter() -> None:
    def written(kind: type[Any]) -> list[list[int]]:
        rows = [DecodingRow(i, TEXT[: 3 + 4 * i], 4 + i, b"") for i in range(4)]
        ContinuousBatch(make(kind), greedy_job(max_rows=2)).run(rows)
        return [row.written for row in rows]

    assert written(OtherName) == written(LlamaForCausalLM)


def test_what_a_token_costs_is_seen_not_computed_from_names() -> None:
    memory = memory_of(make(LlamaForCausalLM))
    assert memory == Memory(CACHE, token_bytes=2 * 2 * 2 * 8 * 4)  # keys and values, layers, heads, width, float32
    assert memory_of(make(OtherName)).argument == "memory"
    with pytest.raises(UnsupportedCacheError, match="remember otherwise than by keys and values"):
        memory_of(make(MambaForCausalLM, "mamba"))


def test_a_model_that_cannot_write_is_told_in_one_line() -> None:
    with pytest.raises(
        ModelError, match=r"^tiny cannot go on with a text \(a bug of the model\): use another model\.$"
    ):
        find_strategy("tiny", make(Failing), TEXT)


def test_recurrent_models_that_read_their_padding_answer_one_at_a_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = transformers.RwkvConfig(
        vocab_size=tiny.VOCABULARY, hidden_size=32, num_hidden_layers=2, attention_hidden_size=32,
        intermediate_size=64, initializer_range=0.5, bos_token_id=None, eos_token_id=tiny.EOS,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.RwkvForCausalLM(config).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    alone, together, manner = alone_and_together(tmp_path)
    assert together == alone
    assert manner == BatchingStrategy("alone")
    assert "answers one conversation at a time: side by side its answers would differ" in caplog.text


@pytest.mark.parametrize(
    ("base", "made"),
    [
        ("llama", peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)),
        ("llama", peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)),
        ("llama", peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], init_lora_weights=False)),
    ],
    ids=["prompt tuning", "prefix tuning", "lora"],
)
def test_adapters_answer_alike_alone_and_together(
    model_folder: ModelFolder, tmp_path: Path, base: str, made: Any
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        adapted = peft.get_peft_model(transformers.AutoModelForCausalLM.from_pretrained(model_folder(base)), made)
        for name, weight in adapted.named_parameters():
            if "prompt_encoder" in name:
                torch.nn.init.normal_(weight)
        adapted.save_pretrained(tmp_path)
    alone, together, manner = alone_and_together(f"{model_folder(base)}+{tmp_path}")
    assert together == alone
    assert (manner.way == "slots") == isinstance(made, peft.LoraConfig)
    plain, _, _ = alone_and_together(model_folder(base))
    assert alone != plain


def test_a_long_neighbour_does_not_change_the_scale_of_short_ones(tmp_path: Path) -> None:
    """LongRoPE reads every row of a batch at another scale as soon as one of them is longer than 64 tokens."""
    config = transformers.AutoConfig.for_model(
        "phi3", **{**tiny.SHAPE, "pad_token_id": 0}, original_max_position_embeddings=64,
        rope_parameters={
            "rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 64,
            "short_factor": [1.0] * 4, "long_factor": [1.0, 3.0, 9.0, 30.0],
        },
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    model = LocalModel.load(str(tmp_path), options=LocalOptions(device="cpu"))
    conversations = [says("Hi"), says("Hello " * 20), says("Bye")]
    sampling = Sampling(max_new_tokens=8)
    alone = [model.generate([each], sampling)[0] for each in conversations]
    assert model._loaded is not None
    assert model._loaded.manner == BatchingStrategy("slots", alone_beyond=64)
    assert (alone[0].prompt_tokens or 0) < 64 < (alone[1].prompt_tokens or 0)
    assert model.generate(conversations, sampling) == alone
