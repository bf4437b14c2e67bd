"""The reader model, whose activations an SAE reads: loads it up to the layer that is read, and computes activations.

The layers above are removed from its configuration before it is built, so that their weights are neither read from
disk nor moved to the GPU. The forward pass ends at the hook.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.errors import ModelError
from diffing.methods.inside.hook import run_up_to
from diffing.methods.inside.response_tokens import ResponseTokenizer
from diffing.methods.inside.text_batches import TextBatch
from diffing.methods.sae.hook_names import SaeHook, cut_config
from diffing.models.local.architecture import context_length
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.load_errors import one_line, quiet
from diffing.models.local.loading import load_tokenizer
from diffing.models.local.spec import LocalOptions
from diffing.models.local.stop_tokens import StopTokens

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

# in multimodal models, the names of the text model's weights start after this prefix
_NESTED = {r"^(model\.)?language_model\.(model\.)?": ""}


class CutReader:
    """A model that is cut after the layer that is read, with its tokenizer."""

    def __init__(self, model: "PreTrainedModel", tokens: ResponseTokenizer, hook: SaeHook) -> None:
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

    def hidden(self, batch: TextBatch) -> "torch.Tensor":
        """Returns the activations at the hook for the tokens of the responses, row after row, as tokens x d_in."""
        hidden = run_up_to(self._model, self._module, self._hook.at, batch.inputs(self.device))
        return hidden[batch.read.to(hidden.device)]


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


def load_reader(folder: Path, name: str, hook: SaeHook, options: LocalOptions) -> CutReader:
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
    chat = Chat(load_tokenizer(name, folder, options), StopTokens(), None, name)
    return CutReader(model.eval(), ResponseTokenizer(chat, context), hook)
