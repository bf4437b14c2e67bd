"""Drops features that are active in nearly the same responses as a stronger feature, as they say the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.methods.features.feature_screening import ScreenedLatent
from diffing.methods.features.sparse_latents import Latents

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME_SUPPORT = 0.8
"""Two features say the same if this share of the responses with either of them has both (Jaccard index)."""


def without_duplicates(
    screened: Sequence[ScreenedLatent], pairs: Sequence[tuple[Latents, Latents]]
) -> list[ScreenedLatent]:
    """Keeps only the first of several features that say the same, as dictionaries split a frequent property.

    Args:
        screened: The features, the strongest first.
        pairs: A's and B's latents in the pairs on which the features were screened.
    """
    import numpy as np

    if not screened:
        return []
    indices = np.array([one.index for one in screened])
    active = np.stack([np.isin(indices, latents.indices) for pair in pairs for latents in pair], axis=1)
    return [screened[row] for row in first_of_each(active)]


def first_of_each(active: "NDArray[np.bool_]") -> list[int]:
    """Returns the rows that are active in other responses than every row that is kept before them.

    Args:
        active: In which responses each feature is active; features x responses, the strongest feature first.
    """
    import numpy as np

    together = active.astype(np.int64) @ active.T.astype(np.int64)
    counts = np.diag(together)
    overlap = together / np.maximum(counts[:, None] + counts[None, :] - together, 1)
    kept: list[int] = []
    for row in range(len(active)):
        if not (overlap[row, kept] >= SAME_SUPPORT).any():
            kept.append(row)
    return kept
