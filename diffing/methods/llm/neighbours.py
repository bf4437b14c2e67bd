"""Orders embedding vectors so that similar ones stand side by side in the list that an LLM reads."""

import numpy as np
import numpy.typing as npt

from diffing.methods.llm.embedders import Vectors

AT_ONCE = 4_000
"""Above this many rows their distances (64 MB here) get large; the rest is put beside the most similar of these."""
_BLOCK = 256
"""Rows whose distances are computed at once."""


def order_of_neighbours(vectors: Vectors) -> list[int]:
    """The rows in the order of the leaves of their average linkage."""
    from scipy.cluster.hierarchy import leaves_list, linkage

    first = vectors[:AT_ONCE]
    if len(first) < 2:
        return list(range(len(vectors)))
    leaves = leaves_list(linkage(half_squared_distances(first), "average"))
    place = np.empty(len(first))
    place[leaves] = np.arange(len(first))
    rest = vectors[AT_ONCE:]
    # a row beyond the first stands right behind the one that it is most similar to
    behind = place[(rest @ first.T).argmax(axis=1)] + 0.5 if len(rest) else np.empty(0)
    return [int(i) for i in np.argsort(np.concatenate([place, behind]), kind="stable")]


def half_squared_distances(vectors: Vectors) -> npt.NDArray[np.float64]:
    """Computes 1 - cosine of all pairs of rows, in the order of `scipy.spatial.distance.pdist`.

    For rows of length 1, half the squared distance is just that. Products of blocks are several times faster than
    `pdist`, and their rounding in float32 (about 1e-7) is far below what matters here.

    Args:
        vectors: Shape (n, dimensions), rows of length 1.

    Returns:
        Shape (n * (n - 1) / 2).
    """
    n = len(vectors)
    distances = np.empty(n * (n - 1) // 2)
    filled = 0
    for first in range(0, n, _BLOCK):
        block = 1 - vectors[first : first + _BLOCK] @ vectors[first:].T
        for row, values in enumerate(block):
            own = values[row + 1 :]
            distances[filled : filled + len(own)] = own
            filled += len(own)
    return np.maximum(distances, 0, out=distances)
