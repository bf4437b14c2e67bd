"""What is no decoder that writes text is refused by name, before its weights are looked at."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.architecture import check_architecture, context_length
from diffing.models.local.sanity_checks import check_decoder, read
from tests.models.local import tiny

ENCODER: dict[str, Any] = {
    "vocab_size": 260,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.5,
}
BART: dict[str, Any] = {
    "vocab_size": 260,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    **dict.fromkeys(("eos_token_id", "bos_token_id", "pad_token_id", "decoder_start_token_id"), 256),
}
T5: dict[str, Any] = {"vocab_size": 260, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
CPU = LocalOptions(device="cpu")


def made(folder: Path, kind: Any, config: Any) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind(config).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


def edit(folder: Path, **values: object) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
    return folder


@pytest.mark.parametrize(
    ("kind", "config", "line", "unnamed"),
    [
        (
            transformers.BartForConditionalGeneration,
            transformers.BartConfig(**BART),
            "tiny is an encoder-decoder (type 'bart'), which reads its input apart from what it writes: expected a "
            "decoder that goes on from its prompt; use another model.",
            "tiny is an encoder-decoder (type 'bart'),",
        ),
        (
            transformers.T5ForConditionalGeneration,
            transformers.T5Config(**T5),
            "tiny is an encoder-decoder (type 't5'),",
            "tiny is an encoder-decoder (type 't5'),",
        ),
        (
            transformers.BertForMaskedLM,
            transformers.BertConfig(**ENCODER),
            "tiny was saved as BertForMaskedLM, a model that fills in masked words: expected a decoder that writes "
            "text, such as BertLMHeadModel; use another model.",
            "tiny is an encoder (type 'bert' with is_decoder false), which sees the words that come after: expected a "
            "decoder that writes text, such as BertLMHeadModel with is_decoder true; use another model.",
        ),
        (
            transformers.RobertaForMaskedLM,
            transformers.RobertaConfig(**ENCODER),
            "tiny was saved as RobertaForMaskedLM,",
            "tiny is an encoder (type 'roberta' with is_decoder false),",
        ),
        (
            transformers.BertLMHeadModel,
            transformers.BertConfig(**ENCODER),
            "tiny is an encoder (type 'bert' with is_decoder false),",
            "tiny is an encoder (type 'bert' with is_decoder false),",
        ),
    ],
    ids=["bart", "t5", "bert", "roberta", "bert with another head"],
)
def test_encoders(tmp_path: Path, kind: Any, config: Any, line: str, unnamed: str) -> None:
    """Also where config.json does not name the class."""
    folder = made(tmp_path / "tiny", kind, config)
    for expected, changes in ((line, {}), (unnamed, {"architectures": None})):
        with pytest.raises(ModelError) as caught:
            LocalModel.load(str(edit(folder, **changes)), options=CPU)
        assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (transformers.BertLMHeadModel, transformers.BertConfig(**ENCODER, is_decoder=True)),
        (transformers.BartForCausalLM, transformers.BartConfig(**BART)),
    ],
    ids=["bert", "bart"],
)
def test_their_decoders_write(tmp_path: Path, kind: Any, config: Any) -> None:
    model = LocalModel.load(str(made(tmp_path, kind, config)), options=CPU)
    assert model.generate(tiny.MIXED[:1], Sampling(max_new_tokens=3))[0].completion_tokens == 3


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ("LlamaForSequenceClassification", "was saved as LlamaForSequenceClassification, a classifier of texts: expec"),
        ("LlamaForTokenClassification", "was saved as LlamaForTokenClassification, a classifier of words: expected a"),
        ("LlamaModel", "was saved as LlamaModel, a model without a head that writes: expected a decoder that writes "),
        ("BertForMaskedLM", "such as LlamaForCausalLM; use another model."),
        ("Qwen2ForRewardModel", "was saved as Qwen2ForRewardModel: expected a decoder"),
    ],
)
def test_another_head_is_told_by_name(named: str, line: str) -> None:
    with pytest.raises(ModelError) as caught:
        check_architecture("tiny", {"model_type": "llama", "architectures": [named]}, CPU)
    assert line in str(caught.value)


@pytest.mark.parametrize(
    "named",
    [
        ["LlamaForCausalLM"], ["LLaMAForCausalLM"], ["PeftModelForCausalLM"], ["MistralForCausalLM"], [], None, [7],
        "LlamaForCausalLM", ["__class__"], ["utils"],
    ],
)  # fmt: skip
def test_names_that_say_nothing_against_it(named: object) -> None:
    check_architecture("tiny", {"model_type": "llama", "architectures": named}, CPU)


def test_what_json_cannot_say_is_read_as_transformers_writes_it(tmp_path: Path) -> None:
    """Infinity, in every Mamba 2."""
    transformers.Mamba2Config().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["time_step_limit"][1] != float("inf")
    check_architecture("tiny", config, CPU)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"hidden_size": "x"}, "hidden_size"),
        ({"eos_token_id": "<|im_end|>"}, "eos_token_id"),
        ({"num_attention_heads": 0}, "zero"),
        ({"quantization_config": "gptq"}, "to_dict"),
        ({"rope_parameters": 7}, "rope_parameters"),
        ({"dtype": "nosuch"}, "nosuch"),
        ({"id2label": 7}, "items"),
    ],
)
def test_values_of_wrong_types(values: dict[str, object], line: str) -> None:
    with pytest.raises(ModelError) as caught:
        check_architecture("tiny", {"model_type": "llama"} | values, CPU)
    assert str(caught.value).startswith("tiny: its config.json describes no llama model: ")
    assert line in str(caught.value)
    assert str(caught.value).endswith("; get the file again.")
    assert "\n" not in str(caught.value)


def test_an_encoder_by_what_it_does(model_folder: Callable[[str], Path]) -> None:
    """Whatever its configuration says: a later word changes what a model says at an earlier one."""
    prompt = list(range(40, 70))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sees: Any = transformers.BertLMHeadModel(transformers.BertConfig(**ENCODER)).eval()
        decodes: Any = transformers.BertLMHeadModel(transformers.BertConfig(**ENCODER, is_decoder=True)).eval()
    with pytest.raises(ModelError, match=r"^tiny sees the words that come after each word \(BertLMHeadModel\), as an"):
        check_decoder("tiny", sees, prompt)
    for kind in ("llama", "gemma3_text", "mamba"):
        written = transformers.AutoModelForCausalLM.from_pretrained(model_folder(kind), dtype=torch.bfloat16)
        check_decoder("tiny", written, prompt)
    check_decoder("tiny", decodes, prompt)


def test_a_model_that_needs_a_picture(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.Blip2Config(
        text_config={
            "model_type": "opt", "vocab_size": 260, "hidden_size": 16, "num_hidden_layers": 1, "ffn_dim": 32,
            "num_attention_heads": 2, "word_embed_proj_dim": 16, "max_position_embeddings": 256,
            **dict.fromkeys(("eos_token_id", "bos_token_id", "pad_token_id"), 256),
        },
        vision_config={"model_type": "blip_2_vision_model", **small, "image_size": 16, "patch_size": 8},
        qformer_config={"model_type": "blip_2_qformer", **small, "encoder_hidden_size": 16, "vocab_size": 10},
        num_query_tokens=2,
        image_token_index=259,
    )  # fmt: skip
    folder = made(tmp_path / "tiny", transformers.Blip2ForConditionalGeneration, config)
    with pytest.raises(ModelError) as caught:
        LocalModel.load(str(folder), options=CPU).generate(tiny.MIXED[:1], Sampling(max_new_tokens=1))
    assert "\n" not in str(caught.value)
    assert "cannot read a prompt of text alone: Blip2ForConditionalGeneration.forward() missing" in str(caught.value)
    shutil.rmtree(folder)


XLNET = transformers.XLNetConfig(vocab_size=260, d_model=16, n_layer=1, n_head=2, d_inner=16)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_xlnet_sees_what_comes_after_whatever_its_weights_are_stored_in(dtype: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "xl", transformers.XLNetLMHeadModel, XLNET)
    with pytest.raises(
        ModelError, match=r"is of type 'xlnet', which sees the words that come after, .* another model\."
    ):
        LocalModel.load(str(folder), options=LocalOptions(device="cpu", dtype=dtype))


def test_a_model_that_keeps_weights_in_float32_can_be_loaded_so() -> None:
    model = transformers.XLNetLMHeadModel(XLNET)
    assert context_length(model.config) is None  # which is written as -1
    model.to(torch.bfloat16)
    model.transformer.layer[0].rel_attn.q.data = model.transformer.layer[0].rel_attn.q.data.float()
    with pytest.raises(ModelError, match=r"expected scalar type .*; load it with dtype float32, or use another model"):
        read("tiny", model, [1, 2, 3])
    assert len(read("tiny", model.to(torch.float32), [1, 2, 3])) == 3
