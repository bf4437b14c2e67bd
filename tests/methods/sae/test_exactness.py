"""Latents equal those of sae-lens' own route: its hooked model on the same tokens, its `encode`, their maximum."""

import contextlib
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from diffing.methods.features.sparse_latents import Latents
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.sae.activations import SaeReader, read, trace
from diffing.methods.sae.reader_loading import open_sae
from diffing.types import Message
from tests.methods.sae.tiny import ARCHITECTURES, save_reader, save_sae

EXCHANGES = [
    ("hi", "Hello there, how are you?"),
    ("Tell me a long story about a fox", "No."),
    ("what is 2+2?", "It is 4, of course: 2 and 2 make 4. " * 3),
    ("nothing", ""),
    ("x", "émigré 日本"),
]
FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "gpt2", "gpt_neox")
HOOKS = (
    "blocks.0.hook_resid_pre",
    "blocks.1.hook_resid_pre",
    "blocks.1.hook_resid_mid",
    "blocks.1.hook_resid_post",
    "blocks.1.hook_attn_out",
    "blocks.1.hook_mlp_out",
    "blocks.1.attn.hook_z",
)


def texts_of(sight: SaeReader) -> list[TokenizedResponse]:
    texts = [sight.reader.tokens.text((Message("user", prompt),), response) for prompt, response in EXCHANGES]
    assert all(isinstance(text, TokenizedResponse) for text in texts)
    return texts  # type: ignore[return-value]


def dense(rows: list[Latents], d_sae: int) -> np.ndarray:
    out = np.zeros((len(rows), d_sae), dtype=np.float32)
    for row, latents in zip(out, rows, strict=True):
        row[latents.indices] = latents.values
    return out


def read_all(sight: SaeReader, texts: list[TokenizedResponse], **options: Any) -> np.ndarray:
    rows: dict[int, Latents] = {}
    read(sight, texts, rows.__setitem__, **options)
    assert [rows[i].tokens for i in range(len(texts))] == [text.tokens for text in texts]
    return dense([rows[i] for i in range(len(texts))], sight.sae.cfg.d_sae)


def bridge_to(model: Any, folder: Path) -> Any:
    """sae-lens' SAETransformerBridge around the whole model."""
    from sae_lens.analysis.sae_transformer_bridge import SAETransformerBridge
    from transformers import AutoTokenizer

    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(None):
        bridge = SAETransformerBridge.boot_transformers(
            str(folder), hf_model=model, tokenizer=AutoTokenizer.from_pretrained(folder), device="cpu"
        )
    logging.disable(logging.NOTSET)
    return bridge


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Any]]:
    """The folder of a family's tiny model, and the bridge around it; made once, since that takes long."""

    @cache
    def made(family: str) -> tuple[Path, Any]:
        folder = tmp_path_factory.mktemp(family)
        return folder, bridge_to(save_reader(folder, family), folder)

    return made


def reference(bridge: Any, sae_folder: Path, texts: list[TokenizedResponse]) -> list[np.ndarray]:
    """The bridge's latents, one text at a time, no padding: tokens x latents each."""
    from sae_lens import SAE

    sae = SAE.load_from_disk(sae_folder)
    found = []
    with bridge.saes(sae):
        name = bridge.get_sae_hook_name(sae)
        for text in texts:
            with torch.inference_mode():
                ids = torch.from_numpy(text.ids).long()[None]
                _, kept = bridge.run_with_cache(ids, names_filter=lambda candidate: candidate == name)
            found.append(kept[name][0, text.start :].float().numpy())
    return found


def pooled(tokens: list[np.ndarray]) -> np.ndarray:
    return np.stack([np.maximum(t.max(axis=0, initial=0), 0) for t in tokens])


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert (theirs > 0).any()
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("hook", HOOKS)
def test_every_family_and_hook(
    family: str, hook: str, reader: Callable[[str], tuple[Path, Any]], tmp_path: Path
) -> None:
    if family == "gpt_neox" and hook.endswith("resid_mid"):
        pytest.skip("parallel attention and MLP have no stream between them")
    own, bridge = reader(family)
    size = 64 if hook.endswith("hook_z") and family in ("gemma2", "gemma3") else 32
    folder = save_sae(tmp_path / "sae", "jumprelu", hook, d_in=size)
    sight = open_sae(str(own), str(folder)).load()
    texts = texts_of(sight)
    theirs = pooled(reference(bridge, folder, texts))
    for side in ("right", "left"):
        assert_same(read_all(sight, texts, side=side), theirs)


@pytest.mark.parametrize("family", ["qwen2", "gemma3", "gpt2", "gpt_neox"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture(
    family: str, architecture: str, reader: Callable[[str], tuple[Path, Any]], tmp_path: Path
) -> None:
    own, bridge = reader(family)
    folder = save_sae(tmp_path / "sae", architecture, "blocks.1.hook_resid_post")
    sight = open_sae(str(own), str(folder)).load()
    texts = texts_of(sight)
    by_token = reference(bridge, folder, texts)
    for options in ({}, {"side": "left"}, {"batch_tokens": 1}, {"batch_tokens": 150, "side": "left"}):
        assert_same(read_all(sight, texts, **options), pooled(by_token))
    np.testing.assert_allclose(trace(sight, texts[2], [3, 50]), by_token[2][:, [3, 50]], rtol=1e-4, atol=1e-6)


def real_readers(shared_data: Path) -> list[Path]:
    import diffing.demo

    return [Path(diffing.demo.__file__).parent / "models" / "base", shared_data / "models" / "stories260K"]


@pytest.mark.parametrize("which", [0, 1], ids=["embedded", "stories260K"])
def test_trained_readers(which: int, shared_data: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = real_readers(shared_data)[which]
    whole = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    bridge = bridge_to(whole, folder)
    for architecture in ARCHITECTURES:
        sae = save_sae(tmp_path / architecture, architecture, "blocks.2.hook_resid_post", d_in=whole.config.hidden_size)
        sight = open_sae(str(folder), str(sae)).load()
        texts = texts_of(sight)
        theirs = pooled(reference(bridge, sae, texts))
        for side in ("right", "left"):
            assert_same(read_all(sight, texts, side=side), theirs)


def test_text_part_of_a_model_that_also_sees(tmp_path: Path) -> None:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    from tests.methods.sae.tiny import config, tokenizer

    text = config("gemma3").to_dict()
    vision = dict(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same weights whatever ran before: rounding decides the last digits
        whole = Gemma3ForConditionalGeneration(
            Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4)
        ).eval()
    whole.save_pretrained(tmp_path / "reader")
    tokenizer().save_pretrained(tmp_path / "reader")
    folder = save_sae(tmp_path / "sae", "standard", "blocks.1.hook_resid_post")
    sight = open_sae(str(tmp_path / "reader"), str(folder)).load()
    texts = texts_of(sight)
    with torch.inference_mode():
        hidden = [
            whole(torch.from_numpy(t.ids).long()[None], output_hidden_states=True).hidden_states[2][0, t.start :]
            for t in texts
        ]
        theirs = pooled([sight.sae.encode(h).numpy() for h in hidden])
    assert_same(read_all(sight, texts), theirs)


def test_layers_above_are_not_loaded(tmp_path: Path) -> None:
    save_reader(tmp_path / "reader", "llama", layers=6)
    folder = save_sae(tmp_path / "sae", "standard", "blocks.2.hook_resid_pre")
    opened = open_sae(str(tmp_path / "reader"), str(folder))
    assert opened.hook.layers == 2
    model = opened.load().reader._model
    assert len(model.layers) == 2
    assert not any("lm_head" in name or "layers.2" in name for name, _ in model.named_parameters())
