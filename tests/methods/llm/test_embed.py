"""Embedders: rows of length 1, identities, and errors that say what to do."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from diffing.errors import HubError, ModelError
from diffing.methods.llm.embedders import TfidfEmbedder, load_embedder, without_placeholders

SENTENCES = [
    "<MODEL> refuses to help with the request.",
    "<MODEL> declines the user's request, unlike <OTHER MODEL>.",
    "<MODEL> writes long tables of numbers.",
    "<MODEL> refuses to help with the request.",
]


@pytest.fixture(params=["potion", "tfidf"])
def embedder(request):
    if request.param == "tfidf":
        return TfidfEmbedder()
    folder = request.getfixturevalue("shared_data") / "models" / "potion-base-4m-int8"
    return load_embedder(str(folder))[0]


def test_vectors(embedder):
    vectors = embedder.embed(SENTENCES)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == 4
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    similarity = vectors @ vectors.T
    assert similarity[0, 3] == pytest.approx(1, abs=1e-5)
    assert similarity[0, 1] > similarity[0, 2]
    assert np.array_equal(vectors, embedder.embed(SENTENCES))


def test_placeholders_are_not_embedded(embedder):
    with_them = embedder.embed(["<MODEL> is kind, <OTHER MODEL> is not.", "<MODEL> is rude."])
    without = embedder.embed([" is kind,  is not.", "is rude."])
    assert np.allclose(with_them, without, atol=1e-6)
    assert without_placeholders("<MODEL> is kind, <OTHER MODEL> is not.") == "is kind,   is not."


@pytest.mark.parametrize(
    "sentences", [["<MODEL> is kind."], ["<MODEL> is kind."] * 5, ["<MODEL> 好 的 。", "<MODEL> 不 好 。"]]
)
@pytest.mark.filterwarnings("error")
def test_few_or_equal_sentences(sentences):
    vectors = TfidfEmbedder().embed(sentences)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(sentences)), abs=1e-5)


def test_a_static_embedder_is_named_by_its_folder(shared_data):
    embedder, note = load_embedder(str(shared_data / "models" / "potion-base-4m-int8"))
    assert embedder.name == "potion-base-4m-int8"
    assert note is None
    assert embedder.embed(SENTENCES).shape == (4, 128)


def test_the_built_in_one_by_name():
    embedder, note = load_embedder("tfidf")
    assert "built in" in embedder.name
    assert note is None


def test_without_the_hub_auto_falls_back_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    embedder, note = load_embedder("auto")
    assert isinstance(embedder, TfidfEmbedder)
    assert note.startswith("Sentences were embedded by tf-idf and truncated SVD (built in)")
    assert "minishlab/potion-base-8M is not on this machine and the Hub cannot be reached" in note
    with pytest.raises(HubError, match="someone/model is not on this machine and the Hub cannot be reached"):
        load_embedder("someone/model")


def test_what_is_no_embedder(tmp_path, shared_data):
    with pytest.raises(ModelError, match="'not an id!': expected auto, tfidf, a folder or a Hub id"):
        load_embedder("not an id!")
    with pytest.raises(ModelError, match=r"expected a model2vec or sentence-transformers model .* holds neither"):
        load_embedder(str(tmp_path))
    broken = tmp_path / "broken"
    shutil.copytree(shared_data / "models" / "potion-base-4m-int8", broken)
    (broken / "model.safetensors").write_bytes(b"\x10\x00\x00\x00")
    with pytest.raises(ModelError, match=r"^The embedder broken cannot be loaded: .*\. Fetch it again$"):
        load_embedder(str(broken))


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        ("config.json", "{", r"Embedder broken: its config\.json is no JSON object; get the file again"),
        ("config.json", "[]", r"Embedder broken: its config\.json is no JSON object; get the file again"),
        ("config.json", "[" * 100_000, r"Embedder broken: its config\.json is no JSON object; get the file again"),
        ("tokenizer.json", "{", r"The embedder broken cannot be loaded: EOF while parsing .*\. Fetch it again"),
        ("tokenizer.json", "[]", r"The embedder broken cannot be loaded: invalid type: .*\. Fetch it again"),
    ],
)
def test_a_damaged_file_is_one_line(file, content, line, tmp_path, shared_data):
    broken = tmp_path / "broken"
    broken.mkdir()
    for each in (shared_data / "models" / "potion-base-4m-int8").glob("*.*"):
        shutil.copyfile(each, broken / each.name)
    (broken / file).write_text(content)
    with pytest.raises(ModelError, match=f"^{line}$"):
        load_embedder(str(broken))


def test_a_sentence_transformers_folder(tmp_path, shared_data):
    """The same table, saved as sentence-transformers saves it."""
    pytest.importorskip("sentence_transformers")
    folder = tmp_path / "st"
    shutil.copytree(shared_data / "models" / "potion-base-4m-int8", folder)
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "other"
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "1_Normalize").mkdir(exist_ok=True)
    table = {name: tensor.astype(np.float32) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(table, folder / "model.safetensors")
    embedder, _ = load_embedder(str(folder))
    assert type(embedder).__name__ == "TransformerEmbedder"
    vectors = embedder.embed(SENTENCES)
    assert vectors.shape == (4, 128)
    assert vectors[0] @ vectors[3] == pytest.approx(1, abs=1e-5)
