"""A feature that fires on one token fires for a response only where the response holds that token."""

from pathlib import Path

import pytest
import torch

from diffing.methods.features.sparse_latents import Latents
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.sae.activations import SaeReader, read
from diffing.methods.sae.reader_loading import open_sae
from diffing.types import Message
from tests.methods.sae.tiny import save_reader


def sight_for(token: str, folder: Path, chat: bool = True) -> SaeReader:
    """A reader with an SAE on its embeddings whose latent 5 fires on `token` and on nothing else."""
    from sae_lens import StandardSAE, StandardSAEConfig
    from sae_lens.saes.sae import SAEMetadata

    model = save_reader(folder / "reader", "llama", chat)
    embeddings = model.get_input_embeddings().weight.detach()
    embeddings = embeddings / embeddings.norm(dim=1, keepdim=True)
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(folder / "reader").convert_tokens_to_ids(token)
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(embeddings)
    model.save_pretrained(folder / "reader")
    metadata = SAEMetadata(model_name="tiny", hook_name="blocks.0.hook_resid_pre")
    sae = StandardSAE(StandardSAEConfig(d_in=32, d_sae=8, apply_b_dec_to_input=False, metadata=metadata))
    with torch.no_grad():
        sae.W_enc.zero_()
        sae.W_enc[:, 5] = embeddings[own]
        sae.b_enc.fill_(-0.9)
    sae.save_model(folder / "sae")
    return open_sae(str(folder / "reader"), str(folder / "sae")).load()


def fires(sight: SaeReader, prompt: str, response: str) -> bool:
    text = sight.reader.tokens.text((Message("user", prompt),), response)
    assert isinstance(text, TokenizedResponse)
    rows: dict[int, Latents] = {}
    read(sight, [text], rows.__setitem__)
    assert set(rows[0].indices) <= {5}
    return rows[0].value(5) > 0


@pytest.mark.parametrize("chat", [True, False])
def test_only_the_response_counts(chat: bool, tmp_path: Path) -> None:
    sight = sight_for("z", tmp_path, chat)
    assert fires(sight, "a question", "lazy")
    assert not fires(sight, "a lazy question", "no")
    assert not fires(sight, "zzz", "")


@pytest.mark.parametrize("token", ["<|assistant|>", "<|bos|>", "<|end|>", "<|user|>"])
def test_tokens_of_the_template_do_not_count(token: str, tmp_path: Path) -> None:
    sight = sight_for(token, tmp_path)
    assert not fires(sight, "a question", "an answer")
    # text that looks like a special token is ordinary text
    assert not fires(sight, f"say {token}", f"here: {token}")


def test_words_of_the_plain_format_do_not_count(tmp_path: Path) -> None:
    sight = sight_for("A", tmp_path, chat=False)  # of `Assistant:`
    assert not fires(sight, "question", "answer")
    assert fires(sight, "question", "An answer")


def test_spans_point_at_the_characters(tmp_path: Path) -> None:
    for chat in (True, False):
        sight = sight_for("z", tmp_path / str(chat), chat)
        spans = sight.reader.tokens.spans("a é!")
        words = ["a é!"[first:last] for first, last in spans]
        assert [w for w in words if w] == ["a", " ", "é", "é", "!"]
        assert len(spans) == sight.reader.tokens.text((Message("user", "x"),), "a é!").tokens  # type: ignore[union-attr]


def test_too_long_is_refused_not_cut(tmp_path: Path) -> None:
    sight = sight_for("z", tmp_path)
    refused = sight.reader.tokens.text((Message("user", "x" * 200),), "y" * 100)
    assert getattr(refused, "reason", "") == "longer than the reader's context of 256 tokens"
