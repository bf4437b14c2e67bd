"""Sets the number of CPU threads while a model runs: one thread is faster for small models."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SMALL = 30_000_000
"""A model with fewer parameters runs on one thread: its steps are so short that a second thread slows them down,
especially if the cores are busy."""


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
