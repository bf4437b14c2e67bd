"""An adapter is asked in its own format, fits in every weight, and changes what the model says; else it is refused."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from safetensors.torch import load_file, save_file

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.adapter import add_adapter
from diffing.models.local.stop_tokens import StopTokens
from diffing.models.local.tokenizers import file_stops
from tests.fewer import fewer
from tests.models.local import tiny
from tests.models.local.model_folders import edit

CPU = LocalOptions(device="cpu", dtype="float32")
PROMPT = list(range(30, 70))
TURNS = tiny.CHATML.replace("<|im_start|>", "<turn>").replace("<|im_end|>", "</turn>")
"""A format with tokens that the base does not know."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model without a chat template."""
    return tiny.save(tmp_path_factory.mktemp("bases") / "base", template=None)


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its head tied to its embeddings."""
    folder = tiny.save(tmp_path_factory.mktemp("bases") / "tied", template=None)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"tie_word_embeddings": True}))
    transformers.AutoModelForCausalLM.from_pretrained(folder).save_pretrained(folder)
    return folder


def raw(base: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(input_ids=torch.tensor([PROMPT])).logits[:, -len(PROMPT) :]


def tune(base: Path, folder: Path, config: Any = None, *, tokens: int | None = None, trained: bool = True) -> Any:
    """Saves an adapter over a base; returns the model that it was saved from."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = raw(base)
        if tokens is not None:
            model.resize_token_embeddings(tokens)
        adapted: Any = peft.get_peft_model(model, config or lora())
        with torch.no_grad():
            for weight in adapted.parameters():
                if weight.requires_grad and trained:
                    weight.add_(torch.randn_like(weight) * 0.3)
    adapted.save_pretrained(folder)
    return adapted


def lora(**values: Any) -> peft.LoraConfig:
    return peft.LoraConfig(**{"r": 2, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"} | values)


def change(folder: Path, new: Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    file = folder / "adapter_model.safetensors"
    save_file(new(load_file(file)), file)


def asked(base: Path, adapter: Path) -> LocalModel:
    model = LocalModel.load(f"{base}+{adapter}", options=CPU)
    assert model.generate(tiny.MIXED[:1], Sampling(max_new_tokens=2))[0].detail is None
    return model


def prompt_of(base: Path, adapter: Path) -> str:
    """What the model reads for "Hi", specials and all."""
    loaded = asked(base, adapter).loaded()
    return str(loaded.chat._tokenizer.decode(loaded.chat.encode(tiny.says("Hi"))))


def stops_of(base: Path, adapter: Path) -> set[str]:
    chat = asked(base, adapter).loaded().chat
    return {str(chat._tokenizer.convert_ids_to_tokens(token)) for token in chat.stop_ids}


def refusal(base: Path, adapter: Path) -> str:
    with pytest.raises(ModelError) as caught:
        asked(base, adapter)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# how it is asked


def test_without_a_format_of_its_own_it_is_asked_as_its_base(base: Path, tmp_path: Path) -> None:
    tune(base, tmp_path / "tuned")
    assert prompt_of(base, tmp_path / "tuned") == "User: Hi\nAssistant:"
    assert stops_of(base, tmp_path / "tuned") == {"<|endoftext|>"}


CHATML_HI = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("files", ["tokenizer", "template", "settings", "tokens alone"])
def test_it_is_asked_in_its_own_format(base: Path, tmp_path: Path, files: str) -> None:
    """With a whole tokenizer, a template beside the base's tokenizer, settings of it, or a vocabulary without any."""
    folder = tmp_path / "tuned"
    tune(base, folder)
    own = tiny.tokenizer()
    own.eos_token = "<|im_end|>"
    if files == "tokenizer":
        own.save_pretrained(folder)
    elif files == "template":
        (folder / "chat_template.jinja").write_text(tiny.CHATML)
    elif files == "settings":
        eos = {"content": "<|im_end|>", "special": True}
        edit(folder / "tokenizer_config.json", chat_template=tiny.CHATML, eos_token=eos)
    else:
        own.save_pretrained(folder)
        (folder / "tokenizer_config.json").unlink()
    assert prompt_of(base, folder) == CHATML_HI
    assert stops_of(base, folder) == {"<|endoftext|>", "<|im_end|>"}


def test_a_tokenizer_without_a_template_keeps_the_bases(tmp_path: Path) -> None:
    base = tiny.save(tmp_path / "base")
    tune(base, tmp_path / "tuned")
    tiny.tokenizer(None).save_pretrained(tmp_path / "tuned")
    assert prompt_of(base, tmp_path / "tuned") == CHATML_HI


def test_its_generation_configuration_stops_it(base: Path, tmp_path: Path) -> None:
    tune(base, tmp_path / "tuned")
    edit(tmp_path / "tuned" / "generation_config.json", eos_token_id=[257, 258], temperature=0.1)
    assert stops_of(base, tmp_path / "tuned") == {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}


def test_its_other_generation_settings_do_nothing(base: Path, tmp_path: Path) -> None:
    """Even those that transformers would refuse."""
    tune(base, tmp_path / "tuned")
    settings = {"num_return_sequences": 2, "temperature": "hot", "top_k": -1, "max_new_tokens": "x"}
    edit(tmp_path / "tuned" / "generation_config.json", **settings, eos_token_id=[257, 258], stop_strings=["abc"])
    assert stops_of(base, tmp_path / "tuned") == {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
    assert file_stops("tuned", tmp_path / "tuned") == StopTokens(frozenset({257, 258}), ("abc",))


def test_what_decides_its_format_is_in_the_identity(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    tune(base, folder)
    seen = {LocalModel.load(f"{base}+{folder}", options=CPU).id}
    for name, text in [
        ("chat_template.jinja", tiny.CHATML),
        ("generation_config.json", '{"eos_token_id": 257}'),
        ("tokenizer_config.json", "{}"),
    ]:
        (folder / name).write_text(text)
        seen.add(LocalModel.load(f"{base}+{folder}", options=CPU).id)
    assert len(seen) == 4


@pytest.mark.parametrize("which", fewer(["base", "tied"], ["tied"]))
@pytest.mark.parametrize("saved", [[], ["embed_tokens"], ["embed_tokens", "lm_head"]], ids=["frozen", "one", "both"])
def test_embeddings_grow_with_its_tokens(
    request: pytest.FixtureRequest, tmp_path: Path, which: str, saved: list[str]
) -> None:
    """Whether they were trained or only grown before the training: the model is the one that was saved."""
    base = request.getfixturevalue(which)
    own = tiny.tokenizer(TURNS)
    own.add_tokens(["<turn>", "</turn>"], special_tokens=True)
    trained = tune(base, tmp_path, lora(modules_to_save=saved or None), tokens=len(own) + 3)
    own.save_pretrained(tmp_path)
    assert prompt_of(base, tmp_path) == "<turn>user\nHi</turn>\n<turn>assistant\n"
    assert "</turn>" in stops_of(base, tmp_path)
    torch.testing.assert_close(logits(asked(base, tmp_path).loaded().model), logits(trained))


def test_embeddings_shrink_with_it(base: Path, tmp_path: Path) -> None:
    trained = tune(base, tmp_path, tokens=259)
    torch.testing.assert_close(logits(asked(base, tmp_path).loaded().model), logits(trained))


def test_new_tokens_that_come_without_embeddings(base: Path, tmp_path: Path) -> None:
    own = tiny.tokenizer(TURNS)
    own.add_tokens(["<turn>", "</turn>"], special_tokens=True)
    tune(base, tmp_path / "tuned")
    own.save_pretrained(tmp_path / "tuned")
    assert "knows 260 tokens, its tokenizer or chat template uses number 260" in refusal(base, tmp_path / "tuned")


def test_half_of_the_embeddings_that_were_grown(base: Path, tmp_path: Path) -> None:
    tune(base, tmp_path / "tuned", tokens=300)
    change(tmp_path / "tuned", lambda weights: {k: v for k, v in weights.items() if "lm_head" not in k})
    assert refusal(base, tmp_path / "tuned") == (
        "The adapter tuned brings embeddings of 300 tokens and nothing for lm_head, which has 260: expected both; save "
        "it with save_embedding_layers=True."
    )


# that it fits


def renamed(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key.replace("model.layers", "language_model.model.layers"): value for key, value in weights.items()}


def longer(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    more = {key.replace("layers.1", "layers.2"): value.clone() for key, value in weights.items() if "layers.1" in key}
    return {**weights, **more}


def shorter(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key: value for key, value in weights.items() if "layers.1" not in key}


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            renamed,
            "The adapter tuned does not fit the base model, which has no place for 8 of its 8 weights, such as "
            "language_model.model.layers.0.self_attn.q_proj.lora_A.weight; name the base it was made for.",
        ),
        (
            longer,
            "The adapter tuned does not fit the base model, which has no place for 4 of its 12 weights, such as "
            "model.layers.2.self_attn.q_proj.lora_A.weight; name the base it was made for.",
        ),
        (
            shorter,
            "The adapter tuned lacks 4 of its weights, which would be random, such as "
            "model.layers.1.self_attn.q_proj.lora_A.weight; get its files again.",
        ),
    ],
)
def test_weights_without_a_place_and_places_without_weights(
    base: Path, tmp_path: Path, changed: Callable[..., dict[str, torch.Tensor]], line: str
) -> None:
    tune(base, tmp_path / "tuned")
    change(tmp_path / "tuned", changed)
    assert refusal(base, tmp_path / "tuned") == line


def test_a_whole_module_is_missing(base: Path, tmp_path: Path) -> None:
    tune(base, tmp_path / "tuned", lora(modules_to_save=["lm_head"]))
    change(tmp_path / "tuned", lambda weights: {k: v for k, v in weights.items() if "lm_head" not in k})
    assert refusal(base, tmp_path / "tuned") == (
        "The adapter tuned does not fit the base model: there is no 'base_model.model.lm_head.weight'; name the base "
        "it was made for, or get its files again."
    )


@pytest.mark.parametrize("kind", ["never trained", "learnt a token that it has already"])
def test_an_adapter_that_changes_nothing(base: Path, tmp_path: Path, kind: str) -> None:
    """A fresh LoRA (B is zero) is exactly its base: to compare them would be a mistake that looks like a result."""
    config = lora() if kind == "never trained" else peft.TrainableTokensConfig(token_indices=[1], task_type="CAUSAL_LM")
    tune(base, tmp_path / "tuned", config, trained=False)
    assert refusal(base, tmp_path / "tuned") == (
        "The adapter tuned changes nothing: with and without it the model has the same logits for a prompt, as with an "
        "adapter that was never trained; expected a trained one. To ask the base model, name it alone."
    )


def test_an_adapter_for_another_task(base: Path, tmp_path: Path) -> None:
    tune(base, tmp_path / "tuned")
    edit(tmp_path / "tuned" / "adapter_config.json", task_type="SEQ_CLS")
    with pytest.raises(ModelError, match=r"^The adapter tuned is for the task SEQ_CLS: expected one for a model that"):
        LocalModel.load(f"{base}+{tmp_path / 'tuned'}", options=CPU)


TARGETS: dict[str, Any] = {"target_modules": ["q_proj", "v_proj"]}
KINDS: dict[str, dict[str, Any]] = {
    "ADALORA": {"total_step": 10},
    "ADAPTION_PROMPT": {"adapter_len": 4, "adapter_layers": 2, "target_modules": None},
    "BOFT": {"boft_block_size": 4},
    "C3A": {"block_size": 16},
    "CPT": {"cpt_token_ids": [1, 2, 3, 4], "cpt_tokens_type_mask": [1, 2, 3, 4], "target_modules": ...},
    "FOURIERFT": {"n_frequency": 20},
    "IA3": {"feedforward_modules": []},
    "LN_TUNING": {"target_modules": ["input_layernorm"]},
    "MISS": {"r": 8},
    "OFT": {"oft_block_size": 4, "r": 0},
    "PREFIX_TUNING": {"num_virtual_tokens": 4, "target_modules": ...},
    "PROMPT_TUNING": {"num_virtual_tokens": 4, "target_modules": ...},
    "P_TUNING": {"num_virtual_tokens": 4, "encoder_hidden_size": 16, "target_modules": ...},
    "ROAD": {"group_size": 8},
    "SHIRA": {"r": 2},
    "TRAINABLE_TOKENS": {"token_indices": [1, 2], "target_modules": ["embed_tokens"]},
    "VBLORA": {"num_vectors": 16, "vector_length": 8, "topk": 2, "r": 2},
    **{kind: {} for kind in ("LORA", "LOHA", "LOKR", "VERA", "HRA", "RANDLORA", "BONE", "DELORA", "OSF")},
    "WAVEFT": {"n_frequency": 20},
}
"""Kinds of adapters, with what each needs to be tiny."""


@pytest.mark.parametrize("kind", fewer(sorted(KINDS), ("LORA", "IA3", "PREFIX_TUNING", "TRAINABLE_TOKENS")))
def test_kinds_of_adapters_load_as_they_were_saved(base: Path, tmp_path: Path, kind: str) -> None:
    made = {str(getattr(name, "value", name)): config for name, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}.get(kind)
    if made is None:
        pytest.skip("not in this release of PEFT")
    values = {"task_type": "CAUSAL_LM"} | TARGETS | KINDS[kind]
    try:
        trained = tune(base, tmp_path, made(**{key: value for key, value in values.items() if value is not ...}))
    except ValueError as error:
        pytest.skip(f"cannot be made tiny: {error}")
    loaded = add_adapter(raw(base), "tuned", tmp_path)
    torch.testing.assert_close(logits(loaded), logits(trained))
    assert asked(base, tmp_path)


# broken files


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"peft_type": "NOSUCH"}, "The adapter tuned does not fit the base model: there is no 'NOSUCH'; name the base"),
        (
            {"peft_type": None},
            "The adapter tuned has no peft_type in its adapter_config.json: expected what PEFT saves",
        ),
        ({"r": "x"}, "The adapter tuned does not fit the base model: '<=' not supported"),
        ({"target_modules": 7}, "The adapter tuned does not fit the base model: "),
        (
            {"target_modules": ["nosuch"]},
            "The adapter tuned does not fit the base model: Target modules {'nosuch'} not",
        ),
        ({"r": 5}, "The adapter tuned does not fit the base model: Error(s) in loading state_dict for PeftModelFor"),
    ],
)
def test_a_broken_configuration(base: Path, tmp_path: Path, values: dict[str, object], line: str) -> None:
    tune(base, tmp_path / "tuned")
    edit(tmp_path / "tuned" / "adapter_config.json", **values)
    assert refusal(base, tmp_path / "tuned").startswith(line)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("adapter_config.json", b"{", "tuned: its adapter_config.json is not JSON (Expecting"),
        ("adapter_config.json", b"[]", "tuned: its adapter_config.json holds a list, expected an object; get the file"),
        ("adapter_model.safetensors", b"\xff" * 9, "The adapter tuned: its adapter_model.safetensors cannot be read: "),
        (
            "adapter_model.safetensors",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
            "The adapter tuned: its adapter_model.safetensors is a Git LFS pointer, which",
        ),
        ("tokenizer.json", b"{", "The adapter tuned has no usable tokenizer: Expecting property name"),
        ("tokenizer_config.json", b"{", "The adapter tuned: its tokenizer_config.json cannot be read: Expecting"),
        (
            "chat_template.jinja",
            b"\xff\xfe",
            "The adapter tuned: its chat_template.jinja cannot be read: 'utf-8' codec",
        ),
        ("generation_config.json", b'{"eos_token_id": "</s>"}', "The adapter tuned: its generation_config.json gives"),
    ],
)
def test_a_broken_file(base: Path, tmp_path: Path, name: str, content: bytes, line: str) -> None:
    tune(base, tmp_path / "tuned")
    (tmp_path / "tuned" / name).write_bytes(content)
    assert refusal(base, tmp_path / "tuned").startswith(line)


def test_half_of_its_weights(base: Path, tmp_path: Path) -> None:
    tune(base, tmp_path / "tuned")
    file = tmp_path / "tuned" / "adapter_model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-100])
    assert refusal(base, tmp_path / "tuned") == (
        f"The adapter tuned: its adapter_model.safetensors cannot be read: adapter_model.safetensors has "
        f"{len(content) - 100:,} of {len(content):,} bytes; get it again."
    )


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"base_model_name_or_path": ["x"]}', '{"base_model_name_or_path": "\\n"}']
)
def test_alone_it_names_its_base_where_it_can(base: Path, tmp_path: Path, content: str) -> None:
    folder = tmp_path / "tuned"
    tune(base, folder)
    (folder / "adapter_config.json").write_text(content)
    with pytest.raises(
        Exception, match=r"^tuned(: its adapter_config.json| is an adapter: .* as in base\+tuned)"
    ) as told:
        LocalModel.load(str(folder), options=CPU)
    assert "\n" not in str(told.value)
    shutil.rmtree(folder)
