"""Features that fire together are one."""

import numpy as np

from diffing.methods.features.duplicate_features import without_duplicates
from diffing.methods.features.feature_screening import ScreenedLatent
from diffing.methods.features.sparse_latents import Latents


def latents(*indices: int) -> Latents:
    return Latents(np.array(sorted(indices), np.int32), np.ones(len(indices), np.float32), 3)


def test_the_strongest_of_those_that_fire_together_is_kept() -> None:
    """3 fires with 7 in nine of ten responses of A (Jaccard 0.9), 5 in half of them; 9 fires in B alone."""
    pairs = [
        (latents(7, *([3] if i < 9 else []), *([5] if i < 5 else [])), latents(9) if i < 9 else latents())
        for i in range(10)
    ]
    screened = [ScreenedLatent(index, 0.0, 0.0, 0.0, 0.0) for index in (7, 3, 9, 5)]
    assert [one.index for one in without_duplicates(screened, pairs)] == [7, 9, 5]
    assert without_duplicates([], pairs) == []
