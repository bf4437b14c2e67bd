"""Published crosscoders open from tiny files of their keys; whatever does not fit is refused in one line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffing.errors import DiffingError, HubError, ModelError, SettingError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.published.crosscoder import PublishedCrosscoder
from diffing.methods.crosscoder.published.layout import PublishedWeights
from diffing.methods.crosscoder.published.layout_reading import read_published
from diffing.methods.crosscoder.published.name_matching import parse_models
from diffing.methods.crosscoder.published.pair import in_order
from diffing.methods.crosscoder.published.statistics import measure
from diffing.methods.crosscoder.published.weights_in_order import OrderedWeights, fit
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser
from diffing.methods.crosscoder.training_settings import DictionarySource
from diffing.methods.inside.row_batches import RowBatch
from tests.hub import LocalHub
from tests.hub.fixtures import hub

__all__ = ["hub"]
WIDTH, LATENTS = 3, 5
BASE, TUNED = "org/base", "org/tuned"
BOTH = (f"{BASE}@{'0' * 40}", f"{TUNED}@{'1' * 40}#bfloat16")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


A, B = random(40, WIDTH, seed=8), 3 * random(40, WIDTH, seed=9) + 1


class Rows:
    """A stream that gives the same rows again and again."""

    def __init__(self, a: Tensor = A, b: Tensor = B) -> None:
        self._a, self._b = a, b
        self.widths = (a.shape[1], b.shape[1])
        self.total = len(a)
        self.identity = "rows"

    def batches(self, rows: int, start: int = 0) -> Iterator[RowBatch]:
        while True:
            yield RowBatch(self._a[:rows], self._b[:rows], rows)

    def held_back(self, rows: int) -> Iterator[RowBatch]:
        yield RowBatch(self._a, self._b, len(self._a))


def stacked(**more: Tensor) -> dict[str, Tensor]:
    """The keys of dictionary_learning."""
    return {
        "encoder.weight": random(2, WIDTH, LATENTS, seed=1),
        "encoder.bias": random(LATENTS, seed=2),
        "decoder.weight": random(2, LATENTS, WIDTH, seed=3),
        "decoder.bias": random(2, WIDTH, seed=4),
        **more,
    }


def single(**more: Tensor) -> dict[str, Tensor]:
    """The keys of Kissane and Nanda."""
    return {
        "W_enc": random(2, WIDTH, LATENTS, seed=1),
        "b_enc": random(LATENTS, seed=2),
        "W_dec": random(LATENTS, 2, WIDTH, seed=3),
        "b_dec": random(2, WIDTH, seed=4),
        **more,
    }


def save(folder: Path, tensors: dict[str, Tensor], config: str = "config.json", **values: Any) -> str:
    folder.mkdir(exist_ok=True, parents=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / config).write_text(json.dumps(values))
    return str(folder)


def save_pickle(folder: Path, tensors: object, config: str, **values: Any) -> str:
    folder.mkdir(exist_ok=True, parents=True)
    torch.save(tensors, folder / "cc_weights.pt")
    (folder / config).write_text(json.dumps(values))
    return str(folder)


def opened(published: PublishedWeights) -> PublishedCrosscoder:
    normaliser = published.normaliser
    if not isinstance(normaliser, Normaliser):
        normaliser = measure(Rows().batches(40), 40, normaliser)
    return PublishedCrosscoder.of(published, normaliser, same_space=True)


def codes(encoder: Tensor, bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The activations before any selection, computed as the layouts' own code does it."""
    return torch.relu(torch.einsum("bld,ldf->bf", torch.stack([a, b], 1), encoder) + bias)


NORMS = stacked()["decoder.weight"].norm(dim=2)
JOINT = NORMS.square().sum(0).sqrt()


@pytest.mark.parametrize(
    ("kind", "weights"),
    [(None, NORMS.sum(0)), (1, NORMS.sum(0)), (2, JOINT), (3, JOINT + 0.1 * NORMS.sum(0)), (4, torch.ones(LATENTS))],
)
def test_dictionary_learning_selects_as_its_number_says(tmp_path: Path, kind: int | None, weights: Tensor) -> None:
    tensors = stacked(k=torch.tensor(2), threshold=torch.tensor(2.0))
    if kind:
        tensors["code_normalization_id"] = torch.tensor(kind)
    published = read_published(save(tmp_path / "cc", tensors, activation_dim=WIDTH, dict_size=LATENTS, num_layers=2))
    crosscoder = opened(published)
    z = codes(tensors["encoder.weight"], tensors["encoder.bias"], A, B)
    expected = z * (z * weights > 2.0)
    assert 0 < (expected > 0).sum() < (z > 0).sum()
    torch.testing.assert_close(crosscoder.activations(A, B), expected)
    for place, output in enumerate(crosscoder.decode(expected)):
        torch.testing.assert_close(output, expected @ tensors["decoder.weight"][place] + tensors["decoder.bias"][place])


def test_dictionary_learning_with_codes_per_model(tmp_path: Path) -> None:
    tensors = stacked(code_normalization_id=torch.tensor(5), threshold=torch.tensor([1.5, 4.0]), k=torch.tensor(2))
    published = read_published(save(tmp_path / "cc", tensors))
    z = codes(tensors["encoder.weight"], tensors["encoder.bias"], A, B)
    own = [z * (z * NORMS[place] > (1.5, 4.0)[place]) for place in (0, 1)]
    assert not torch.equal(own[0], own[1])
    crosscoder = opened(published)
    found = crosscoder.activations(A, B)
    torch.testing.assert_close(found, torch.maximum(*own))
    for place, output in enumerate(crosscoder.decode(found)):
        torch.testing.assert_close(
            output, own[place] @ tensors["decoder.weight"][place] + tensors["decoder.bias"][place]
        )
    torch.testing.assert_close(opened(published.swapped()).activations(B, A), found)


@pytest.mark.parametrize("stored", [True, False])
def test_the_stored_normaliser_of_dictionary_learning_holds(tmp_path: Path, stored: bool) -> None:
    mean, std = random(2, WIDTH, seed=5), random(2, WIDTH, seed=6).abs()
    scale = 2.0 / (std.square().sum(1) + 1e-8).sqrt()
    more = {"activation_mean": mean, "activation_std": std, "target_rms": torch.tensor(2.0)}
    tensors = stacked(**more, **({"activation_global_scale": scale} if stored else {}))
    crosscoder = opened(read_published(save(tmp_path / "cc", tensors)))
    a, b = ((each - mean[place]) * scale[place] for place, each in enumerate((A, B)))
    expected = codes(tensors["encoder.weight"], tensors["encoder.bias"], a, b)
    torch.testing.assert_close(crosscoder.activations(A, B), expected)
    # what one unit of a latent adds to the raw stream
    torch.testing.assert_close(crosscoder.direction(4, "b"), tensors["decoder.weight"][1, 4] / scale[1])


def test_a_normaliser_of_nan_is_none_and_compiled_keys_are_known(tmp_path: Path) -> None:
    nan = torch.full((2, WIDTH), torch.nan)
    tensors = stacked(activation_mean=nan, activation_std=nan.clone(), activation_global_scale=torch.ones(2))
    folder = save(tmp_path / "cc", {f"_orig_mod.{key}": tensor for key, tensor in tensors.items()})
    trainer = {"trainer": {"layer": 13, "lm_name": "google/gemma-2-2b-it-google/gemma-2-2b"}}
    (tmp_path / "cc" / "trainer_config.json").write_text(json.dumps(trainer))
    published = read_published(folder)
    expected = codes(tensors["encoder.weight"], tensors["encoder.bias"], A, B)
    torch.testing.assert_close(opened(published).activations(A, B), expected)
    assert published.blocks == (14, 14)  # the output of layer 13 leaves the 14th block
    assert published.models is None


def test_kissane_and_nanda_scale_both_models_to_one_mean_norm(tmp_path: Path) -> None:
    folder = save_pickle(
        tmp_path / "cc", single(), "cfg.json", hook_point="blocks.14.hook_resid_pre", model_name="gemma-2-2b"
    )
    published = read_published(folder, allow_pickle=True)
    crosscoder = opened(published)
    a, b = (each * WIDTH**0.5 / each.norm(dim=1).mean() for each in (A, B))
    expected = codes(single()["W_enc"], single()["b_enc"], a, b)
    torch.testing.assert_close(crosscoder.activations(A, B), expected)
    torch.testing.assert_close(
        crosscoder.decode(expected)[1], expected @ single()["W_dec"][:, 1] + single()["b_dec"][1]
    )
    assert (published.blocks, published.mentioned) == ((14, 14), "gemma-2-2b")


def test_the_masks_of_a_dfc_take_directions_that_are_written_and_none_that_are_read(tmp_path: Path) -> None:
    mask = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    tensors = single(enc_mask=mask.T.contiguous(), dec_mask=mask)
    published = read_published(
        save_pickle(tmp_path / "cc", tensors, "config.json", k=2, n_a=1, n_b=1), allow_pickle=True
    )
    crosscoder = opened(published)
    a, b = ((each - each.mean(0)) / each.std(0, correction=0) for each in (A, B))
    z = codes(tensors["W_enc"], tensors["b_enc"], a, b)
    expected = z * (z >= z.sort(dim=1, descending=True).values[:, 1:2])
    torch.testing.assert_close(crosscoder.activations(A, B), expected)
    assert int((expected > 0).sum(1).max()) == 2
    assert not crosscoder.weights.decoders[1][0].any()
    assert not crosscoder.weights.decoders[0][1].any()
    torch.testing.assert_close(crosscoder.direction(2, "b"), tensors["W_dec"][2, 1] * B.std(0, correction=0))


def own(**values: Any) -> Crosscoder:
    source = DictionarySource((BASE, f"{TUNED}@{'2' * 40}"), ("0", "1"), (2, 3), "texts")
    wide = values.get("width", WIDTH)
    weights = DictionaryWeights(
        (random(LATENTS, WIDTH), random(LATENTS, wide, seed=1)),
        random(LATENTS, seed=2),
        (random(LATENTS, WIDTH, seed=3), random(LATENTS, wide, seed=4)),
        (random(WIDTH, seed=5), random(wide, seed=6)),
    )
    normaliser = Normaliser((random(WIDTH, seed=7), random(wide, seed=8)), (0.5, 2.0))
    return Crosscoder(
        weights, normaliser, threshold=1.0, k=2, partition=(0, 0), same_space=wide == WIDTH, source=source
    )


@pytest.mark.parametrize("width", [WIDTH, 4])
def test_what_this_package_saves_opens_the_same(tmp_path: Path, width: int) -> None:
    crosscoder, b = own(width=width), random(40, width, seed=9)
    crosscoder.save(tmp_path / "mine")
    published = read_published(str(tmp_path / "mine"))
    assert torch.equal(opened(published).activations(A, b), crosscoder.activations(A, b))
    # sums in another order have other last digits
    torch.testing.assert_close(opened(published.swapped()).activations(b, A), crosscoder.activations(A, b))
    assert (published.blocks, published.swapped().blocks) == ((2, 3), (3, 2))
    assert in_order(published, BOTH, None).published is published
    assert in_order(published, BOTH[::-1], None).published.models == (f"{TUNED}@{'2' * 40}", BASE)


def test_the_models_are_put_into_the_order_of_the_run(tmp_path: Path) -> None:
    names = {"model_name_A": "base", "model_name_B": "tuned"}
    published = read_published(save(tmp_path / "cc", single(), "cfg.json", **names))
    assert in_order(published, BOTH, None) == OrderedWeights(published, None)
    ordered = in_order(published, BOTH[::-1], None)
    normaliser = measure(Rows(B, A).batches(40), 40, "mean norm")
    swapped = PublishedCrosscoder.of(ordered.published, normaliser, same_space=True)
    torch.testing.assert_close(swapped.activations(B, A), opened(published).activations(A, B))
    with pytest.raises(ModelError, match=r"was trained on base and tuned, expected org/base@.* and org/third"):
        in_order(published, (BOTH[0], "org/third"), None)
    with pytest.raises(SettingError, match="--crosscoder-models says x/tuned and x/base, but the files of cc say"):
        in_order(published, BOTH, ("x/tuned", "x/base"))


def test_names_that_cannot_be_shown_are_no_names(tmp_path: Path) -> None:
    names = {"model_name_A": "base\x1b[31m", "model_name_B": "tuned", "model_name": "x" * 301}
    published = read_published(save(tmp_path / "cc", single(), "cfg.json", **names))
    assert (published.models, published.mentioned) == (None, None)


def test_models_that_the_files_do_not_name_are_asked_for_and_noted(tmp_path: Path) -> None:
    published = read_published(save(tmp_path / "cc", stacked()))
    with pytest.raises(SettingError, match=r"name both in its own order with --crosscoder-models"):
        in_order(published, BOTH, None)
    note = in_order(published, BOTH, (BASE, TUNED)).unchecked
    assert note == (
        "That cc was trained on org/base and org/tuned, in this order, is what --crosscoder-models says; its files do "
        "not tell, so nobody can check it."
    )
    assert in_order(replace(published, mentioned="org/tuned-org/base"), BOTH, (BASE, TUNED)).published.mentioned
    with pytest.raises(ModelError, match="was trained on 'org/tuned-org/third', expected org/base and org/tuned"):
        in_order(replace(published, mentioned="org/tuned-org/third"), BOTH, (BASE, TUNED))
    mentioned = replace(published, mentioned="google/gemma-2-2b-it-google/gemma-2-2b")
    with pytest.raises(ModelError, match="was trained on 'google/gemma-2-2b-it-google/gemma-2-2b', expected org/base"):
        in_order(mentioned, BOTH, (BASE, TUNED))
    with pytest.raises(SettingError, match=r"expected the crosscoder's two models in its own order"):
        parse_models("org/base")


def describing(a: Tensor, b: Tensor) -> dict[str, Tensor]:
    """A crosscoder that reads A and writes both models exactly, for rows that are a and b = 2 a."""
    eye = torch.eye(WIDTH)
    encoder = torch.cat([eye, -eye], 1)
    return {
        "encoder.weight": torch.stack([encoder, torch.zeros_like(encoder)]),
        "encoder.bias": torch.zeros(2 * WIDTH),
        "decoder.weight": torch.stack([encoder.T.contiguous(), 2 * encoder.T]),
        "decoder.bias": torch.zeros(2, WIDTH),
    }


def test_a_crosscoder_that_does_not_describe_the_models_is_refused(tmp_path: Path) -> None:
    right = OrderedWeights(read_published(save(tmp_path / "right", describing(A, 2 * A))), "a note")
    rows = Rows(A, 2 * A)
    crosscoder = fit(right, rows, same_space=True)
    torch.testing.assert_close(crosscoder.decode(crosscoder.activations(A, 2 * A))[1], 2 * A)
    with pytest.raises(ModelError, match=r"^right explains only .* of B's variance on the train responses, expected"):
        fit(right, Rows(B, 2 * A), same_space=True)
    with pytest.raises(ModelError, match=r"exchanged \(1.00 and 1.00, got .*exchange the names"):
        fit(right, Rows(2 * A, A), same_space=True)
    with pytest.raises(ModelError, match="made for models of width 3 and 3, expected 4 and 3"):
        fit(right, Rows(random(40, 4), A), same_space=False)


def test_a_published_crosscoder_is_not_saved_again(tmp_path: Path) -> None:
    published = read_published(save(tmp_path / "cc", stacked()))
    with pytest.raises(SettingError, match="is not saved again in here: copy the files"):
        opened(published).save(tmp_path / "here")


def test_pickles_need_consent_and_give_tensors_alone(tmp_path: Path) -> None:
    folder = save_pickle(tmp_path / "cc", single(), "cfg.json")
    with pytest.raises(SettingError, match=r"its weights are a pickle \('cc_weights.pt'\).*--allow-pickle"):
        read_published(folder)
    class_ = save_pickle(tmp_path / "code", {"W_enc": Path("x")}, "cfg.json")
    with pytest.raises(ModelError, match=r"cannot be opened as tensors alone \([^\n]*$"):
        read_published(class_, allow_pickle=True)


def broken(key: str, tensor: Tensor | None) -> dict[str, Tensor]:
    tensors = {**stacked(), key: tensor}
    return {name: value for name, value in tensors.items() if value is not None}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"model.embed_tokens.weight": torch.zeros(3, 3)}, "no crosscoder of a known layout.*got 'model.embed_tokens"),
        (broken("encoder.weight", torch.zeros(3, WIDTH, LATENTS)), "reads 3 activations, expected those of 2 models"),
        (broken("encoder.weight", torch.zeros(WIDTH, LATENTS)), "encoder.weight is 3 x 5, expected three dimensions"),
        (broken("decoder.weight", torch.zeros(2, 4, WIDTH)), "its decoder.weight is 2 x 4 x 3, expected 2 x 5 x 3"),
        (broken("decoder.bias", None), "no crosscoder of a known layout"),
        (broken("encoder.bias", torch.full((LATENTS,), torch.inf)), "encoder.bias holds numbers that are not finite"),
        (stacked(threshold=torch.ones(2)), "its threshold has 2 numbers, expected 1"),
        (
            stacked(threshold=torch.tensor(1.0), code_normalization_id=torch.tensor(9)),
            "code_normalization_id 9, expected 1 to 5",
        ),
        (single(enc_mask=torch.ones(2, LATENTS), dec_mask=torch.ones(LATENTS, 2)), "has no k between 1 and 5"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, tensors: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ModelError, match=f"{message}[^\n]*$"):
        read_published(save(tmp_path / "cc", tensors))


def test_damaged_and_missing_files_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = save(tmp_path / "cc", stacked())
    (tmp_path / "cc" / "config.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match=r"its config.json is no JSON object"):
        read_published(folder)
    (tmp_path / "cc" / "config.json").write_text("{}")
    (tmp_path / "cc" / "model.safetensors").write_bytes(b"\xff" * 32)
    with pytest.raises(ModelError, match=r"its 'model.safetensors' is damaged"):
        read_published(folder)
    with pytest.raises(SettingError, match=r"has its weights in folders: name one of them, such as .*/cc"):
        read_published(str(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match="empty has 0 files of weights: expected one"):
        read_published(str(tmp_path / "empty"))
    for spec in ("nothing", "org/name/../../x", "org/na me"):
        with pytest.raises(SettingError, match=r"expected org/name\[@revision\]\[/folder\] of the Hub, or a folder"):
            read_published(spec)


def test_of_the_hub_one_folder_of_one_commit_is_fetched(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "downloads"))
    save(tmp_path / "repo" / "blocks.14.hook_resid_pre", single(), "cfg.json", hook_point="blocks.14.hook_resid_pre")
    (tmp_path / "repo" / "other.bin").write_bytes(b"x")
    commit = hub.push_folder("org/cc", tmp_path / "repo")
    published = read_published("org/cc@main/blocks.14.hook_resid_pre")
    assert published.identity == f"org/cc@{commit}/blocks.14.hook_resid_pre"
    assert published.name == "org/cc/blocks.14.hook_resid_pre"
    torch.testing.assert_close(published.weights.bias, single()["b_enc"])
    fetched = {request.path.rpartition("/")[2] for request in hub.requests if "/resolve/" in request.path}
    assert fetched == {"cfg.json", "model.safetensors"}
    with pytest.raises(HubError, match=r"org/nothing[^\n]*$"):
        read_published("org/nothing")
    with pytest.raises(DiffingError, match=r"has 0 files of weights"):
        read_published("org/cc/elsewhere")
