"""What does not fit together is refused before weights are loaded, with what to do."""

from pathlib import Path

import pytest

from diffing.errors import HubError, ModelError, SettingError
from diffing.methods.sae import reader_loading
from diffing.methods.sae.hook_names import find_hook
from diffing.methods.sae.presets import PRESETS
from diffing.methods.sae.reader_loading import cut_size, open_sae
from diffing.methods.sae.sae_files import RegistrySae, find_sae
from diffing.models.local.spec import LocalOptions
from diffing.models.local.weight_sizes import ModelSize
from tests.methods.sae.tiny import config, save_reader, save_sae


def test_presets_are_in_the_registry() -> None:
    for preset in PRESETS.values():
        source = find_sae(preset.sae)
        assert isinstance(source, RegistrySae)
        assert source.name == preset.sae
        assert source._entry.model.split("/")[-1].removesuffix("-small") in preset.reader


def test_unknown_names() -> None:
    with pytest.raises(SettingError, match="neither a folder nor release/sae_id"):
        find_sae("no-such-release/layer_1")
    with pytest.raises(
        SettingError, match=r"has no SAE 'layer_51': expected goodfire-llama-3.3-70b-instruct/ and one of layer_50"
    ):
        find_sae("goodfire-llama-3.3-70b-instruct/layer_51")
    with pytest.raises(SettingError, match=r"Name an SAE as release/sae_id or folder. Presets: gpt2"):
        open_sae("org/some-model", None)


def test_a_folder_without_an_sae(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"has no cfg.json: expected an SAE"):
        find_sae(str(tmp_path))


def test_a_gated_reader_names_the_presets_whose_readers_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise HubError("google/gemma-3-1b-it asks for permission.", gated=True)

    monkeypatch.setattr(reader_loading, "open_source", refuses)
    with pytest.raises(HubError, match=r"readers are not gated: gpt2, pythia-70m, qwen2\.5-7b$"):
        reader_loading._open_reader("google/gemma-3-1b-it", LocalOptions())


def test_sizes_that_do_not_match(tmp_path: Path) -> None:
    save_reader(tmp_path / "reader", "llama")
    folder = save_sae(tmp_path / "sae", "standard", "blocks.1.hook_resid_post", d_in=48)
    with pytest.raises(ModelError, match="reads 48 numbers per token, but the reader reader has 32 there"):
        open_sae(str(tmp_path / "reader"), str(folder))


def test_hooks_that_cannot_be_found() -> None:
    with pytest.raises(ModelError, match="layer 3, but the reader has 3 layers"):
        find_hook("blocks.3.hook_resid_post", config("llama"))
    with pytest.raises(SettingError, match="cannot be found in a plain llama model"):
        find_hook("blocks.1.attn.hook_q", config("llama"))
    with pytest.raises(ModelError, match="which is not supported in a"):
        find_hook("blocks.1.hook_resid_mid", config("gpt_neox"))
    from transformers import BertConfig

    with pytest.raises(ModelError, match="type bert, which is not supported: expected one of llama"):
        find_hook("blocks.1.hook_resid_post", BertConfig())


def test_paths_of_modules_are_hooks_too() -> None:
    assert find_hook("model.layers.1", config("llama")).module == "layers.1"
    hook = find_hook("model.layers.1.self_attn.o_proj.input", config("gemma3"))
    assert (hook.module, hook.at, hook.layers) == ("layers.1.self_attn.o_proj", "input", 2)
    assert find_hook("transformer.h.2.output", config("gpt2")).module == "h.2"


def test_an_sae_in_training_is_refused(tmp_path: Path) -> None:
    from tests.methods.sae.tiny import make_sae

    make_sae("batchtopk", "blocks.1.hook_resid_post").save_model(tmp_path)
    with pytest.raises(ModelError, match=r"saved as 'batchtopk', expected one of .*save_inference_model"):
        _ = find_sae(str(tmp_path)).facts


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_a_configuration_that_cannot_be_read(content: str, tmp_path: Path) -> None:
    folder = save_sae(tmp_path / "sae", "standard", "blocks.1.hook_resid_post")
    (folder / "cfg.json").write_text(content)
    with pytest.raises(ModelError, match=r"^The SAE sae has a cfg\.json that cannot be used .*save it again"):
        _ = find_sae(str(folder)).facts


def test_too_little_memory(tmp_path: Path) -> None:
    import json

    save_reader(tmp_path / "reader", "llama")
    folder = save_sae(tmp_path / "sae", "standard", "blocks.1.hook_resid_post")
    facts = json.loads((folder / "cfg.json").read_text())
    (folder / "cfg.json").write_text(json.dumps({**facts, "d_sae": 10**12}))
    with pytest.raises(
        ModelError, match=r"its first 2 layers\) and the SAE need about 256000.0 GB of memory, .*Choose another preset"
    ):
        open_sae(str(tmp_path / "reader"), str(folder)).load()


def test_a_cut_reader_is_smaller() -> None:
    whole = ModelSize({"F32": 300 * 32 + 3 * 1000}, 4 * (300 * 32 + 3000), 0)
    assert cut_size(whole, {"tie_word_embeddings": True}, config("gemma3"), 1).parameters == 300 * 32 + 1000


def test_identity_follows_the_content(tmp_path: Path) -> None:
    one = find_sae(str(save_sae(tmp_path / "sae", "standard", "blocks.1.hook_resid_post"))).identity
    other = find_sae(str(save_sae(tmp_path / "x" / "sae", "jumprelu", "blocks.1.hook_resid_post"))).identity
    assert one.startswith("sae@")
    assert one != other
