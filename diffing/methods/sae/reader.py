"""The reader model, whose activations an SAE reads: loads it up to the layer that is read, and computes activations.

The layers above are removed from its configuration before it is built, so that their weights are neither read from
disk nor moved to the GPU. The forward pass ends at the hook.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from diffing.errors import ModelError
from diffing.methods.sae.hook_names import Hook, cut_config
from diffing.methods.sae.reader_tokenizer import ReaderTokenizer, TokenizedResponse
from diffing.models.local.architecture import context_length
from diffing.models.local.load_errors import one_line, quiet
from diffing.models.local.loading import load_tokenizer
from diffing.models.local.spec import LocalOptions

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

# in multimodal models, the names of the text model's weights start after this prefix
_NESTED = {r"^(model\.)?language_model\.(model\.)?": ""}


class _HookReachedError(Exception):
    """Ends the forward pass at the hook, since nothing after it is needed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of texts, padded to the same length."""

    ids: "torch.Tensor"
    """Rows x length."""
    read: "torch.Tensor"
    """Rows x length: True at the tokens of responses."""
    mask: "torch.Tensor"
    """Rows x length: 1 at tokens, 0 at padding."""


def pad(texts: Sequence[TokenizedResponse], side: Literal["left", "right"] = "right") -> Batch:
    """Pads texts to one batch, in the order given."""
    import torch

    width = max(len(text.ids) for text in texts)
    ids = torch.zeros(len(texts), width, dtype=torch.long)
    read = torch.zeros(len(texts), width, dtype=torch.bool)
    mask = torch.zeros(len(texts), width, dtype=torch.long)
    for row, text in enumerate(texts):
        first = width - len(text.ids) if side == "left" else 0
        last = first + len(text.ids)
        ids[row, first:last] = torch.from_numpy(text.ids)
        read[row, first + text.start : last] = True
        mask[row, first:last] = 1
    return Batch(ids, read, mask)


class Reader:
    """A model that is cut after the layer that is read, with its tokenizer."""

    def __init__(self, model: "PreTrainedModel", tokens: ReaderTokenizer, hook: Hook) -> None:
        self._model: Any = model
        self.tokens = tokens
        """The tokenizer with its chat format."""
        self._hook = hook
        self._module = model.get_submodule(hook.module)

    @property
    def device(self) -> "torch.device":
        """The device that its input must be on."""
        device: torch.device = self._model.device
        return device

    def hidden(self, batch: Batch) -> "torch.Tensor":
        """Returns the activations at the hook for the tokens of the responses, row after row, as tokens x d_in."""
        import torch

        caught: list[torch.Tensor] = []

        def catch(value: Any) -> None:  # noqa: ANN401 - a tensor, or a tuple that begins with it
            caught.append(value[0] if isinstance(value, tuple) else value)
            raise _HookReachedError

        if self._hook.at == "input":
            handle = self._module.register_forward_pre_hook(
                lambda _, args, kwargs: catch(args or kwargs["hidden_states"]), with_kwargs=True
            )
        else:
            handle = self._module.register_forward_hook(lambda _, __, output: catch(output))
        try:
            with torch.inference_mode(), contextlib.suppress(_HookReachedError):
                self._model(**self._inputs(batch), use_cache=False)
        finally:
            handle.remove()
        hidden = caught[0]
        return hidden[batch.read.to(hidden.device)]

    def _inputs(self, batch: Batch) -> dict[str, "torch.Tensor"]:
        """Leaves the mask out if padding is on the right: no token attends to it then, and attention is faster."""
        ids = batch.ids.to(self.device)
        if bool((batch.mask[:, 0] == 1).all()):
            return {"input_ids": ids}
        mask = batch.mask.to(self.device)
        return {"input_ids": ids, "attention_mask": mask, "position_ids": (mask.cumsum(-1) - 1).clamp(min=0)}


def read_config(folder: Path, *, trust_remote_code: bool = False) -> "PretrainedConfig":
    """Reads the configuration of the text model in a folder.

    Raises:
        ModelError: The configuration cannot be read.
    """
    from transformers import AutoConfig

    with one_line(f"The reader {folder.name} has no usable config.json", "download its files again"), quiet():
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    text: PretrainedConfig = config.get_text_config()
    return text


def load_reader(folder: Path, name: str, hook: Hook, options: LocalOptions) -> Reader:
    """Builds the reader up to the hook and loads the weights of only that part.

    Raises:
        ModelError: The files are not those of a complete model.
    """
    # otherwise a thread of transformers asks a bot to open a pull request on repositories without safetensors
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    import torch
    from transformers import AutoModel

    from diffing.models.local.memory import dtype_name, on_accelerator

    config = read_config(folder, trust_remote_code=options.trust_remote_code)
    context = context_length(config)
    cut_config(config, hook.layers)
    # quietly: transformers would list the layers that were left out
    with one_line(f"The reader {name} cannot be loaded", "download its files again"), quiet():
        model, info = AutoModel.from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, dtype_name(options, gpu=on_accelerator(options))),
            device_map=options.device or "auto",
            key_mapping=_NESTED,
            use_safetensors=None if options.allow_pickle else True,
            trust_remote_code=options.trust_remote_code,
            output_loading_info=True,
        )
    if info["missing_keys"]:
        raise ModelError(
            f"The reader {name} lacks {len(info['missing_keys'])} weights, such as {min(info['missing_keys'])}: "
            "download its files again"
        )
    return Reader(model.eval(), ReaderTokenizer(load_tokenizer(name, folder, options), name, context), hook)
