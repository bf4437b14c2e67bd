"""`LocalModel`, a model that runs on this machine: a Hub id with optional revision, a folder, or `base+adapter`.

`load` settles identity, architecture and size; weights are downloaded and loaded when the first conversation comes, so
that a rerun which finds all its responses in the cache loads nothing. A model that does not fit beside those already
loaded takes their place (two models are asked one after the other), and `close` gives the memory back.
"""

import gc
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from diffing.errors import ModelError
from diffing.hub import hub_api
from diffing.model_ref import ModelRef, parse_local_spec
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.local.adapter import check_adapter
from diffing.models.local.architecture import check_architecture
from diffing.models.local.assembling import assemble
from diffing.models.local.loaded_model import LoadedModel
from diffing.models.local.memory import check_fit, dtype_name, gigabytes, millions, on_accelerator, this_machine
from diffing.models.local.sources import ModelFiles, open_source
from diffing.models.local.spec import LocalOptions
from diffing.models.local.weight_sizes import ModelSize
from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


class LocalModel:
    """A local model that runs with transformers and accelerate.

    Its answers depend only on the conversation and the sampling, as far as floating point allows (see `decoding.py`).
    The generation settings of the checkpoint, such as its temperature, are not used, but its stop tokens are.
    """

    def __init__(self, base: ModelFiles, adapter: ModelFiles | None, options: LocalOptions) -> None:
        self._base = base
        self._adapter = adapter
        # `auto` is resolved here, because the data type affects the text and is therefore part of the identity
        self._options = replace(options, dtype=dtype_name(options, gpu=on_accelerator(options)))
        self._id = _identity(base, adapter, self._options)
        self._size: ModelSize | None = None
        self._loaded: LoadedModel | None = None

    @classmethod
    def load(
        cls,
        spec: str | ModelRef,
        *,
        options: LocalOptions | None = None,
        token: str | bool | None = None,
        endpoint: str | None = None,
    ) -> "LocalModel":
        """Finds a model and checks that it can run here, without loading its weights.

        Args:
            spec: `org/name[@revision]`, a folder, or a base and an adapter of this form as `base+adapter`.
            options: The options of loading and running.
            token: The Hub token for private and gated repositories; None uses the saved one. It is not one of the
                options, because these are printed.
            endpoint: Another Hub than the one of HF_ENDPOINT.

        Raises:
            SettingError: The spec names nothing, or the chat template file cannot be read.
            HubError: Missing, private or gated repository, unknown revision, bad token, no network.
            ModelError: Not a model that transformers can run safely, or too big for this machine.
            MissingExtraError: torch, transformers or bitsandbytes are not installed.
        """
        options = options or LocalOptions()
        ref = spec if isinstance(spec, ModelRef) else parse_local_spec(spec)
        base, *adapters = ref.parts
        api = hub_api(token, endpoint)
        model = cls(
            open_source(base, api, allow_pickle=options.allow_pickle),
            open_source(adapters[0], api, adapter=True) if adapters else None,
            options,
        )
        model._check()
        return model

    @property
    def id(self) -> str:
        """`org/name@commit-sha` or `folder-name@hash`, then `+adapter@hash`, `#4bit`, `#bfloat16`, `#template=hash`.

        The data type is left out if it is float32, because float32 represents all stored weights exactly.
        """
        return self._id

    @property
    def in_memory(self) -> bool:
        """Whether the weights are loaded."""
        return self._loaded is not None

    @property
    def options(self) -> LocalOptions:
        """The options of loading and running, with the data type resolved."""
        return self._options

    @property
    def config(self) -> Mapping[str, Any]:
        """The base's parsed config.json."""
        return self._base.config

    @property
    def remote(self) -> bool:
        """Always False, since no server is called."""
        return False

    @property
    def size(self) -> ModelSize:
        """The number of parameters and bytes, including the adapter."""
        if self._size is None:
            self._size = self._base.size if self._adapter is None else self._base.size + self._adapter.size
        return self._size

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation, in order.

        If a conversation leaves no room for an answer in the model's context, its completion is `rejected`; the
        conversation is never cut. If it leaves little room, the answer ends with the context (`length`).
        `sampling.json_schema` is not enforced.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded, not even one conversation fits into memory, or the model computes
                numbers that are none.
        """
        done: dict[int, Completion] = {}

        def finish(index: int, completion: Completion) -> None:
            done[index] = completion
            if on_completion is not None:
                on_completion(index, completion)

        if conversations:
            self.loaded().answer(conversations, sampling, self._options, finish, on_tokens)
        return [done[index] for index in range(len(conversations))]

    @property
    def vocabulary(self) -> str:
        """A digest of the tokens and their ids; models with the same digest can be compared token by token."""
        return self.loaded().chat.vocabulary

    def next_token_logprobs(self, conversations: Sequence[Conversation]) -> "NDArray[np.float32]":
        """Log-probabilities of the first token of the answer to each conversation, without generating.

        Returns:
            One row per conversation, one column per token; the row is NaN if the model cannot read the conversation.
        """
        return self.loaded().next_token_logprobs(conversations)

    def move(self, device: str) -> None:
        """Moves the model to another device, and loads its weights first if they are not loaded yet.

        Args:
            device: The device, such as `cuda` or `cpu`.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded.
        """
        model: Any = self.loaded().model  # the type hints of transformers' `to` are those of a decorator
        model.to(device)

    def close(self) -> None:
        """Frees the memory; the next `generate` loads the weights again."""
        import torch

        self._loaded = None
        _resident.discard(self)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _check(self) -> None:
        check_architecture(self._base.name, self._base.config, self._options)
        if self._adapter is not None:
            check_adapter(self._adapter.name, self._adapter.config)
        size = self.size
        logger.info(
            "%s: %s parameters, %s%s",
            self._id,
            millions(size.parameters),
            gigabytes(size.stored_bytes),
            f", {gigabytes(size.missing_bytes)} to download" if size.missing_bytes else "",
        )
        if not _resident:  # other models are unloaded if this one needs their memory
            self._fit()

    def _fit(self) -> str | None:
        return check_fit(self._base.name, self.size, self._base.config, self._options, this_machine())

    def loaded(self) -> LoadedModel:
        """The weights with the tokenizer, loaded if they are not in memory; other models may be unloaded for them.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded.
        """
        if self._loaded is None:
            remark = make_room(self._fit, _resident)
            if remark is not None:
                logger.warning(remark)
            self._loaded = assemble(self._base, self._adapter, self._options, self._id)
            _resident.add(self)
        return self._loaded


_resident: WeakSet[LocalModel] = WeakSet()
"""All models of this process whose weights are loaded, since they share one memory."""


def make_room(fit: Callable[[], str | None], resident: WeakSet[LocalModel]) -> str | None:
    """Unloads other models if a new one does not fit beside them; they are loaded again when needed.

    Args:
        fit: Calls `check_fit` for the memory that is free now.
        resident: The models in memory.

    Returns:
        The remark of the last call of `fit`.

    Raises:
        ModelError: The model is too large even without the others.
    """
    try:
        remark = fit()
    except ModelError:
        if not resident:
            raise
        remark = "too big beside the models already loaded"
    if remark is not None and resident:
        for model in tuple(resident):
            logger.info("%s gives its memory back for another model", model.id)
            model.close()
        remark = fit()
    return remark


def _identity(base: ModelFiles, adapter: ModelFiles | None, options: LocalOptions) -> str:
    loading: list[str] = []
    if options.quantization is not None:
        loading.append(options.quantization)
    if options.dtype != "float32":
        loading.append(options.dtype)
    if template := options.template_identity:
        loading.append(template)
    ref = base.identity if adapter is None else adapter.identity.on(base.identity)
    return str(ref.loaded(*loading))
