"""Runs a model only up to one of its modules, and returns that module's input or output."""

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch


class _HookReachedError(Exception):
    """Ends the forward pass at the hook, since nothing after it is needed."""


def run_up_to(
    model: Any,  # noqa: ANN401 - transformers' models are called with any inputs
    module: "torch.nn.Module",
    at: Literal["input", "output"],
    inputs: Mapping[str, "torch.Tensor"],
) -> "torch.Tensor":
    """Returns the activations at a module, rows x length x width, on the model's device.

    Args:
        model: A model of transformers.
        module: One of its modules.
        at: Whether to return the module's input or its output.
        inputs: What the model reads.
    """
    import torch

    caught: list[torch.Tensor] = []

    def catch(value: Any) -> None:  # noqa: ANN401 - a tensor, or a tuple that begins with it
        caught.append(value[0] if isinstance(value, tuple) else value)
        raise _HookReachedError

    if at == "input":
        handle = module.register_forward_pre_hook(
            lambda _, args, kwargs: catch(args or kwargs["hidden_states"]), with_kwargs=True
        )
    else:
        handle = module.register_forward_hook(lambda _, __, output: catch(output))
    try:
        with torch.inference_mode(), contextlib.suppress(_HookReachedError):
            model(**inputs, use_cache=False)
    finally:
        handle.remove()
    return caught[0]
