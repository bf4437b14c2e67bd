"""Whatever loading raises is one line that keeps the reason, whoever raises what."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from diffing.errors import DiffingError, ModelError, SettingError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.load_errors import one_line, quiet, reason
from tests.models.local import tiny
from tests.models.local.model_folders import edit, refusal

ModelFolder = Callable[[str], Path]


# one line


def failing(error: BaseException) -> str:
    with pytest.raises(ModelError) as caught, one_line("tiny cannot be loaded", "get its files again"):
        raise error
    return str(caught.value)


class PanicException(BaseException):
    """As libraries written in Rust raise it."""


class Unprintable(Exception):
    """An error of code that comes with a model."""

    def __str__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("It is broken."), "tiny cannot be loaded: It is broken; get its files again."),
        (
            ValueError("\n\n  A table:\n  the reason\n more"),
            "tiny cannot be loaded: A table: the reason; get its files a",
        ),
        (KeyError("weight_map"), "tiny cannot be loaded: there is no 'weight_map'; get its files again."),
        (AssertionError(), "tiny cannot be loaded: AssertionError; get its files again."),
        (AssertionError(7), "tiny cannot be loaded: AssertionError: 7; get its files again."),
        (
            ImportError("It needs gptqmodel"),
            "tiny cannot be loaded: It needs gptqmodel; install what is missing, or use",
        ),
        (PanicException("no entry found"), "tiny cannot be loaded: no entry found; get its files again."),
        (Unprintable(), "tiny cannot be loaded: Unprintable; get its files again."),
        (ValueError("\x1b[31mred\x07 alarm"), "tiny cannot be loaded: [31mred alarm; get its files again."),
        (RecursionError("too deep for this"), "tiny cannot be loaded: too deep for this; get its files again."),
        (
            MemoryError(),
            "tiny cannot be loaded: out of memory; quantise the model (4bit), use a smaller one",
        ),
        (torch.OutOfMemoryError("x"), "tiny cannot be loaded: out of memory; quantise the model (4bit), use a smaller"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate"),
            "tiny cannot be loaded: out of memory; quantise",
        ),
    ],
)
def test_every_failure_is_one_line(error: BaseException, line: str) -> None:
    assert failing(error).startswith(line)


def test_long_reasons_are_cut() -> None:
    assert failing(ValueError("word " * 10_000)).endswith("word...; get its files again.")
    assert len(failing(ValueError("word " * 10_000))) < 400


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), SettingError("our own: do this.")])
def test_what_is_no_failure_of_a_model_goes_on(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, one_line("tiny cannot be loaded", "get its files again"):
        raise error
    assert caught.value is error


def test_the_reason_behind_a_reason() -> None:
    def wrapped() -> None:
        try:
            raise OSError("The disk is gone.")
        except OSError as error:
            raise ValueError("It does not work.") from error

    with pytest.raises(ValueError, match="It does not work") as caught:
        wrapped()
    assert reason(caught.value) == "It does not work (The disk is gone)"


def test_what_was_logged_as_the_reason_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """transformers writes some reasons into a table of many lines, which nobody has to see."""
    import transformers

    logger = transformers.utils.logging.get_logger("transformers.modeling_utils")

    def load() -> None:
        with quiet():
            logger.warning("A | table\nError: the seventh expert is missing\nmore")
            raise RuntimeError("see above")

    with pytest.raises(RuntimeError, match="see above") as caught:
        load()
    assert reason(caught.value) == "the seventh expert is missing"
    assert "table" not in "".join(capsys.readouterr())


# files of models


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 32}},
            "copied cannot be loaded: Loading a GPTQ quantized model requires ",
        ),
        (
            {"quantization_config": {}},
            "copied cannot be loaded: The model's quantization config from",
        ),
        (
            {"_attn_implementation": "flash_attention_2"},
            "copied cannot be loaded: FlashAttention2 has been toggled on, but it cannot be used",
        ),
        ({"hidden_act": "nosuch"}, "copied cannot be loaded: there is no 'nosuch'; get its files again or use another"),
        ({"head_dim": 0}, "copied cannot be loaded: "),
        (
            {"pad_token_id": 999_999},
            "copied cannot be loaded: Padding_idx must be within num_embeddings; get its files",
        ),
    ],
)
def test_a_configuration_that_cannot_be_used(copied: Path, values: dict[str, object], line: str) -> None:
    edit(copied / "config.json", **values)
    assert refusal(copied).startswith(line)


def test_a_package_that_is_missing_is_to_be_installed(copied: Path) -> None:
    edit(copied / "config.json", quantization_config={"quant_method": "gptq", "bits": 4, "group_size": 32})
    assert refusal(copied).endswith("; install what is missing, or use another model.")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("tokenizer.json", b"", "copied has no usable tokenizer: Expecting value: line 1 column 1 (char 0); expected "),
        (
            "tokenizer.json",
            b"{}",
            "copied has no usable tokenizer: there is no 'added_tokens'; expected",
        ),
        ("tokenizer.json", b"null", "copied has no usable tokenizer: "),
        ("tokenizer_config.json", b"{", "copied has no usable tokenizer: Expecting property name"),
        (
            "tokenizer_config.json",
            b'{"eos_token": 7}',
            "copied has no usable tokenizer: Special token eos",
        ),
        ("generation_config.json", b"{", "copied: its generation_config.json cannot be read: Expecting property name"),
        ("generation_config.json", b"[]", "copied: its generation_config.json holds a list, expected an object; get"),
        (
            "generation_config.json",
            b'{"eos_token_id": "<|im_end|>"}',
            "copied: its generation_config.json gives eos_token_id as '<|im_end|>', expected a number or a list of",
        ),
        (
            "generation_config.json",
            b'{"eos_token_id": [256, "x"]}',
            "copied: its generation_config.json gives eos",
        ),
        ("config.json", b"\xff\xfe{", "copied: its config.json is not JSON ("),
        ("config.json", b"[]", "copied: its config.json holds a list, expected an object; get the file again."),
        ("model.safetensors", b"", "copied: its safetensors files cannot be read: "),
        ("model.safetensors", b"\x08\0\0\0\0\0\0\0{}      ", "copied lacks 21 of the 21 weights of a LlamaForCausalLM"),
        (
            "model.safetensors",
            b'\x36\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":"x","data_offsets":[0,4]}}' + bytes(8),
            "copied: its safetensors files cannot be read: ",
        ),
    ],
)
def test_broken_files(copied: Path, name: str, content: bytes, line: str) -> None:
    (copied / name).write_bytes(content)
    assert refusal(copied).startswith(line)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_pointer_of_git_lfs_is_no_file(copied: Path, name: str) -> None:
    (copied / name).write_bytes(POINTER)
    assert refusal(copied) == (
        f"copied: its {name} is a Git LFS pointer, which names a file without holding it; fetch the file itself "
        "(git lfs pull, or hf download)."
    )


@pytest.mark.parametrize("name", ["part.safetensors", "model.safetensors.index.json"])
def test_a_pointer_in_the_place_of_a_shard_or_an_index(copied: Path, name: str) -> None:
    (copied / "model.safetensors").rename(copied / "part.safetensors")
    (copied / "model.safetensors.index.json").write_text('{"weight_map": {"lm_head.weight": "part.safetensors"}}')
    (copied / name).write_bytes(POINTER)
    assert refusal(copied).startswith(f"copied: its {name} is a Git LFS pointer, ")


def test_a_pointer_that_nobody_follows_is_harmless(copied: Path) -> None:
    for name in ("consolidated.safetensors", "tokenizer.model", "pytorch_model.bin"):
        (copied / name).write_bytes(POINTER)
    assert LocalModel.load(str(copied), options=LocalOptions(device="cpu")).generate(
        tiny.MIXED[:1], Sampling(max_new_tokens=1)
    )


def test_half_a_file(copied: Path) -> None:
    file = copied / "model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert refusal(copied) == (
        f"copied: its safetensors files cannot be read: model.safetensors has {len(content) // 2:,} of "
        f"{len(content):,} bytes; get them again."
    )


def test_a_file_that_is_a_folder(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors").mkdir()
    assert refusal(copied).startswith("copied: its safetensors files cannot be read: [Errno 21] Is a directory")


def changed_tokenizer(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda file: file.pop("model"), "copied has no usable tokenizer: Model missing"),
        (lambda file: file["model"].update(type="NoSuch"), "copied has no usable tokenizer: "),
        (
            lambda file: file.update(
                pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}
            ),
            "copied has no usable tokenizer: ",
        ),
        (
            lambda file: file["model"].update(vocab={}, merges=[]),
            "copied: its tokenizer gives nothing of an English text back, but '': get its files again, or use another",
        ),
        (
            lambda file: file.update(decoder=None),
            "copied: its tokenizer gives nothing of an English text back, but 'h o w",
        ),
    ],
    ids=["no model", "unknown model", "bad pattern", "no words", "no decoder"],
)
def test_tokenizers_that_cannot_be_used(copied: Path, change: Callable[[dict[str, Any]], object], line: str) -> None:
    changed_tokenizer(copied, change)
    assert refusal(copied).startswith(line)


@pytest.mark.parametrize(
    "template",
    [
        "{{ tools|length }}{{ messages[0].content }}",
        "{{ messages[0].nothing.at.all }}",
        "{% for i in range(10**12) %}x{% endfor %}",
        "{{ 1 / 0 }}",
        "{% if %}",
    ],
)
def test_templates_that_cannot_be_used(copied: Path, template: str) -> None:
    (copied / "chat_template.jinja").write_text(template)
    line = refusal(copied)
    assert line.startswith("copied: its chat template cannot be used (")
    assert line.endswith("); give another chat template.")


def test_named_templates_without_a_default(copied: Path) -> None:
    (copied / "chat_template.jinja").unlink()
    named = [{"name": "tool_use", "template": "x"}, {"name": "rag", "template": "y"}]
    edit(copied / "tokenizer_config.json", chat_template=named)
    assert "multiple chat templates with no default" in refusal(copied)


def test_a_template_with_a_token_that_has_no_embedding(copied: Path) -> None:
    tokenizer = tiny.tokenizer(tiny.CHATML.replace("<|im_start|>", "<new>"))
    tokenizer.add_tokens(["<newer>", "<new>"], special_tokens=True)
    tokenizer.save_pretrained(copied)
    assert "knows 260 tokens, its tokenizer or chat template uses number 260" in refusal(copied)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_files_with_changed_bytes(model_folder: ModelFolder, tmp_path: Path, seed: int) -> None:
    """They answer, or are refused in one line."""
    choice = random.Random(seed)
    for number in range(5):
        folder = Path(shutil.copytree(model_folder("llama"), tmp_path / str(number)))
        file = choice.choice(sorted(folder.iterdir()))
        content = bytearray(file.read_bytes())
        for _ in range(choice.randint(1, 5)):
            content[choice.randrange(min(len(content), 2200))] = choice.randrange(256)
        file.write_bytes(content[: choice.choice([len(content), choice.randrange(len(content))])])
        try:
            LocalModel.load(str(folder), options=LocalOptions(device="cpu")).generate(
                tiny.MIXED[:1], Sampling(max_new_tokens=2)
            )
        except DiffingError as error:
            line = str(error)
        else:
            line = "answered"
        assert "\n" not in line
        assert len(line) < 900
