"""Clusters sentence embeddings, so that sentences that say the same are in one cluster.

Two algorithms. `average`: average linkage, cut where pairs of sentences stop being closer than chance. `paper`:
PCA, UMAP and HDBSCAN as published, seeded. Measured on sentences made from 40 planted statements (paraphrases, 30
topics mixed in, 30 % noise), static embedder, means of two or three draws, `average` against `paper`:

    sentences                              60          200         1,000       3,000
    adjusted Rand index                .26 : .06    .38 : .16    .36 : .30    .34 : .17
    noise taken into clusters          9 % : 56 %   0 % : 37 %  25 % : 50 %  61 % : 73 %
    seconds on one busy core         0.1 : 2      0.1 : 2      0.2 : 10     1.2 : 47

Of 40 statements at 3,000 sentences, 21 against 24 had most (70 %) of their sentences in one cluster. Between seeds the
paper's way agrees with itself at an adjusted Rand index of .70 (1,000 sentences); `average` has no seed. Leiden
communities on a 15-nearest-neighbour graph lay between the two and took in more noise.
"""

import warnings
from importlib.util import find_spec
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from diffing.errors import MissingExtraError
from diffing.methods.llm.embedders import Vectors
from diffing.methods.llm.neighbours import half_squared_distances

Algorithm: TypeAlias = Literal["average", "paper"]
Labels = npt.NDArray[np.int64]
"""One cluster number per row, largest cluster first; -1 is noise."""

SMALLEST = 3
AT_ONCE = 8_000
"""Above this many sentences the distances (256 MB here, and as much again while they are linked) get too large."""
_SPREADS = 2.5
_SHARE = 0.4


def cluster_vectors(vectors: Vectors, *, way: Algorithm, min_cluster_size: int = 10, seed: int = 0) -> Labels:
    """Groups rows that say the same.

    Args:
        vectors: One row of length 1 per sentence.
        way: `average` or `paper`.
        min_cluster_size: Smaller groups are noise; see `scaled_size` for small inputs.
        seed: Of PCA and UMAP; `average` has none up to 8,000 rows.
    """
    size = scaled_size(len(vectors), min_cluster_size)
    known = np.linalg.norm(vectors, axis=1) > 0.5
    labels = np.full(len(vectors), -1, dtype=np.int64)
    if known.sum() >= max(size, 2):
        labels[known] = _average(vectors[known], seed) if way == "average" else _paper(vectors[known], size, seed)
    return _by_size(labels, size)


def check_installed(way: Algorithm) -> None:
    """Tells of missing libraries before anything is paid.

    Raises:
        MissingExtraError: `paper` without scikit-learn or umap-learn.
    """
    if way == "paper" and (find_spec("sklearn") is None or find_spec("umap") is None):
        raise MissingExtraError("Clustering as in the paper", "llm")


def scaled_size(n: int, asked: int) -> int:
    """The smallest cluster for n sentences: a twentieth of them, at least 3, at most what was asked for.

    With the paper's 10, nothing below 200 sentences could show a difference that a twentieth of the sentences speak of.
    """
    return min(asked, max(SMALLEST, n // 20))


def _average(vectors: Vectors, seed: int) -> Labels:
    """Average linkage on cosine similarity; above `AT_ONCE` rows of a part, then the rest joins the nearest centre."""
    from scipy.cluster.hierarchy import fcluster, linkage

    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(vectors))[:AT_ONCE])
    distances = half_squared_distances(vectors[rows])
    reach = _reach(distances)
    labels = np.full(len(vectors), -1, dtype=np.int64)
    labels[rows] = fcluster(linkage(distances, "average"), reach, "distance") - 1
    if len(rows) < len(vectors):
        centres = np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
        rest = np.setdiff1d(np.arange(len(vectors)), rows)
        similarity = vectors[rest] @ centres.T
        labels[rest] = np.where(similarity.max(axis=1) >= 1 - reach, similarity.argmax(axis=1), -1)
    return labels


def _reach(distances: npt.NDArray[np.float64]) -> float:
    """The cosine distance up to which two clusters, on average over their pairs, are one.

    Embedders differ in what a distance means, so the measure is the average pair of this very input: 2.5 standard
    deviations nearer (which decides for TF-IDF), but no more than 0.4 of the way to identity (which decides for
    embedders whose vectors lie closer together, and where a few clusters hold most of the sentences).
    """
    mean = float(distances.mean())
    spread = max(float(distances @ distances) / len(distances) - mean**2, 0.0) ** 0.5
    return float(max(mean - _SPREADS * spread, mean * (1 - _SHARE))) + 1e-6


def _paper(vectors: Vectors, size: int, seed: int) -> Labels:
    """PCA 128 -> UMAP 30 (n_neighbors 15, min_dist 0, euclidean, densMAP) -> HDBSCAN (arXiv 2602.10371), seeded.

    UMAP needs more rows than neighbours and dimensions; below 4 rows there is nothing to reduce.
    """
    with warnings.catch_warnings():
        # UMAP warns of a library it could use, of rows far from all others and of equal ones, which are expected here
        warnings.simplefilter("ignore")
        from sklearn.cluster import HDBSCAN
        from sklearn.decomposition import PCA
        from umap import UMAP

        n = len(vectors)
        reduced = vectors
        if n > 3:
            components = min(128, n - 1, vectors.shape[1])
            reduced = PCA(components, random_state=seed).fit_transform(vectors)
            umap = UMAP(
                n_components=min(30, n - 2, components),
                n_neighbors=min(15, n - 1),
                min_dist=0.0,
                metric="euclidean",
                densmap=True,
                random_state=seed,
                n_jobs=1,
            )
            reduced = np.nan_to_num(umap.fit_transform(reduced))
        found: Labels = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(reduced).astype(np.int64)
    return found


def _by_size(labels: Labels, size: int) -> Labels:
    """Numbers clusters by size, then by first row; those smaller than `size` become noise."""
    numbers, firsts, counts = np.unique(labels, return_index=True, return_counts=True)
    large = [i for i in range(len(numbers)) if numbers[i] >= 0 and counts[i] >= size]
    order = sorted(large, key=lambda i: (-counts[i], firsts[i]))
    result = np.full_like(labels, -1)
    for new, i in enumerate(order):
        result[labels == numbers[i]] = new
    return result
