"""What a checkpoint brings besides its weights: its stops end answers, its other generation settings do nothing.

Numbers that are none are an error, never an answer.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import transformers

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.batching_trial import BatchingStrategy
from diffing.models.local.stop_tokens import StopTokens, take_stops
from diffing.models.local.tokenizers import file_stops
from diffing.types import Completion
from tests.fewer import fewer
from tests.models.local import tiny
from tests.models.local.tiny import MIXED, says

ModelFolder = Callable[[str], Path]
GREEDY = Sampling(max_new_tokens=12)
SETTINGS: list[dict[str, Any]] = [
    {"repetition_penalty": 1.3},
    {"no_repeat_ngram_size": 1},
    {"forced_eos_token_id": 65, "forced_bos_token_id": 66},
    {"penalty_alpha": 0.6, "top_k": 4},
    {"min_length": 500},
    {"min_new_tokens": 500},
    {"suppress_tokens": list(range(0, 250, 2)), "begin_suppress_tokens": list(range(1, 250, 2))},
    {"bad_words_ids": [[token] for token in range(0, 250, 3)]},
    {"sequence_bias": [[[65], 100.0]]},
    {"num_beams": 3, "length_penalty": 0.1, "early_stopping": True},
    {"num_return_sequences": 2, "num_beams": 2},
    {"max_time": 1e-9},
    {"max_length": 3},
    {"max_new_tokens": 1},
    {"prompt_lookup_num_tokens": 3},
    {"assistant_early_exit": 1},
    {"guidance_scale": 3.0},
    {"exponential_decay_length_penalty": [1, 9.0]},
    {"do_sample": True, "temperature": 9.0, "top_k": 50},
    {"dola_layers": "high"},
    {"use_cache": False},
    {"cache_implementation": "static"},
    {"return_dict_in_generate": True, "output_scores": True, "output_logits": True},
    {"watermarking_config": {"greenlist_ratio": 0.5, "bias": 9.0}},
    {"pad_token_id": 70, "bos_token_id": 71, "decoder_start_token_id": 72},
    {"renormalize_logits": True, "remove_invalid_values": True},
]


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(str(folder), options=LocalOptions(device="cpu", **options))


@pytest.fixture
def copied(model_folder: ModelFolder, tmp_path: Path) -> Callable[[str], Path]:
    return lambda kind: Path(shutil.copytree(model_folder(kind), tmp_path / kind))


def with_settings(folder: Path, settings: dict[str, Any]) -> None:
    file = folder / "generation_config.json"
    before = json.loads(file.read_text())
    file.write_text(json.dumps({**before, **settings}))


@pytest.mark.parametrize("kind", fewer(["llama", "mamba"], ["llama"]))
def test_settings_of_the_checkpoint_change_nothing(kind: str, copied: Callable[[str], Path]) -> None:
    """One after another as loading a file with them leaves them in the model, all through `generate`; then in files."""
    folder = copied(kind)
    conversations, sampling = MIXED[1:3], Sampling(max_new_tokens=6)
    model = load(folder)
    expected = model.generate(conversations, sampling)
    assert model._loaded is not None
    model._loaded = replace(model._loaded, found=BatchingStrategy("batches"))
    weights = model._loaded.model
    for settings in SETTINGS:
        weights.generation_config = transformers.GenerationConfig(eos_token_id=tiny.EOS)
        for key, value in settings.items():
            setattr(weights.generation_config, key, value)
        assert take_stops(weights) == StopTokens(frozenset({tiny.EOS}))
        assert model.generate(conversations, sampling) == expected, settings
    model.close()
    with_settings(folder, {"repetition_penalty": 1.3, "no_repeat_ngram_size": 1, "suppress_tokens": [1, 2, 3]})
    assert load(folder).generate(conversations, sampling) == expected


INVALID: list[dict[str, Any]] = [
    {"num_return_sequences": 2},
    {"temperature": "hot", "top_k": -1, "max_new_tokens": "x"},
    {"cache_implementation": "none such"},
    {"watermarking_config": 3, "compile_config": [], "use_cache": {}},
]


@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
@pytest.mark.parametrize("settings", INVALID, ids=[min(settings) for settings in INVALID])
def test_settings_that_transformers_would_refuse_are_ignored_like_all_others(
    file: str, settings: dict[str, Any], copied: Callable[[str], Path]
) -> None:
    folder = copied("llama")
    expected = load(folder).generate([says("Hi")], GREEDY)
    if file == "config.json":
        settings = {key: value for key, value in settings.items() if key != "use_cache"}  # it is one of the model's
        (folder / "generation_config.json").unlink()
    (folder / file).write_text(json.dumps(json.loads((folder / file).read_text()) | settings))
    assert load(folder).generate([says("Hi")], GREEDY) == expected


def test_stop_texts_of_older_checkpoints_stand_in_the_configuration(copied: Callable[[str], Path]) -> None:
    folder = copied("llama")
    (folder / "generation_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "stop_strings": ["abc", 3, ""]}))
    assert file_stops("copied", folder) == StopTokens(texts=("abc",))


def test_stops_come_from_all_of_a_checkpoint(copied: Callable[[str], Path]) -> None:
    """One is named in generation_config.json alone, one in config.json alone, and a text ends an answer as well."""
    folder = copied("llama")
    [whole] = load(folder).generate([says("Hi")], Sampling(max_new_tokens=40))
    assert len(whole.text) > 6
    with_settings(folder, {"eos_token_id": [7, tiny.EOS], "stop_strings": [whole.text[3:5], " "]})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "eos_token_id": 9}))
    model = load(folder)
    [cut] = model.generate([says("Hi")], Sampling(max_new_tokens=40))
    assert model._loaded is not None
    assert model._loaded.chat.stop_ids == {7, 9, tiny.EOS, tiny.IM_END}
    assert cut.finish == "stop"
    assert cut.text == whole.text[: min(whole.text.find(whole.text[3:5]), (whole.text + " ").find(" "))]


@pytest.mark.parametrize("value", [None, "text", ["a", None, 1.5, True], {"a": 1}])
def test_stops_that_are_none_say_nothing(value: object) -> None:
    model = transformers.LlamaForCausalLM(tiny.config("llama"))
    model.generation_config.eos_token_id = value
    model.generation_config.stop_strings = value
    texts = {"text": ("text",), "['a', None, 1.5, True]": ("a",)}.get(str(value), ())
    assert take_stops(model) == StopTokens(frozenset({tiny.EOS}), texts)


def spoil(folder: Path, key: str, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    file = folder / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    assert key in weights
    weights[key] = change(weights[key]).contiguous()
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})


NAN = {
    "llama": "model.layers.1.mlp.down_proj.weight",
    "mamba": "backbone.layers.1.mixer.out_proj.weight",
}
NO_NUMBERS = "computes no usable numbers .NaN or infinite. after the prompt "


@pytest.mark.parametrize("kind", ["llama", "mamba"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_an_error(kind: str, value: float, copied: Callable[[str], Path]) -> None:
    folder = copied(kind)
    spoil(folder, NAN[kind], lambda weight: torch.full_like(weight, value))
    model = load(folder)
    with pytest.raises(ModelError, match=rf"^{kind}@\w+ {NO_NUMBERS}.*: its weights are damaged, get its files again"):
        model.generate([says("Hi")], GREEDY)
    with pytest.raises(ModelError, match=NO_NUMBERS):
        model.next_token_logprobs([says("Hi")])


@pytest.mark.parametrize("kind", ["llama", "mamba"])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_the_prompt_that_leads_nowhere_is_named_and_the_others_are_kept(
    kind: str, temperature: float, copied: Callable[[str], Path]
) -> None:
    """Only the letter `~` has no embedding that is a number."""
    folder = copied(kind)
    letter = tiny.tokenizer().encode("~", add_special_tokens=False)[0]
    name = "model.embed_tokens.weight" if kind == "llama" else "backbone.embeddings.weight"

    def unset(weight: torch.Tensor) -> torch.Tensor:
        weight[letter] = float("nan")
        return weight

    spoil(folder, name, unset)
    model = load(folder, max_batch_rows=1)
    kept: list[int] = []
    sampling = Sampling(max_new_tokens=3, temperature=temperature)
    conversations = [says("Hi"), says("Hello\n~ there, how are you?"), says("Bye")]
    if kind == "mamba":  # its head is tied to its embeddings: nothing it says is a number
        with pytest.raises(ModelError, match=NO_NUMBERS):
            model.generate(conversations, sampling)
        return
    with pytest.raises(ModelError, match=NO_NUMBERS + r"'Hello ~ there, how are you\?': its weights are damaged"):
        model.generate(conversations, sampling, on_completion=lambda index, completion: kept.append(index))
    assert kept == [0, 2]  # the shorter ones came first
    with pytest.raises(ModelError, match=NO_NUMBERS + r"'Hello ~ there, how are you\?'"):
        model.next_token_logprobs(conversations)


@pytest.mark.parametrize(
    ("dtype", "remedy"),
    [("float16", "float16 is too narrow for many models, load it with dtype bfloat16 or float32"), ("bfloat16", "")],
)
def test_a_type_that_is_too_narrow_is_named(dtype: str, remedy: str, copied: Callable[[str], Path]) -> None:
    folder = copied("llama")
    spoil(folder, "lm_head.weight", lambda weight: weight * 1e6)
    model = load(folder, dtype=dtype)
    if not remedy:
        assert model.generate([says("Hi")], GREEDY)[0].finish in ("stop", "length")
        return
    with pytest.raises(ModelError, match=rf"#float16 {NO_NUMBERS}.*: {remedy}\.$"):
        model.generate([says("Hi")], GREEDY)


@pytest.mark.parametrize("kind", ["llama", "mamba"])
def test_progress_comes_token_by_token(kind: str, model_folder: ModelFolder) -> None:
    """Also where rows wait for the longest of their batch: every step is told, and every answer when it ends."""
    events: list[int | str] = []

    def tell(index: int, completion: Completion) -> None:
        events.append(f"answer {index}")

    answers = load(model_folder(kind), max_batch_rows=3).generate(
        MIXED[:3], Sampling(max_new_tokens=6), on_completion=tell, on_tokens=events.append
    )
    counts = [event for event in events if isinstance(event, int)]
    assert sum(counts) == sum(answer.completion_tokens or 0 for answer in answers)
    assert len(counts) == max(answer.completion_tokens or 0 for answer in answers)
    assert max(counts) <= 3


def with_token(folder: Path, token: str, template: str | None = None) -> int:
    """Gives the tokenizer a token for which the model has no embedding; returns its number, the model's size."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    tokenizer.add_tokens([*(f"<{number}>" for number in range(len(tokenizer), size)), token])
    if template is not None:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return int(tokenizer.convert_tokens_to_ids(token))


def test_a_word_without_an_embedding_is_that_prompts_own_matter(copied: Callable[[str], Path]) -> None:
    folder = copied("llama")
    number = with_token(folder, "zyxw")
    answered, rejected = load(folder).generate([says("a"), says("zyxw")], GREEDY)
    assert answered.finish in ("stop", "length")
    assert (rejected.text, rejected.finish) == ("", "rejected")
    assert rejected.detail == f"a word of it is token {number}, the model knows {number}"


def test_a_template_with_a_token_without_an_embedding_is_refused(copied: Callable[[str], Path]) -> None:
    folder = copied("llama")
    number = with_token(folder, "zyxw", "{% for m in messages %}zyxw{{ m.content }}{% endfor %}")
    with pytest.raises(ModelError, match=f"knows {number} tokens, its tokenizer or chat template uses number {number}"):
        load(folder).generate([says("a")], GREEDY)
