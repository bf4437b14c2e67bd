"""Numbers that a model draws while it reads, as Reformer does for its hashes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@contextmanager
def fixed_noise(model: "PreTrainedModel") -> Iterator[None]:
    """Inside, the model draws the same numbers every time; outside, the generators go on as if nothing had been drawn.

    Args:
        model: A model on its device.
    """
    import torch

    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


def generator_states(model: "PreTrainedModel") -> "list[torch.Tensor]":
    """States of the generators that a model may draw from: they change as soon as it does.

    Args:
        model: A model on its device.
    """
    import torch

    states = [torch.get_rng_state()]
    if model.device.type == "cuda":
        states.append(torch.cuda.get_rng_state(model.device))
    return states
