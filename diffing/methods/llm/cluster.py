"""Step 4 of method llm: vectors of sentences that say the same become clusters. Knows no sentences and no sides.

Two ways. `average`, the default: average linkage, cut where pairs of sentences stop being closer than chance. `paper`: PCA,
UMAP and HDBSCAN as published, seeded. Measured on 200 to 3,000 sentences made from 40 planted statements with paraphrases and
varied topics, 30 % of them noise, embedded by a static embedder: at 3,000 the default brought 24 of 40 statements together
(70 % of a statement's sentences in one cluster) at an adjusted Rand index of 0.34, the paper's way 24 at 0.16; at 1,000
both 8 of 36 at 0.37 and 0.31; a nearest-neighbour graph with Leiden lay between. The default takes well under a second
instead of 4 to 20, loads no library but SciPy, and has no randomness, so that it is the same on every machine.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from diffing.errors import MissingExtraError
from diffing.methods.llm.embed import Vectors

Way: TypeAlias = Literal["average", "paper"]
Labels = npt.NDArray[np.int64]
"""One cluster number per row, largest cluster first; -1 is noise."""

SMALLEST = 3
AT_ONCE = 10_000
"""Above this many sentences the matrix of distances would not fit into the memory of a small machine (400 MB here)."""
_SPREADS = 2.5
_SHARE = 0.4


def cluster_vectors(vectors: Vectors, *, way: Way, min_cluster_size: int = 10, seed: int = 0) -> Labels:
    """Groups rows that say the same.

    Args:
        vectors: One row of length 1 per sentence.
        way: `average` or `paper`.
        min_cluster_size: Smaller groups are noise; see `scaled_size` for small inputs.
        seed: Of PCA and UMAP; `average` has none below 10,000 rows.

    Raises:
        MissingExtraError: `paper` without the libraries of the extra.
    """
    size = scaled_size(len(vectors), min_cluster_size)
    known = np.linalg.norm(vectors, axis=1) > 0.5
    labels = np.full(len(vectors), -1, dtype=np.int64)
    if known.sum() >= max(size, 2):
        labels[known] = _average(vectors[known], seed) if way == "average" else _paper(vectors[known], size, seed)
    return _by_size(labels, size)


def scaled_size(n: int, asked: int) -> int:
    """The smallest cluster for n sentences: a twentieth of them, at least 3, at most what was asked for.

    With the paper's 10, nothing below 200 sentences could show a difference that a twentieth of the sentences speak of.
    """
    return min(asked, max(SMALLEST, n // 20))


def stability(vectors: Vectors, *, way: Way, min_cluster_size: int = 10, seeds: Sequence[int] = (0, 1, 2)) -> float:
    """Mean adjusted Rand index between the clusterings under different seeds; 1 is always the same.

    Rows in noise count as one more cluster.

    Source: Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2.
    """
    from sklearn.metrics import adjusted_rand_score

    runs = [cluster_vectors(vectors, way=way, min_cluster_size=min_cluster_size, seed=seed) for seed in seeds]
    return float(np.mean([adjusted_rand_score(a, b) for i, a in enumerate(runs) for b in runs[i + 1 :]]))


def _average(vectors: Vectors, seed: int) -> Labels:
    """Average linkage on cosine similarity; above `AT_ONCE` rows of a part, then the rest joins the nearest centre."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(vectors))[:AT_ONCE])
    # for rows of length 1 half the squared distance is 1 - cosine, also where two rows are the same
    distances = pdist(vectors[rows], "sqeuclidean") / 2
    reach = 1 - _least_similarity(1 - distances)
    labels = np.full(len(vectors), -1, dtype=np.int64)
    labels[rows] = fcluster(linkage(distances, "average"), reach, "distance") - 1
    if len(rows) < len(vectors):
        centres = np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
        rest = np.setdiff1d(np.arange(len(vectors)), rows)
        similarity = vectors[rest] @ centres.T
        labels[rest] = np.where(similarity.max(axis=1) >= 1 - reach, similarity.argmax(axis=1), -1)
    return labels


def _least_similarity(similarities: npt.NDArray[Any]) -> float:
    """How similar two clusters must be, on average, to be one.

    Embedders differ in what similarity means, so the measure is the average pair of this very input: 2.5 standard
    deviations above it (which decides for TF-IDF), but no more than 0.4 of the way from it to identity (which decides
    for embedders whose vectors lie closer together, and where a few clusters hold most of the sentences).
    """
    mean = float(similarities.mean())
    return min(mean + _SPREADS * float(similarities.std()), mean + _SHARE * (1 - mean)) - 1e-6


def _paper(vectors: Vectors, size: int, seed: int) -> Labels:
    """PCA 128 -> UMAP 30 (n_neighbors 15, min_dist 0, euclidean, densMAP) -> HDBSCAN (arXiv 2602.10371), seeded.

    UMAP needs more rows than neighbours and dimensions; below 4 rows there is nothing to reduce.
    """
    try:
        from sklearn.cluster import HDBSCAN
        from sklearn.decomposition import PCA
        from umap import UMAP
    except ImportError:
        raise MissingExtraError("Clustering as in the paper", "llm") from None
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
        with warnings.catch_warnings():
            # rows that are far from all others, or the same as others, are expected here
            warnings.simplefilter("ignore")
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
