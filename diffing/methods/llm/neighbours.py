"""Orders vectors so that similar ones are neighbours."""

import numpy as np
import numpy.typing as npt

from diffing.methods.llm.embed import Vectors

AT_ONCE = 4_000
"""Above this many rows their distances (64 MB here) get large; the rest is put beside the most similar of these."""


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
    """1 - cosine of all pairs of rows, condensed; for rows of length 1 half the squared distance is just that."""
    from scipy.spatial.distance import pdist

    return np.asarray(pdist(vectors, "sqeuclidean") / 2)
