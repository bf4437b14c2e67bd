"""Fixes the random numbers that some models draw in their forward pass, such as Reformer for its hashes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@contextmanager
def fixed_noise(model: "PreTrainedModel") -> Iterator[None]:
    """A context manager in which a model draws the same numbers every time; the generators are restored afterwards.

    Args:
        model: A model on its device.
    """
    import torch

    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


def generator_states(model: "PreTrainedModel") -> "list[torch.Tensor]":
    """The states of the generators that a model may use, which change if it draws numbers.

    Args:
        model: A model on its device.
    """
    import torch

    states = [torch.get_rng_state()]
    if model.device.type == "cuda":
        states.append(torch.cuda.get_rng_state(model.device))
    return states
