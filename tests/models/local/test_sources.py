"""What a spec means, what a folder holds, and who it is."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers

from diffing.errors import ModelError, SettingError
from diffing.model_ref import ModelPlace, ModelRef, parse_local_spec
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions, size_of
from tests.models.local.model_folders import shard
from tests.models.local.tiny import MIXED

ModelFolder = Callable[[str], Path]


def save_adapter(base: Path, folder: Path, rank: int = 4) -> Path:
    """A LoRA adapter with random weights that do something."""
    import peft

    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = transformers.AutoModelForCausalLM.from_pretrained(base)
        lora = peft.LoraConfig(r=rank, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        peft.get_peft_model(model, lora).save_pretrained(folder)
    return folder


def load(spec: object, **options: object) -> LocalModel:
    return LocalModel.load(str(spec), options=LocalOptions(device="cpu", **options))  # type: ignore[arg-type]


HUB, FOLDER = ModelPlace.HUB, ModelPlace.FOLDER


def test_specs(tmp_path: Path) -> None:
    odd = tmp_path / "a+b@c"
    odd.mkdir()
    folder = ModelRef(FOLDER, str(odd))
    assert folder.folder == odd
    assert parse_local_spec("org/name") == ModelRef(HUB, "org/name")
    assert parse_local_spec("org/name@refs/pr/3") == ModelRef(HUB, "org/name", "refs/pr/3")
    both = ModelRef(HUB, "org/base", "v1", adapter=ModelRef(HUB, "org/tuned", "v2"))
    assert parse_local_spec("org/base@v1+org/tuned@v2") == both
    assert parse_local_spec(str(odd)) == folder
    assert parse_local_spec(f"org/base+{odd}") == ModelRef(HUB, "org/base", adapter=folder)
    assert parse_local_spec(f"{odd}+org/tuned") == ModelRef(FOLDER, str(odd), adapter=ModelRef(HUB, "org/tuned"))


@pytest.mark.parametrize("spec", ["", "./no/such/folder", "a/b/c", "org/name@", "org/na me", "+org/x", "../up+org/x"])
def test_specs_that_name_nothing(spec: str) -> None:
    with pytest.raises(
        SettingError, match=r"is org/name\[@revision\], an existing folder, or base\+adapter; .* is none"
    ):
        parse_local_spec(spec)


def test_a_type_of_weights_that_is_none() -> None:
    with pytest.raises(SettingError, match="'bf16' is no type of weights: expected one of auto, bfloat16"):
        LocalOptions(dtype="bf16")


def test_a_folder_is_its_content(copied: Path, tmp_path: Path) -> None:
    """Weights that differ in one byte are another model, at equal size and time; a copy elsewhere is the same one."""
    first = load(copied).id
    assert first.startswith("copied@")
    assert len(first) == len("copied@") + 12
    again = Path(shutil.copytree(copied, tmp_path / "elsewhere" / "copied"))
    assert load(again).id == first
    weights = again / "model.safetensors"
    before = weights.stat()
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert load(again).id != first
    (copied / "training_log.csv").write_text("not part of the model")
    assert load(copied).id == first


def test_answers_of_one_type_of_numbers_are_not_those_of_another(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that a machine with fast bfloat16 filled says nothing about float32."""
    plain = load(copied).id
    monkeypatch.setattr("diffing.models.local.memory.fast_bfloat16", lambda: True)
    fast = load(copied)
    assert fast.id == f"{plain}#bfloat16"
    fast.generate(MIXED[:1], Sampling(max_new_tokens=1))
    assert fast._loaded is not None
    assert fast._loaded.model.dtype == torch.bfloat16


def test_what_decides_the_text_is_in_the_id(copied: Path, tmp_path: Path) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{{ messages[0]['content'] }}")
    plain = load(copied).id
    assert load(copied, dtype="bfloat16").id == f"{plain}#bfloat16"
    assert load(copied, dtype="float32").id == plain
    first = load(copied, chat_template=str(template)).id
    assert first.startswith(f"{plain}#template=")
    template.write_text("{{ messages[0]['content'] }}!")
    assert load(copied, chat_template=str(template)).id != first


def test_sizes_come_from_headers(copied: Path) -> None:
    size = size_of(str(copied))
    model = transformers.AutoModelForCausalLM.from_pretrained(copied)
    assert size.parameters == sum(weight.numel() for weight in model.state_dict().values())
    assert dict(size.stored_as) == {"F32": size.parameters}
    assert (size.stored_bytes, size.missing_bytes) == ((copied / "model.safetensors").stat().st_size, 0)


def test_an_adapter_changes_the_answers(model_folder: ModelFolder, tmp_path: Path) -> None:
    base = model_folder("llama")
    adapter = save_adapter(base, tmp_path / "tuned")
    adapted = load(f"{base}+{adapter}", max_batch_rows=3)
    name, _, adapter_name = adapted.id.partition("+")
    assert name == load(base).id
    assert adapter_name.startswith("tuned@")
    assert adapted.size.parameters == load(base).size.parameters + 2 * (2 * 4 * 32 + 4 * (32 + 16))
    sampling = Sampling(max_new_tokens=8)
    answers = adapted.generate(MIXED[:6], sampling)
    assert answers != load(base).generate(MIXED[:6], sampling)
    assert load(f"{base}+{adapter}", max_batch_rows=1).generate(MIXED[:6], sampling) == answers


def test_an_adapter_for_another_base(model_folder: ModelFolder, tmp_path: Path) -> None:
    adapter = save_adapter(model_folder("llama"), tmp_path / "tuned")
    with pytest.raises(
        ModelError, match=r"adapter tuned does not fit the base model: .*; name the base it was made for"
    ):
        load(f"{model_folder('gpt2')}+{adapter}").generate(MIXED[:1], Sampling(max_new_tokens=1))


def test_an_adapter_alone(model_folder: ModelFolder, tmp_path: Path) -> None:
    adapter = save_adapter(model_folder("llama"), tmp_path / "tuned")
    with pytest.raises(SettingError, match=r"tuned is an adapter: expected base\+adapter; name its base model too"):
        load(adapter)


def edit_config(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config.json: expected the files of a model"):
        load(tmp_path)


def test_a_config_that_is_no_json(copied: Path) -> None:
    (copied / "config.json").write_text("{oops")
    with pytest.raises(ModelError, match=r"copied: its config.json is not JSON \(.*line 1"):
        load(copied)


def test_an_unknown_architecture(copied: Path) -> None:
    edit_config(copied, model_type="brandnew")
    with pytest.raises(ModelError, match=r"model type 'brandnew', which transformers .* does not know: upgrade"):
        load(copied)


def test_an_architecture_that_comes_with_code(copied: Path) -> None:
    edit_config(copied, model_type="brandnew", auto_map={"AutoModelForCausalLM": "modeling.Brandnew"})
    with pytest.raises(
        ModelError, match=r"copied needs Python code that comes with it .* allow it with trust_remote_code"
    ):
        load(copied)


def test_a_model_that_writes_no_text(copied: Path) -> None:
    edit_config(copied, model_type="vit")
    with pytest.raises(ModelError, match="copied is of type 'vit', which does not write text"):
        load(copied)


def test_pickled_weights_only_when_allowed(copied: Path) -> None:
    expected = load(copied).generate(MIXED[:1], Sampling(max_new_tokens=4))
    model = transformers.AutoModelForCausalLM.from_pretrained(copied)
    torch.save(model.state_dict(), copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"only pickled weights \(pytorch_model.bin\), which can run code when loaded"):
        load(copied)
    pickled = load(copied, allow_pickle=True)
    assert pickled.size.stored_bytes == (copied / "pytorch_model.bin").stat().st_size
    assert pickled.generate(MIXED[:1], Sampling(max_new_tokens=4)) == expected


def test_no_weights(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"copied has no weights: expected model.safetensors or its shards"):
        load(copied)


def test_a_missing_shard_is_named(copied: Path) -> None:
    whole = load(copied).size
    names = shard(copied)
    assert load(copied).size.files == tuple(names)
    assert load(copied).size.parameters == whole.parameters
    (copied / names[1]).unlink()
    with pytest.raises(ModelError) as caught:
        load(copied)
    assert str(caught.value) == (
        "copied lacks 1 of its 4 weight files (model-00002-of-00004.safetensors): its model.safetensors.index.json "
        "names them; get its files again."
    )
    (copied / names[2]).unlink()
    (copied / names[0]).unlink()
    with pytest.raises(
        ModelError, match=r"lacks 3 of its 4 weight files \(model-00001-.*, model-00002-.*, model-00003-"
    ):
        load(copied)


@pytest.mark.parametrize(
    ("index", "line"),
    [
        ("{", "copied: its model.safetensors.index.json cannot be read: Expecting property name"),
        ("[" * 100_000, "copied: its model.safetensors.index.json cannot be read: maximum recursion depth"),
        ("[]", "copied: its model.safetensors.index.json names no files: expected a weight_map; get it again."),
        (
            '{"weight_map": {}}',
            "copied: its model.safetensors.index.json names no files: expected a weight_map; get it",
        ),
        ('{"weight_map": {"a": 7}}', "copied: its model.safetensors.index.json names no files: expected a weight_map;"),
        (
            '{"weight_map": {"a": "../other.safetensors"}}',
            "copied: its model.safetensors.index.json names '../other.safetensors', expected files beside it; get",
        ),
        (
            '{"weight_map": {"a": "/etc/passwd"}}',
            "copied: its model.safetensors.index.json names '/etc/passwd', expect",
        ),
        (
            '{"weight_map": {"a": "none.safetensors"}}',
            "copied lacks 1 of its 1 weight files (none.safetensors): its",
        ),
    ],
)
def test_an_index_that_is_none(copied: Path, index: str, line: str) -> None:
    shard(copied)
    (copied / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelError) as caught:
        load(copied)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_templates_in_a_folder_of_their_own_are_part_of_it(copied: Path) -> None:
    before = load(copied).id
    (copied / "additional_chat_templates").mkdir()
    (copied / "additional_chat_templates" / "default.jinja").write_text("{{ messages[0].content }}")
    assert load(copied).id != before


def test_broken_weights(copied: Path) -> None:
    (copied / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match=r"copied: its safetensors files cannot be read: .*; get them again"):
        load(copied)


def test_no_tokenizer(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(
        ModelError, match=r"copied has no usable tokenizer: .*; expected tokenizer.json beside the model"
    ):
        load(copied).generate(MIXED[:1], Sampling(max_new_tokens=1))


@pytest.mark.parametrize(
    "hostile",
    [
        {"peft_type": "XLORA", "adapters": {"0": "/etc"}},
        {"megatron_config": {"a": 1}, "megatron_core": "antigravity"},
    ],
)
def test_an_adapter_leads_to_no_other_files_or_code(
    model_folder: ModelFolder, tmp_path: Path, hostile: dict[str, object]
) -> None:
    base = model_folder("llama")
    adapter = save_adapter(base, tmp_path / "tuned")
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | hostile))
    with pytest.raises(ModelError, match="names other adapters or modules to load"):
        load(f"{base}+{adapter}").generate(MIXED[:1], Sampling(max_new_tokens=2))
