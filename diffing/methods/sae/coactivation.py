"""Features that are active in the same responses say the same: one of them is enough. Pure counting."""

from collections.abc import Sequence

from diffing.methods.sae.feature_screening import Screened
from diffing.methods.sae.latent_rows import Latents

SAME_SUPPORT = 0.8
"""Two features that share this part of the responses in which either is active (Jaccard) say the same."""


def distinct(screened: Sequence[Screened], pairs: Sequence[tuple[Latents, Latents]]) -> list[Screened]:
    """Of features that say the same the first; an SAE splits what is frequent over many latents.

    Args:
        screened: The strongest first.
        pairs: A's and B's latents, as they were screened.
    """
    import numpy as np

    if not screened:
        return []
    indices = np.array([one.index for one in screened])
    active = np.stack([np.isin(indices, latents.indices) for pair in pairs for latents in pair], axis=1)
    together = active.astype(np.int64) @ active.T.astype(np.int64)
    counts = np.diag(together)
    overlap = together / np.maximum(counts[:, None] + counts[None, :] - together, 1)
    kept: list[int] = []
    for row in range(len(screened)):
        if not (overlap[row, kept] >= SAME_SUPPORT).any():
            kept.append(row)
    return [screened[row] for row in kept]
