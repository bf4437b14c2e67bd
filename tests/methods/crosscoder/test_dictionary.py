"""Reading with a dictionary, and saved dictionaries."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from diffing.errors import SettingError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser
from tests.methods.crosscoder.worlds import SOURCE


def crosscoder(d_a: int = 6, d_b: int = 6, latents: int = 9) -> Crosscoder:
    drawn = torch.Generator().manual_seed(1)

    def some(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=drawn)

    pairs = [(some(latents, d_a), some(latents, d_b)) for _ in range(2)]
    weights = DictionaryWeights(pairs[0], some(latents), pairs[1], (some(d_a), some(d_b)))
    normaliser = Normaliser((some(d_a), some(d_b)), (0.25, 1 / 3))
    return Crosscoder(weights, normaliser, threshold=1 / 7, k=3, partition=(2, 2), same_space=d_a == d_b, source=SOURCE)


def difference() -> DifferenceDictionary:
    pair = crosscoder()
    weights = DictionaryWeights(
        pair.weights.encoders[:1], pair.weights.bias, pair.weights.decoders[:1], pair.weights.output_biases[:1]
    )
    normaliser = Normaliser(pair.normaliser.means[:1], (0.5,))
    return DifferenceDictionary(weights, normaliser, threshold=0.2, k=2, source=None)


def rows(width: int, count: int = 20) -> torch.Tensor:
    return 5 * torch.randn(count, width, generator=torch.Generator().manual_seed(width))


def test_a_latent_is_active_if_its_score_exceeds_the_threshold() -> None:
    weights = DictionaryWeights(
        (torch.tensor([[1.0], [1.0]]), torch.tensor([[0.0], [1.0]])),
        torch.tensor([0.0, -1.0]),
        (torch.tensor([[2.0], [0.5]]), torch.tensor([[0.0], [0.5]])),
        (torch.tensor([1.0]), torch.tensor([0.0])),
    )
    normaliser = Normaliser((torch.tensor([10.0]), torch.tensor([0.0])), (0.5, 1.0))
    read = Crosscoder(weights, normaliser, threshold=2.0, k=1, partition=(1, 0), same_space=True, source=None)
    a, b = torch.tensor([[12.0], [14.0], [2.0]]), torch.tensor([[1.0], [1.5], [9.0]])
    # x_a = 1, 2, -4; z = (1, 1), (2, 2.5), (0, 4); scores = (2, 1), (4, 2.5), (0, 4): only more than 2 is active
    activations = read.activations(a, b)
    assert activations.tolist() == [[0, 0], [2, 2.5], [0, 4]]
    of_a, of_b = read.decode(activations)
    assert of_a.tolist() == [[1], [6.25], [3]]
    assert of_b.tolist() == [[0], [1.25], [2]]
    assert read.direction(0, "a").tolist() == [4.0]
    assert read.direction(1, "b").tolist() == [0.5]


def test_rows_are_read_alone() -> None:
    read = crosscoder(6, 4)
    together = read.activations(rows(6), rows(4))
    alone = torch.cat([read.activations(rows(6)[i : i + 1], rows(4)[i : i + 1]) for i in range(20)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert 0 < (together > 0).float().mean() < 1


@pytest.mark.parametrize("widths", [(6, 6), (6, 4)])
def test_a_saved_crosscoder_is_the_same(tmp_path: Path, widths: tuple[int, int]) -> None:
    saved = crosscoder(*widths)
    saved.save(tmp_path / "new" / "dictionary")
    opened = Crosscoder.load(tmp_path / "new" / "dictionary")
    assert (opened.latents, opened.widths, opened.partition, opened.k) == (9, widths, (2, 2), 3)
    assert (opened.threshold, opened.source, opened.same_space) == (1 / 7, SOURCE, widths == (6, 6))
    assert opened.hash == saved.hash
    a, b = rows(widths[0]), rows(widths[1])
    assert torch.equal(opened.activations(a, b), saved.activations(a, b))


def test_a_saved_difference_dictionary_is_the_same(tmp_path: Path) -> None:
    saved = difference()
    saved.save(tmp_path)
    opened = DifferenceDictionary.load(tmp_path)
    a, b = rows(6), rows(6).flip(0)
    assert torch.equal(opened.activations(a, b), saved.activations(a, b))
    assert not torch.equal(opened.activations(a, b), saved.activations(b, a))
    assert opened.hash == saved.hash
    assert opened.source is None
    assert (opened.widths, opened.latents, opened.k) == ((6, 6), 9, 2)
    assert torch.equal(opened.direction(3), 2 * saved.weights.decoders[0][3])


def test_the_hash_tells_dictionaries_apart() -> None:
    one, same, other = crosscoder(), crosscoder(), crosscoder()
    other.weights.bias[0] += 1
    assert one.hash == same.hash != other.hash
    assert len(one.hash) == 12


def test_the_files_are_laid_out_as_by_dictionary_learning(tmp_path: Path) -> None:
    crosscoder().save(tmp_path / "one")
    stored = load_file(tmp_path / "one" / "model.safetensors")
    assert {name: tuple(each.shape) for name, each in stored.items()} == {
        "encoder.weight": (2, 6, 9),
        "encoder.bias": (9,),
        "decoder.weight": (2, 9, 6),
        "decoder.bias": (2, 6),
        "k": (),
        "threshold": (),
        "code_normalization_id": (),
    }
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    assert (config["activation_dim"], config["dict_size"], config["num_layers"], config["k"]) == (6, 9, 2, 3)
    crosscoder(6, 4).save(tmp_path / "two")
    stored = load_file(tmp_path / "two" / "model.safetensors")
    assert stored["encoder.weight_a"].shape == (6, 9)
    assert stored["decoder.weight_b"].shape == (9, 4)


def broken(folder: Path, change: str) -> None:
    """Damages a saved crosscoder in one of several ways."""
    config = json.loads((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    match change:
        case "no folder":
            (folder / "config.json").unlink()
        case "no weights":
            (folder / "model.safetensors").write_bytes(b"{}")
        case "no json":
            (folder / "config.json").write_text("[" * 100_000)
        case "no object":
            (folder / "config.json").write_text("[]")
        case "another shape":
            save_file(tensors | {"decoder.bias": torch.zeros(2, 5)}, folder / "model.safetensors")
        case "partition":
            (folder / "config.json").write_text(json.dumps(config | {"partition": [8, 2]}))
        case "source":
            (folder / "config.json").write_text(json.dumps(config | {"source": {"models": ["x"]}}))
        case "scale":
            config["normaliser"]["scales"] = [1.0]
            (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    "change",
    ["no folder", "no weights", "no json", "no object", "another shape", "partition", "source", "scale"],
)
def test_a_folder_that_holds_no_crosscoder_is_told_in_one_line(tmp_path: Path, change: str) -> None:
    crosscoder().save(tmp_path)
    broken(tmp_path, change)
    with pytest.raises(SettingError, match=r"holds no crosscoder that can be opened .* Train it again") as told:
        Crosscoder.load(tmp_path)
    assert "\n" not in str(told.value)


def test_a_difference_dictionary_is_no_crosscoder(tmp_path: Path) -> None:
    difference().save(tmp_path / "one")
    crosscoder().save(tmp_path / "two")
    with pytest.raises(SettingError, match=r"holds no crosscoder .*it has 1 inputs instead of 2"):
        Crosscoder.load(tmp_path / "one")
    with pytest.raises(SettingError, match=r"holds no difference dictionary .*it has 2 inputs instead of 1"):
        DifferenceDictionary.load(tmp_path / "two")
