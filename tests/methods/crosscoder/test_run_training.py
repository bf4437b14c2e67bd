"""Which dictionaries are trained."""

import torch

from diffing.methods.crosscoder import run_training
from diffing.methods.inside.row_batches import RowBatch


class Held:
    """A stream that only holds rows back."""

    def __init__(self, *pairs: tuple[float, float]) -> None:
        self._batches = [RowBatch(torch.full((2, 3), a), torch.full((2, 3), b), 2) for a, b in pairs]

    def held_back(self, rows: int) -> list[RowBatch]:
        return self._batches


def test_models_with_the_same_activations_have_no_dictionary_of_differences() -> None:
    assert not run_training._differ(Held((1.0, 1.0), (2.0, 2.0)))  # type: ignore[arg-type]
    assert run_training._differ(Held((1.0, 1.0), (2.0, 3.0)))  # type: ignore[arg-type]
