"""How many threads a model is worth."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SMALL = 30_000_000
"""Below so many parameters a step is too short to share: handing it to a second thread costs more than it brings, and
many times more where the cores are busy with something else."""


@contextmanager
def fitting_threads(model: "torch.nn.Module") -> Iterator[None]:
    """One thread while a small model writes on a CPU; what was set before is set again afterwards."""
    import torch

    first = next(model.parameters())
    if first.device.type != "cpu" or sum(each.numel() for each in model.parameters()) >= SMALL:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
