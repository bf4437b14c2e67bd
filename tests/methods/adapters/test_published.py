"""Adapters in the layout of their paper's author open from a tiny file; wrong files are refused in one line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from diffing.errors import HubError, ModelError
from diffing.methods.adapters.published_adapters import read_published
from diffing.methods.adapters.tensor_files import FolderRanges, open_files
from tests.hub import LocalHub
from tests.hub.fixtures import hub

__all__ = ["hub"]
BLOCKS, WIDTH, FEATURES = 2, 6, 5


def weights(kind: torch.dtype = torch.bfloat16, bias: bool = True) -> dict[str, torch.Tensor]:
    """The keys of a published hybrid, beside some that are not read."""
    random = torch.Generator().manual_seed(0)
    found = {"model.embed_tokens.weight": torch.zeros(9, WIDTH, dtype=kind)}
    for block in range(BLOCKS):
        mlp = f"model.layers.{block}.mlp"
        shapes: dict[str, tuple[int, ...]] = {
            "gate_proj.weight": (8, WIDTH),
            "transcoder_enc.weight": (FEATURES, WIDTH),
            "transcoder_enc.bias": (FEATURES,),
            "transcoder_dec.weight": (WIDTH, FEATURES),
        }
        if bias:
            shapes["transcoder_dec.bias"] = (WIDTH,)
        found |= {f"{mlp}.{key}": torch.randn(shape, generator=random).to(kind) for key, shape in shapes.items()}
    return found


def save(folder: Path, tensors: dict[str, torch.Tensor], files: int = 1, **config: Any) -> FolderRanges:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"transcoder_n_features": FEATURES, **config}))
    if files == 1:
        save_file(tensors, folder / "model.safetensors")
    else:
        places = {key: f"model-{i % files}.safetensors" for i, key in enumerate(tensors)}
        for name in set(places.values()):
            save_file({key: tensors[key] for key in tensors if places[key] == name}, folder / name)
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return FolderRanges(folder)


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32])
def test_the_branches_open_as_they_were_saved(tmp_path: Path, files: int, bias: bool, kind: torch.dtype) -> None:
    tensors = weights(kind, bias)
    opened = read_published(save(tmp_path, tensors, files, transcoder_dec_bias=bias), BLOCKS, WIDTH)
    assert (len(opened.blocks), opened.features, opened.width) == (BLOCKS, FEATURES, WIDTH)
    for key, tensor in opened.named():
        assert torch.equal(tensor, tensors[key].float() if key in tensors else torch.zeros(WIDTH))


def test_of_a_repository_only_the_branches_are_fetched(hub: LocalHub, tmp_path: Path) -> None:
    tensors = weights()
    save(tmp_path, tensors)
    hub.push_folder("org/adapters", tmp_path)
    files = open_files("org/adapters")
    opened = read_published(files, BLOCKS, WIDTH)
    for key, tensor in opened.named():
        assert torch.equal(tensor, tensors[key].float())
    asked = [request for request in hub.requests if request.path.endswith("model.safetensors")]
    # the length of the header, the header, and each weight of the branches: always a part of the file
    assert [request.status for request in asked] == [206] * (2 + 4 * BLOCKS)


def test_a_repository_that_is_not_there_is_refused_in_one_line(hub: LocalHub) -> None:
    with pytest.raises(HubError, match=r"org/nothing[^\n]*$"):
        open_files("org/nothing")


def test_adapters_of_other_models_are_refused(tmp_path: Path) -> None:
    files = save(tmp_path / "r1", weights())
    for blocks, width in ((BLOCKS, 8), (1, WIDTH), (3, WIDTH)):
        with pytest.raises(ModelError, match=f"r1 was made for other models: .* {blocks} blocks of width {width}"):
            read_published(files, blocks, width)


def test_files_without_adapters_are_refused(tmp_path: Path) -> None:
    files = save(tmp_path / "plain", {"model.embed_tokens.weight": torch.zeros(3, 3)})
    with pytest.raises(ModelError, match=r"plain holds no adapters: expected weights such as model\.layers\.0\.mlp"):
        read_published(files, BLOCKS, WIDTH)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no safetensors file"),
        (b"\xff" * 16, "no safetensors file"),
        ((2).to_bytes(8, "little") + b"[]", "no safetensors file"),
        ((4).to_bytes(8, "little") + b'{"a"', "no safetensors file"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    files = save(tmp_path, weights())
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_published(files, BLOCKS, WIDTH)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    files = save(tmp_path, weights())
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:-20])
    with pytest.raises(ModelError, match="ends too early"):
        read_published(files, BLOCKS, WIDTH)


@pytest.mark.parametrize("elsewhere", ["../other.safetensors", "/etc/passwd", "model.bin"])
def test_an_index_cannot_name_other_files(tmp_path: Path, elsewhere: str) -> None:
    files = save(tmp_path, weights())
    index = {"weight_map": {"model.layers.0.mlp.transcoder_enc.weight": elsewhere}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=re.escape("names files elsewhere")):
        read_published(files, BLOCKS, WIDTH)
