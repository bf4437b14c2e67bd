"""Sets the number of CPU threads while a model runs: one thread is faster for small models."""

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
    """A context manager that uses one thread for a small model on a CPU and restores the setting afterwards."""
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
