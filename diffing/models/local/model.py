"""A model on this machine: any Hub id, `@revision`, folder or `base+adapter`.

`load` settles identity, architecture and size; weights are downloaded and loaded when the first conversation comes, so
that a rerun which finds all its responses in the cache loads nothing. A model that does not fit beside those already
loaded takes their place (two models are asked one after the other), and `close` gives the memory back.
"""

import gc
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from diffing.errors import ModelError
from diffing.hub import hub_api
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.local.adapter import check_adapter
from diffing.models.local.architecture import check_architecture
from diffing.models.local.assembling import assemble, context_of
from diffing.models.local.chat import Chat, ConversationRefusedError, read_template
from diffing.models.local.decoding import Job, Row
from diffing.models.local.drawing import noise_key
from diffing.models.local.fitting import check_fit, gigabytes, millions, this_machine
from diffing.models.local.sizes import ModelSize
from diffing.models.local.slots import Slots, supports_slots
from diffing.models.local.sources import Source, open_source
from diffing.models.local.spec import LocalOptions, parse_spec
from diffing.models.local.threads import fitting_threads
from diffing.models.local.whole import WholeBatches
from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: "PreTrainedModel"
    chat: Chat
    context: int | None
    """Tokens the model can read and write together; None without a limit."""


class LocalModel:
    """Runs with transformers and accelerate.

    Greedy answers and drawn ones depend on nothing but the conversation and the sampling (see `decoding.py` for how
    exactly floating point keeps to that). Generation settings that come with the checkpoint (its temperature,
    penalties) are not used; its stop tokens are.
    """

    def __init__(self, base: Source, adapter: Source | None, options: LocalOptions) -> None:
        self._base = base
        self._adapter = adapter
        self._options = options
        self._id = _identity(base, adapter, options)
        self._size: ModelSize | None = None
        self._loaded: _Loaded | None = None

    @classmethod
    def load(
        cls,
        spec: str,
        *,
        options: LocalOptions | None = None,
        token: str | bool | None = None,
        endpoint: str | None = None,
    ) -> "LocalModel":
        """Finds a model and makes sure that it can run here; loads no weights yet.

        Args:
            spec: `org/name[@revision]`, a folder, or two of them as `base+adapter`.
            options: How to load and run it.
            token: For private and gated repositories; None takes the saved one. Not among the options, which are shown.
            endpoint: Another Hub than the one of HF_ENDPOINT.

        Raises:
            SettingError: The spec names nothing, or the chat template file cannot be read.
            HubError: Missing, private or gated repository, unknown revision, bad token, no network.
            ModelError: Not a model that transformers can run safely, or too big for this machine.
            MissingExtraError: torch, transformers or bitsandbytes are not installed.
        """
        options = options or LocalOptions()
        base, adapter = parse_spec(spec)
        api = hub_api(token, endpoint)
        model = cls(
            open_source(base, api, allow_pickle=options.allow_pickle),
            None if adapter is None else open_source(adapter, api, adapter=True),
            options,
        )
        model._check()
        return model

    @property
    def id(self) -> str:
        """`org/name@commit-sha` or `folder-name@hash`, then `+adapter@hash`, `#4bit`, `#float16`, `#template=hash`.

        The latter three only where they were chosen. With dtype `auto` it is the same on a GPU (bfloat16) and a CPU
        (float32): responses cached on one are taken as the model's on the other.
        """
        return self._id

    @property
    def remote(self) -> bool:
        """Runs here."""
        return False

    @property
    def size(self) -> ModelSize:
        """Parameters and bytes, adapter included."""
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

        One that leaves no room for an answer in the model's context comes back as `rejected`, never cut; one that
        leaves little room is answered up to the end of the context (`length`). `sampling.json_schema` is not enforced.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded, or not even one conversation fits into memory.
        """
        done: dict[int, Completion] = {}

        def finish(index: int, completion: Completion) -> None:
            done[index] = completion
            if on_completion is not None:
                on_completion(index, completion)

        if conversations:
            loaded = self._load()
            rows = {}
            for index, conversation in enumerate(conversations):
                row = _row(index, conversation, sampling, loaded)
                if isinstance(row, Completion):
                    finish(index, row)
                else:
                    rows[index] = row
            job = Job(
                sampling=sampling,
                stop_ids=loaded.chat.stop_ids,
                ends=loaded.chat.ends,
                max_rows=self._options.max_batch_rows or (64 if loaded.model.device.type == "cpu" else 128),
                max_tokens=self._options.max_batch_tokens or _cache_room(loaded.model),
                on_finish=lambda row: finish(row.index, _completion(row, loaded.chat)),
                on_tokens=on_tokens or (lambda count: None),
            )
            batches = Slots(loaded.model, job) if supports_slots(loaded.model) else WholeBatches(loaded.model, job)
            with fitting_threads(loaded.model):
                batches.run(list(rows.values()))
        return [done[index] for index in range(len(conversations))]

    @property
    def vocabulary(self) -> str:
        """A digest of the tokens and their numbers: two models with the same one can be compared token by token."""
        return self._load().chat.vocabulary

    def next_token_logprobs(self, conversations: Sequence[Conversation]) -> "NDArray[np.float32]":
        """Log-probabilities of the first token of the answer to each conversation, without generating.

        Returns:
            One row per conversation, one column per token; a row of NaN for one that the model cannot read.
        """
        import numpy as np

        from diffing.models.local.next_token import next_token_logprobs

        loaded = self._load()
        rows = [_row(index, conversation, Sampling(), loaded) for index, conversation in enumerate(conversations)]
        read = [row for row in rows if isinstance(row, Row)]
        if not read:
            return np.full((len(rows), 1), np.nan, dtype=np.float32)
        with fitting_threads(loaded.model):
            made = next_token_logprobs(loaded.model, [row.prompt for row in read])
        result = np.full((len(rows), made.shape[1]), np.nan, dtype=np.float32)
        result[[row.index for row in read]] = made
        return result

    def move(self, device: str) -> None:
        """Loads the weights now, where they are not loaded yet, and has the model compute on another device.

        Args:
            device: Such as `cuda` or `cpu`.

        Raises:
            HubError: The weights cannot be downloaded.
            ModelError: They cannot be loaded.
        """
        model: Any = self._load().model  # transformers types its `to` for a decorator
        model.to(device)

    def close(self) -> None:
        """Gives the memory back; the next `generate` loads the weights again."""
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
        if not _resident:  # they give way when this one loads
            self._fit()

    def _fit(self) -> str | None:
        return check_fit(self._base.name, self.size, self._base.config, self._options, this_machine())

    def _load(self) -> _Loaded:
        if self._loaded is None:
            remark = make_room(self._fit, _resident)
            if remark is not None:
                logger.warning(remark)
            model, chat = assemble(self._base, self._adapter, self._options)
            self._loaded = _Loaded(model, chat, context_of(model))
            _resident.add(self)
        return self._loaded


_resident: WeakSet[LocalModel] = WeakSet()
"""The models of this process whose weights are loaded: they share one memory, whoever holds them."""


def make_room(fit: Callable[[], str | None], resident: WeakSet[LocalModel]) -> str | None:
    """Closes the other models where a new one does not fit beside them; they load again when they are asked again.

    Args:
        fit: What `check_fit` says now.
        resident: Models that hold memory.

    Returns:
        What `fit` has to remark at last.

    Raises:
        ModelError: Too big even alone.
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


def _identity(base: Source, adapter: Source | None, options: LocalOptions) -> str:
    parts = [base.identity if adapter is None else f"{base.identity}+{adapter.identity}"]
    if options.quantization is not None:
        parts.append(options.quantization)
    if options.dtype != "auto":
        parts.append(options.dtype)
    if options.chat_template is not None:
        parts.append(f"template={hashlib.sha256(read_template(options.chat_template).encode()).hexdigest()[:12]}")
    return "#".join(parts)


def _row(index: int, conversation: Conversation, sampling: Sampling, loaded: _Loaded) -> Row | Completion:
    try:
        prompt = loaded.chat.encode(conversation)
    except ConversationRefusedError as error:
        return Completion(text="", finish="rejected", detail=str(error))
    room = sampling.max_new_tokens if loaded.context is None else loaded.context - len(prompt)
    if room < 1:
        detail = f"prompt of {len(prompt)} tokens, the model reads at most {loaded.context} with its answer"
        return Completion(text="", finish="rejected", prompt_tokens=len(prompt), detail=detail)
    return Row(index, prompt, min(sampling.max_new_tokens, room), noise_key(conversation, sampling))


def _completion(row: Row, chat: Chat) -> Completion:
    assert row.finish is not None
    stopped = row.finish == "stop" and row.written[-1] in chat.stop_ids
    text, thinking = chat.answer(row.prompt, row.written[:-1] if stopped else row.written)
    failed = row.finish == "error"  # what it had written until then is no answer
    return Completion(
        text="" if failed else text,
        finish=row.finish,
        thinking=None if failed else thinking,
        prompt_tokens=len(row.prompt),
        completion_tokens=len(row.written),
        detail=row.detail,
    )


def _cache_room(model: "PreTrainedModel") -> int:
    """Tokens whose keys and values half of the free memory holds; the rest is for copies of them and activations."""
    machine = this_machine()
    config: Any = model.config.get_text_config(decoder=True)
    heads = getattr(config, "num_attention_heads", None) or 1  # none in state spaces
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    stored_heads = getattr(config, "num_key_value_heads", None) or heads
    token_bytes = 2 * config.num_hidden_layers * stored_heads * width * model.dtype.itemsize
    free = machine.gpu if model.device.type == "cuda" else machine.ram
    return int(free // (2 * token_bytes))
