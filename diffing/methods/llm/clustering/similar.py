"""Clusters differences that are worded alike (`average`, `signed`), as alternatives to proposing by an LLM.

Only the sentence about the side that shows a behaviour is clustered: a sentence about the other side would lie close to
it, so that a cluster of both would belong to neither. The owner is a coordinate, and size is counted in pairs.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from diffing.methods.llm.clustering.partition import Algorithm, cluster_vectors
from diffing.methods.llm.difference import Difference
from diffing.methods.llm.embedders import Vectors

SimilarWay: TypeAlias = Literal["average", "signed"]
ALGORITHMS: dict[SimilarWay, Algorithm] = {"average": "average", "signed": "paper"}
SIGN = 0.3
"""The length of the owner's coordinate beside a sentence of length 1. Sentences in the same words stay together, so
that pairs that speak against a behaviour are in its cluster; those that only share a topic are a step further apart."""


def similar_differences(
    differences: Sequence[Difference], vectors: Vectors, *, way: SimilarWay, least_pairs: int, seed: int
) -> list[list[int]]:
    """Clusters of differences, the largest first; each lists indices, nearest to its centre first.

    Args:
        differences: What is clustered.
        vectors: One vector per difference.
        way: `average` for average linkage, `signed` for the papers' PCA, UMAP and HDBSCAN.
        least_pairs: The smallest number of pairs in a cluster.
        seed: Of the way `signed`.
    """
    labels = cluster_vectors(
        _signed(differences, vectors), way=ALGORITHMS[way], min_cluster_size=least_pairs, seed=seed
    )
    clusters = []
    for number in range(int(labels.max(initial=-1)) + 1):
        places = np.flatnonzero(labels == number)
        closeness = vectors[places] @ vectors[places].mean(axis=0)
        # rounded, so that what is equally near keeps its order on every machine
        members = [int(place) for place in places[np.argsort(-closeness.round(5), kind="stable")]]
        if len({differences[i].prompt_id for i in members}) >= least_pairs:
            clusters.append(members)
    return clusters


def _signed(differences: Sequence[Difference], vectors: Vectors) -> Vectors:
    """The vectors with the owner as a coordinate, at length 1; those of which nothing is known stay zero."""
    signs = np.array([SIGN if difference.owner == "a" else -SIGN for difference in differences], dtype=np.float32)
    rows = np.column_stack([vectors, signs * (np.linalg.norm(vectors, axis=1) > 0.5)])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)
