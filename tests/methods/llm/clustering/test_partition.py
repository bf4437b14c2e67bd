"""Planted groups come back as clusters, whatever their number and size; noise stays noise."""

import warnings

import numpy as np
import pytest

from diffing.methods.llm.clustering.partition import cluster_vectors, scaled_size


def planted(groups, size, noise=0, spread=0.4, dimensions=64, seed=0):
    """Unit vectors around `groups` random directions, and noise; labels are -1 for noise."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, dimensions)) / dimensions**0.5
    rows = (
        np.repeat(centres, size, axis=0) + spread * generator.normal(size=(groups * size, dimensions)) / dimensions**0.5
    )
    rows = np.vstack([rows, generator.normal(size=(noise, dimensions))])
    labels = np.array([i // size for i in range(groups * size)] + [-1] * noise)
    order = generator.permutation(len(rows))
    rows = rows[order] / np.linalg.norm(rows[order], axis=1, keepdims=True)
    return rows.astype(np.float32), labels[order]


def same_partition(found, truth):
    return len({*zip(found, truth, strict=True)}) == len(set(truth)) == len(set(found))


@pytest.mark.parametrize(("groups", "size", "noise"), [(2, 10, 0), (4, 10, 10), (20, 15, 60), (50, 20, 200)])
def test_planted_groups(groups, size, noise):
    vectors, truth = planted(groups, size, noise)
    found = cluster_vectors(vectors, way="average", min_cluster_size=5)
    assert same_partition(found[truth >= 0], truth[truth >= 0])
    assert (found[truth < 0] != -1).sum() <= noise / 50


def test_one_group_of_equal_sentences():
    vectors = np.repeat(planted(1, 1)[0], 20, axis=0)
    assert cluster_vectors(vectors, way="average").tolist() == [0] * 20


def test_largest_first():
    sizes = [5, 30, 10]
    centres, _ = planted(3, 1)
    vectors = np.repeat(centres, sizes, axis=0)
    found = cluster_vectors(vectors, way="average", min_cluster_size=5)
    assert found.tolist() == [2] * 5 + [0] * 30 + [1] * 10


@pytest.mark.parametrize("way", ["average", "paper"])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_to_cluster(way, n):
    vectors = np.eye(4, dtype=np.float32)[:n]
    assert cluster_vectors(vectors, way=way).tolist() == [-1] * n


def test_nothing_recurs():
    vectors, _ = planted(0, 1, noise=100)
    assert set(cluster_vectors(vectors, way="average")) == {-1}


def test_sentences_of_which_nothing_is_known_are_noise():
    vectors, _ = planted(2, 10)
    vectors[3] = 0
    assert cluster_vectors(vectors, way="average", min_cluster_size=5)[3] == -1


def test_the_smallest_cluster_grows_with_the_input():
    assert [scaled_size(n, 10) for n in (0, 20, 60, 100, 199, 200, 5000)] == [3, 3, 3, 5, 9, 10, 10]
    assert scaled_size(5000, 4) == 4
    assert scaled_size(5000, 100) == 100


def test_above_what_fits_at_once_the_rest_joins(monkeypatch):
    monkeypatch.setattr("diffing.methods.llm.clustering.partition.AT_ONCE", 300)
    vectors, truth = planted(10, 60, 200, spread=0.3)
    found = cluster_vectors(vectors, way="average")
    assert same_partition(found[truth >= 0], truth[truth >= 0])
    assert (found[truth < 0] == -1).mean() > 0.9


def test_a_thousand_sentences():
    vectors, truth = planted(40, 25)
    assert same_partition(cluster_vectors(vectors, way="average"), truth)


@pytest.mark.slow  # UMAP's compilation
def test_the_way_of_the_paper():
    """Small and large inputs, equal sentences, seeds; one test, since UMAP compiles itself once per process."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors, truth = planted(3, 20, spread=0.2)
        found = cluster_vectors(vectors, way="paper")
        assert same_partition(found, truth)
        assert np.array_equal(found, cluster_vectors(vectors, way="paper"))
        equal = np.repeat(vectors[:2], 10, axis=0)
        assert len(cluster_vectors(equal, way="paper")) == 20
        for n in (3, 4, 5, 20):
            assert len(cluster_vectors(vectors[:n], way="paper")) == n


def test_clusters_of_apart_groups_do_not_depend_on_the_seed():
    vectors, _ = planted(4, 10, 10)
    first, second = (cluster_vectors(vectors, way="average", seed=seed) for seed in (0, 1))
    assert same_partition(first, second)
