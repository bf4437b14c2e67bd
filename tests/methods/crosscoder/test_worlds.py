"""Crosscoders in worlds whose features are known: what they find, what they call exclusive, what they must not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.latent_facts import LatentFacts, latent_facts
from diffing.methods.crosscoder.quality import quality
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser
from diffing.methods.crosscoder.training import train, train_difference
from tests.methods.crosscoder.worlds import (
    SOURCE,
    Examined,
    Rows,
    World,
    correlations,
    examine,
    known_features,
    settings,
)

FAST = {"width": 32, "shared": 16, "weak": 4, "exclusive": 8, "active": 2.0, "held_rows": 4_096, "total": 2_048}
STEPS = {"latents": 48, "own": 6, "steps": 300, "k": 2, "batch_rows": 64, "rate": 1e-2}


def trained(world: World, folder: Path, **options: object) -> Crosscoder:
    return train(settings(world, **options), world, folder / "training.safetensors")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Crosscoder, Examined]:
    world = World(**FAST)  # type: ignore[arg-type]
    crosscoder = trained(world, tmp_path_factory.mktemp("small"), **STEPS)
    return world, crosscoder, examine(world, crosscoder)


def test_every_exclusive_feature_of_a_small_world_is_found(small: tuple[World, Crosscoder, Examined]) -> None:
    _, _, examined = small
    assert (examined.kept.true, examined.kept.false) == (8, 0)
    assert examined.exclusive.false > 0  # so that latent scaling had something to throw out
    assert min(examined.quality.fve) > 0.95
    assert 1.5 < examined.quality.l0 < 2.5


def test_kinds_follow_directions_and_partition(small: tuple[World, Crosscoder, Examined]) -> None:
    _, _, examined = small
    facts = examined.facts
    assert facts.kinds[:12] == ("exclusive a",) * 6 + ("exclusive b",) * 6
    assert np.array_equal(facts.rho[:12], [0.0] * 6 + [1.0] * 6)
    for rho, kind in zip(facts.rho[12:], facts.kinds[12:], strict=True):
        expected = "exclusive a" if rho < 0.1 else "exclusive b" if rho > 0.9 else None
        assert kind == (expected or ("shared" if 0.4 <= rho <= 0.6 else "leaning"))
    assert {"shared", "leaning"} < set(facts.kinds)
    assert facts.own is None
    assert facts.change is None
    assert facts.rows == 4_096 + 2_048  # few are held back, so that training rows are read too
    assert np.isnan(facts.free.error[[kind in ("shared", "leaning") for kind in facts.kinds]]).all()


def mirrored(crosscoder: Crosscoder) -> Crosscoder:
    """The same crosscoder with A and B exchanged."""
    a, b = crosscoder.partition
    order = [*range(a, a + b), *range(a), *range(a + b, crosscoder.latents)]
    old = crosscoder.weights
    weights = DictionaryWeights(
        tuple(encoder[order] for encoder in reversed(old.encoders)),
        old.bias[order],
        tuple(decoder[order] for decoder in reversed(old.decoders)),
        old.output_biases[::-1],
    )
    normaliser = Normaliser(crosscoder.normaliser.means[::-1], crosscoder.normaliser.scales[::-1])
    return Crosscoder(
        weights,
        normaliser,
        threshold=crosscoder.threshold,
        k=crosscoder.k,
        partition=(b, a),
        same_space=crosscoder.same_space,
        source=SOURCE,
    )


class Mirrored(World):
    """The same world with A and B exchanged."""

    def rows(self, rows: int, place: int) -> Rows:
        batch = super().rows(rows, place)
        return Rows(batch.b, batch.a, batch.place)


def test_mirrored_worlds_give_mirrored_kinds(small: tuple[World, Crosscoder, Examined]) -> None:
    _, crosscoder, examined = small
    straight, facts = examined.facts, latent_facts(mirrored(crosscoder), Mirrored(**FAST))  # type: ignore[arg-type]
    order = [*range(6, 12), *range(6), *range(12, 48)]
    other = {"exclusive a": "exclusive b", "exclusive b": "exclusive a", "shared": "shared", "leaning": "leaning"}
    assert facts.kinds == tuple(other[straight.kinds[latent]] for latent in order)
    assert np.abs(facts.active_rows - straight.active_rows[order]).max() <= 2  # sums in another order
    assert np.allclose(facts.free.error, straight.free.error[order], rtol=1e-2, atol=1e-2, equal_nan=True)
    assert np.allclose(
        facts.free.reconstruction, straight.free.reconstruction[order], rtol=1e-2, atol=1e-2, equal_nan=True
    )


def by_hand(*, shared_code: bool) -> LatentFacts:
    """Facts of two latents for A alone; the first one's feature is in both models, in B as other latents know it.

    Args:
        shared_code: Whether B's feature is reconstructed by a third latent, or by none.
    """
    identity, zero = torch.eye(3), torch.zeros(3, 3)
    write_b = zero.clone()
    if shared_code:
        write_b[2, 0] = 1
    weights = DictionaryWeights(
        (torch.stack([identity[0], identity[1], identity[0]]), zero), torch.zeros(3),
        (torch.stack([identity[0], identity[1], 0 * identity[0]]), write_b), (torch.zeros(3), torch.zeros(3)),
    )  # fmt: skip
    normaliser = Normaliser((torch.zeros(3), torch.zeros(3)), (1.0, 1.0))
    crosscoder = Crosscoder(weights, normaliser, threshold=0.0, k=2, partition=(2, 0), same_space=True, source=None)

    class Known(World):
        def rows(self, rows: int, place: int) -> Rows:
            strengths = self.strengths(rows, place)[:, :3]
            return Rows(strengths, strengths * torch.tensor([1.0, 0.0, 0.0]), place + rows)

    return latent_facts(crosscoder, Known(**FAST))  # type: ignore[arg-type]


def test_complete_shrinkage_shows_in_the_error_and_decoupling_in_the_reconstruction() -> None:
    """nu is 1 where B has the feature to the full, and 0 for the feature that is A's alone."""
    unknown, decoupled = by_hand(shared_code=False), by_hand(shared_code=True)
    for scaling in (unknown.own, unknown.free):
        assert scaling is not None
        assert scaling.error[:2] == pytest.approx([1, 0], abs=0.15)
        assert scaling.reconstruction[:2] == pytest.approx([0, 0], abs=0.15)
        assert scaling.genuine.tolist() == [False, True, False]
    for scaling in (decoupled.own, decoupled.free):
        assert scaling is not None
        assert scaling.reconstruction[:2] == pytest.approx([1, 0], abs=0.15)
        assert scaling.error[:2] == pytest.approx([0, 0], abs=0.15)
        assert scaling.genuine.tolist() == [False, True, False]
    assert unknown.kept.tolist() == [False, True, False]
    assert unknown.change is not None
    assert unknown.change[0] > 0


def test_a_dead_latent_is_never_kept() -> None:
    facts = by_hand(shared_code=False)
    few = LatentFacts(facts.rows, np.array([9, 10, 10**6]), facts.rho, facts.kinds, facts.own, facts.free, facts.change)
    assert few.alive.tolist() == [False, True, True]
    assert few.dense.tolist() == [False, False, True]
    assert few.exclusive.tolist() == [False, True, False]


@pytest.fixture(scope="module")
def one_space() -> World:
    """A third of the features is in one model alone, so that the difference has something to say."""
    return World(**FAST | {"same_space": True})  # type: ignore[arg-type]


def test_a_difference_dictionary_finds_what_one_model_adds(one_space: World, tmp_path: Path) -> None:
    chosen = settings(one_space, **STEPS | {"own": 0})  # type: ignore[arg-type]
    dictionary = train_difference(chosen, one_space, tmp_path / "c")
    assert (dictionary.latents, dictionary.k, dictionary.widths) == (24, 1, (32, 32))
    batches = list(one_space.held_back(2_048))
    activations = torch.cat([dictionary.activations(rows.a, rows.b) for rows in batches])
    strengths = one_space.held_strengths(2_048)
    exclusive = known_features(activations, strengths)[20:]
    assert (exclusive > 0.8).sum() >= 7
    (fve,) = quality(dictionary, batches).fve
    assert fve is not None
    assert fve > 0.8
    matrix = correlations(activations, strengths)
    latent = int(matrix[:, one_space.exclusive_b[0]].argmax())
    direction = one_space.directions[1][one_space.exclusive_b[0]]
    assert torch.cosine_similarity(dictionary.direction(latent), direction, dim=0) > 0.9


def test_quality_without_rows_or_variance_is_undefined(small: tuple[World, Crosscoder, Examined]) -> None:
    world, crosscoder, _ = small
    empty = quality(crosscoder, [])
    assert (empty.rows, empty.fve, empty.l0) == (0, (None, None), 0.0)
    one = next(world.held_back(1))
    assert quality(crosscoder, [one]).fve == (None, None)


@pytest.mark.slow
class TestAsThePrototype:
    """The worlds of the method's specification, with the partition; a training takes seven seconds.

    `tests.benchmarks.bench_crosscoder --seeds 3` does the same with three seeds.
    """

    def examined(self, world: World, folder: Path) -> Examined:
        return examine(world, trained(world, folder, own=10, steps=1_500))

    def test_exclusive_features_are_found(self, tmp_path: Path) -> None:
        examined = self.examined(World(), tmp_path)
        assert examined.kept.true >= 14
        assert examined.kept.false <= 1
        assert min(examined.quality.fve) > 0.95

    def test_nothing_is_exclusive_in_a_rotated_space(self, tmp_path: Path) -> None:
        examined = self.examined(World(rotated=True), tmp_path)
        assert examined.facts.kept.sum() == 0

    def test_what_follows_a_shared_feature_is_known(self, tmp_path: Path) -> None:
        examined = self.examined(World(follows=0.9), tmp_path)
        assert (examined.known >= 0.6).all()  # the F1 with which a latent tells a behaviour
