"""The residual stream of a model: finds its blocks, and reads what leaves one of them; blocks above never run."""

import gc
from collections.abc import Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from diffing.errors import ModelError
from diffing.methods.inside.hook import run_up_to
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.inside.text_batches import by_length, pad
from diffing.models.local.fixed_noise import fixed_noise
from diffing.models.local.load_errors import one_line
from diffing.models.local.threads import fitting_threads

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

_BATCH_TOKENS_CPU = 2_048
_BATCH_TOKENS_GPU = 16_384
_MOST_TEXTS = 256


def block_at(depth: float, blocks: int) -> int:
    """The block whose output is read, counted from 1: ceil(depth x blocks), at least the first."""
    return min(max(ceil(depth * blocks), 1), blocks)


def blocks_of(name: str, model: "PreTrainedModel") -> "torch.nn.ModuleList":
    """Finds the list of a model's blocks, whatever its architecture calls it.

    Raises:
        ModelError: No part of the model is a list of that many blocks.
    """
    import torch

    bare = _bare(model)
    count = bare.config.get_text_config(decoder=True).num_hidden_layers
    decoder: torch.nn.Module = bare.get_decoder() or bare
    lists = [
        (path.count("."), module)
        for path, module in decoder.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == count
    ]
    if not lists:
        raise ModelError(
            f"{name} ({type(bare).__name__}) has no list of {count} blocks that could be read: use a model with "
            "a common architecture, such as Llama's or Qwen's."
        )
    return min(lists, key=lambda found: found[0])[1]  # experts and heads lie deeper


def cut(model: "PreTrainedModel", blocks: "torch.nn.ModuleList", layer: int) -> None:
    """Removes the blocks above a layer from a model, and frees their memory.

    Args:
        model: The model.
        blocks: Its blocks.
        layer: The number of blocks that stay.
    """
    import torch

    del blocks[layer:]
    _bare(model).config.get_text_config(decoder=True).num_hidden_layers = layer
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _bare(model: Any) -> Any:  # noqa: ANN401 - a model of transformers or a PeftModel
    """The model below its adapter, if it has one."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class ResidualReader:
    """A loaded model whose residual stream is read after one of its blocks."""

    def __init__(self, name: str, model: "PreTrainedModel", block: "torch.nn.Module", width: int) -> None:
        """Takes a model and the block after which it is read.

        Args:
            name: The model, for messages.
            model: The weights; blocks above need not be there.
            block: The block whose output is read.
            width: The width of the residual stream.
        """
        self._name = name
        self._model: Any = model
        self._block = block
        self._width = width
        self._batch_tokens = _BATCH_TOKENS_CPU if self.device.type == "cpu" else _BATCH_TOKENS_GPU

    @property
    def device(self) -> "torch.device":
        """The device on which the model reads."""
        device: torch.device = self._model.device
        return device

    def read(
        self, texts: Sequence[TokenizedResponse], positions: "Sequence[NDArray[np.int32]]"
    ) -> list["torch.Tensor"]:
        """Reads texts in batches of similar length.

        Args:
            texts: The tokenized texts.
            positions: For each text the indices of the tokens to return.

        Returns:
            For each text its positions x width, in the type in which the model computes, on the CPU.

        Raises:
            ModelError: There is too little memory, or the block returns something other than a residual stream.
        """
        rows: dict[int, torch.Tensor] = {}
        for places in by_length(texts, self._batch_tokens, _MOST_TEXTS):
            for place, hidden in zip(places, self._hidden([texts[place] for place in places]), strict=True):
                rows[place] = hidden[positions[place].tolist()].cpu()
        return [rows[place] for place in range(len(texts))]

    def _hidden(self, texts: Sequence[TokenizedResponse]) -> Iterator["torch.Tensor"]:
        batch = pad(texts)
        length = batch.ids.shape[1]
        with (
            one_line(f"{self._name} cannot read texts", "use another model"),
            fitting_threads(self._model),
            fixed_noise(self._model),
        ):
            hidden = run_up_to(self._model, self._block, "output", batch.inputs(self._model.device))
        # a prompt that an adapter has learnt stands before the text
        hidden = hidden[:, -length:]
        if hidden.shape != (len(texts), length, self._width):
            raise ModelError(
                f"{self._name}: a block returns numbers of the shape {tuple(hidden.shape)}, expected "
                f"{(len(texts), length, self._width)}: its residual stream cannot be read; use another model."
            )
        return iter(hidden)
