"""All weights come from a model's files, and all that its files hold goes into it; else one line says what is amiss."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.utils import is_bitsandbytes_available

from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.loading import load_weights
from tests.fewer import fewer
from tests.models.local import tiny
from tests.models.local.architectures import tiny_config
from tests.models.local.model_folders import edit, refusal, shard

ModelFolder = Callable[[str], Path]
Weights = dict[str, torch.Tensor]
CPU = LocalOptions(device="cpu", dtype="float32")


def change(folder: Path, new: Callable[[Weights], Weights]) -> None:
    file = folder / "model.safetensors"
    save_file(new(load_file(file)), file, metadata={"format": "pt"})


def without(*parts: str) -> Callable[[Weights], Weights]:
    return lambda weights: {key: value for key, value in weights.items() if not any(part in key for part in parts)}


def test_a_model_saved_without_its_head(copied: Path) -> None:
    transformers.LlamaModel.from_pretrained(copied).save_pretrained(copied)
    edit(copied / "config.json", architectures=["LlamaForCausalLM"])
    assert refusal(copied) == (
        "copied lacks 1 of the 21 weights of a LlamaForCausalLM, which would be random: lm_head.weight is not in its "
        "files; get its files again, or use another model."
    )


def test_a_classifier_is_no_writer(copied: Path) -> None:
    transformers.LlamaForSequenceClassification.from_pretrained(copied).save_pretrained(copied)
    edit(copied / "config.json", architectures=None)
    assert "lm_head.weight is not in its files (they hold score.weight instead)" in refusal(copied)


def test_a_classifier_with_tied_embeddings_lacks_nothing_and_is_no_writer(copied: Path) -> None:
    edit(copied / "config.json", tie_word_embeddings=True)
    transformers.LlamaForSequenceClassification.from_pretrained(copied).save_pretrained(copied)
    edit(copied / "config.json", architectures=None)
    assert "copied has weights that a LlamaForCausalLM has no place for: score.weight; its config" in refusal(copied)


def test_a_layer_is_missing(copied: Path) -> None:
    change(copied, without("layers.1."))
    assert refusal(copied).startswith(
        "copied lacks 9 of the 21 weights of a LlamaForCausalLM, which would be random: "
        "model.layers.1.input_layernorm.weight, model.layers.1.mlp.down_proj.weight, "
        "model.layers.1.mlp.gate_proj.weight and 6 more are not in its files;"
    )


def whole(*ends: str) -> Callable[[Weights], Weights]:
    return lambda weights: {
        key: (value * 100).to(torch.int8) if key.endswith(ends) else value for key, value in weights.items()
    }


@pytest.mark.parametrize("config", [{}, {"quantization_config": {"quant_method": "none_such", "bits": 8}}])
def test_whole_numbers_are_no_weights(copied: Path, config: dict[str, Any]) -> None:
    change(copied, whole("_proj.weight"))
    edit(copied / "config.json", **config)
    assert refusal(copied) == (
        "copied stores 14 of its weights as whole numbers (model.layers.0.mlp.down_proj.weight, "
        "model.layers.0.mlp.gate_proj.weight, model.layers.0.mlp.up_proj.weight and 11 more), and its config.json has "
        "no quantization_config by which transformers could tell what they stand for: expected floating-point weights, "
        "or that entry; get its files again, or use another model."
    )


def test_whole_numbers_under_a_name_without_its_prefix(copied: Path) -> None:
    change(copied, lambda weights: {key.removeprefix("model."): value for key, value in weights.items()})
    change(copied, whole("layers.1.input_layernorm.weight"))
    assert "stores 1 of its weights as whole numbers (layers.1.input_layernorm.weight)" in refusal(copied)


def test_whole_numbers_that_are_no_weights_are_harmless(copied: Path) -> None:
    """Masks and positions, which old checkpoints hold."""
    expected = load_weights("copied", copied, CPU).state_dict()
    change(
        copied,
        lambda weights: (
            weights
            | {
                "model.layers.0.self_attn.bias": torch.ones(1, 1, 8, 8, dtype=torch.bool),
                "model.position_ids": torch.arange(8)[None],
            }
        ),
    )
    again = load_weights("copied", copied, CPU).state_dict()
    assert all(torch.equal(again[key], value) for key, value in expected.items())


def test_pickled_weights_are_looked_at_as_well(copied: Path) -> None:
    torch.save(without("layers.1.mlp.up")(load_file(copied / "model.safetensors")), copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    assert "random: model.layers.1.mlp.up_proj.weight is not in its" in refusal(copied, allow_pickle=True)


def test_shards_are_one_model(copied: Path) -> None:
    expected = load_weights("copied", copied, CPU).state_dict()
    assert len(shard(copied)) == 4
    again = load_weights("copied", copied, CPU).state_dict()
    assert all(torch.equal(again[key], value) for key, value in expected.items())


def test_a_weight_is_missing_in_a_shard(copied: Path) -> None:
    for name in shard(copied):
        weights = without("layers.0.mlp.up")(load_file(copied / name))
        save_file(weights, copied / name, metadata={"format": "pt"})
    assert "lacks 1 of the 21 weights of a LlamaForCausalLM" in refusal(copied)


@pytest.mark.parametrize("both", [False, True], ids=["one of the two", "both"])
def test_tied_heads_are_no_missing_weights(copied: Path, both: bool) -> None:
    edit(copied / "config.json", tie_word_embeddings=True)
    if both:  # equal ones, as some save them
        change(copied, lambda weights: weights | {"lm_head.weight": weights["model.embed_tokens.weight"].clone()})
    else:
        change(copied, without("lm_head"))
    model: Any = load_weights("copied", copied, CPU)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_a_tied_pair_of_which_neither_is_there(copied: Path) -> None:
    edit(copied / "config.json", tie_word_embeddings=True)
    change(copied, without("lm_head", "embed_tokens"))
    assert "lm_head.weight, model.embed_tokens.weight are not in its files" in refusal(copied)


@pytest.mark.parametrize(
    "more",
    [
        {"model.layers.1.self_attn.rotary_emb.inv_freq": torch.ones(4)},
        {"model.layers.1.self_attn.masked_bias": torch.tensor(-1e9)},
        {"model.layers.1.self_attn.bias": torch.ones(1, 1, 16, 16).tril()},
        {"v_head.summary.weight": torch.ones(1, 32)},
        {"model.layers.0.self_attn.k_scale": torch.ones(1), "model.layers.0.self_attn.v_scale": torch.ones(1)},
    ],
    ids=["frequencies", "masked bias", "causal mask", "value head", "cache scales"],
)
def test_what_writes_no_text_may_be_left_out(copied: Path, more: Weights) -> None:
    expected = load_weights("copied", copied, CPU).state_dict()
    change(copied, lambda weights: weights | more)
    loaded = load_weights("copied", copied, CPU).state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in expected.items())


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"model.layers.0.self_attn.q_proj.bias": torch.ones(32)}, "place for: model.layers.0.self_attn.q_proj.bias;"),
        ({f"model.layers.2.{i}": torch.ones(1) for i in "abcd"}, "model.layers.2.b, model.layers.2.c and 1 more; its"),
        ({"model.layers.0.mlp.up_proj.lora_A.weight": torch.ones(2, 32)}, "up_proj.lora_A.weight; its config.json"),
        ({"model.layers.0.mlp.up_proj.weight_scale": torch.ones(64, 1)}, "up_proj.weight_scale; its config.json"),
    ],
    ids=["bias", "layer", "adapter", "scales"],
)
def test_what_could_have_written_text_may_not(copied: Path, more: Weights, line: str) -> None:
    change(copied, lambda weights: weights | more)
    assert line in refusal(copied)


def test_config_and_weights_of_two_models(copied: Path) -> None:
    edit(copied / "config.json", intermediate_size=96)
    assert refusal(copied) == (
        "copied: its config.json and its weights are of two models: model.layers.0.mlp.down_proj.weight has the shape "
        "32 x 64, expected 32 x 96 (6 of 21 weights differ); get its files again."
    )


def experts(tmp_path: Path) -> Path:
    """A mixture of experts as it is published: a weight for each expert, which transformers stacks."""
    config = transformers.AutoConfig.for_model(
        "mixtral", **tiny.SHAPE, num_local_experts=4, num_experts_per_tok=2, head_dim=8
    )
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    return tmp_path


def test_a_weight_of_an_expert_is_missing(tmp_path: Path) -> None:
    assert load_weights("moe", experts(tmp_path), CPU).num_parameters() > 0
    change(tmp_path, without("layers.1.block_sparse_moe.experts.3.w1"))
    assert "tensors destined for model.layers.1.mlp.experts.gate_up_proj" in refusal(tmp_path)


def test_an_expert_is_missing(tmp_path: Path) -> None:
    change(experts(tmp_path), without("layers.1.block_sparse_moe.experts.3."))
    assert "model.layers.1.mlp.experts.down_proj has the shape 3 x 32 x 64, expected 4 x 32 x 64" in refusal(tmp_path)


def test_a_model_that_sees_loads_whole_or_not(tmp_path: Path) -> None:
    part = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 8,
        "projection_dim": 16,
    }
    config = transformers.LlavaConfig(
        text_config=tiny.config("llama").to_dict(),
        vision_config={"model_type": "clip_vision_model", **part},
        image_token_index=259,
        eos_token_id=256,
    )
    torch.manual_seed(0)
    transformers.LlavaForConditionalGeneration(config).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    model = LocalModel.load(str(tmp_path), options=CPU)
    assert model.generate(tiny.MIXED[:1], Sampling(max_new_tokens=2))[0].completion_tokens == 2
    change(tmp_path, without("multi_modal_projector.linear_1"))
    assert "lacks 2 of the" in refusal(tmp_path)


@pytest.mark.parametrize("stored", [False, True], ids=["when loaded", "as stored"])
def test_quantised_weights_are_looked_at_as_well(copied: Path, stored: bool) -> None:
    if not is_bitsandbytes_available():
        pytest.skip("bitsandbytes is not installed")
    options: dict[str, Any] = {"quantization": "8bit"}
    if stored:
        quantised = load_weights("copied", copied, LocalOptions(device="cpu", **options))
        quantised.save_pretrained(copied)
        options = {}
    assert load_weights("copied", copied, LocalOptions(device="cpu", **options)).num_parameters() > 0
    change(copied, without("layers.1.mlp.up_proj"))
    assert "model.layers.1.mlp.up_proj.weight" in refusal(copied, **options)


@pytest.mark.parametrize("kind", fewer(["mllama", "llama4"], ["llama4"]))
def test_of_some_that_see_only_the_text_part_is_loaded(tmp_path: Path, kind: str) -> None:
    """The rest is none of its weights; one too many in the text is."""
    config_class = next(each for each in transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING if each.model_type == kind)
    torch.manual_seed(0)
    transformers.AutoModelForImageTextToText.from_config(tiny_config(config_class)).save_pretrained(tmp_path)
    tiny.tokenizer().save_pretrained(tmp_path)
    assert any("vision" in key for key in load_file(tmp_path / "model.safetensors"))
    assert not any("vision" in key for key in load_weights("tiny", tmp_path, CPU).state_dict())
    change(tmp_path, lambda weights: weights | {"language_model.model.layers.0.self_attn.q_proj.bias": torch.ones(32)})
    assert "place for: " in refusal(tmp_path)
    assert "self_attn.q_proj.bias; its config" in refusal(tmp_path)


OWN_CODE = """
from transformers import LlamaConfig, LlamaForCausalLM
class OwnConfig(LlamaConfig):
    model_type = "own"
class OwnForCausalLM(LlamaForCausalLM):
    config_class = OwnConfig
"""


@pytest.fixture
def own_code(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that comes with its code."""
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    (copied / "own.py").write_text(OWN_CODE)
    named = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnForCausalLM"}
    edit(copied / "config.json", model_type="own", architectures=["OwnForCausalLM"], auto_map=named)
    return copied


def test_models_with_code_of_their_own_are_looked_at_as_well(own_code: Path) -> None:
    loaded = load_weights("copied", own_code, LocalOptions(device="cpu", trust_remote_code=True))
    assert type(loaded).__name__ == "OwnForCausalLM"
    assert "copied needs Python code that comes with it" in refusal(own_code)
    change(own_code, without("layers.1.mlp.up"))
    line = refusal(own_code, trust_remote_code=True)
    assert line.startswith("copied lacks 1 of the 21 weights of a OwnForCausalLM, which would be random: model.layers")


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("class Odd(Exception): pass\nraise Odd('Not today!')", "copied cannot be loaded: Not today!; get its files"),
        ("def", "copied cannot be loaded: "),
        ("import nosuchpackage", "copied cannot be loaded: This modeling file requires the following packages"),
    ],
)
def test_code_that_fails(own_code: Path, code: str, line: str) -> None:
    (own_code / "own.py").write_text(code)
    assert refusal(own_code, trust_remote_code=True).startswith(line)
