"""Fixes the random numbers that some models draw in their forward pass, such as Reformer for its hashes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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

    on_cpu = model.device.type == "cpu"
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        # `torch.manual_seed` prepares seeds for all devices, which takes longer than a small model's forward pass
        torch.default_generator.manual_seed(0) if on_cpu else torch.manual_seed(0)
        yield


def draws_noise(model: "PreTrainedModel", ids: Sequence[int]) -> bool:
    """Whether a model draws random numbers while it reads a text; False if it cannot read the text.

    Args:
        model: A model on its device.
        ids: The text's token ids.
    """
    import torch

    tokens = torch.tensor([ids], device=model.device)
    with fixed_noise(model), torch.inference_mode():
        before = _generator_states(model)
        # A forward pass may fail with any exception; the trial of the ways of batching reports it.
        with suppress(Exception):
            model(input_ids=tokens, attention_mask=torch.ones_like(tokens), use_cache=False)
        return any(not old.equal(new) for old, new in zip(before, _generator_states(model), strict=True))


def _generator_states(model: "PreTrainedModel") -> "list[torch.Tensor]":
    """The states of the generators that a model may use, which change if it draws numbers."""
    import torch

    states = [torch.get_rng_state()]
    if model.device.type == "cuda":
        states.append(torch.cuda.get_rng_state(model.device))
    return states
