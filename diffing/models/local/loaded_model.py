"""A model whose weights are loaded: checks it, generates answers, and computes next-token probabilities."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.errors import ModelError
from diffing.models.base import OnTokens, Sampling
from diffing.models.local.architecture import context_length
from diffing.models.local.batching_trial import BatchingStrategy, find_strategy
from diffing.models.local.cached_rows import memory_of
from diffing.models.local.chat_tokens import TRIAL, Chat
from diffing.models.local.decoding import Choose, DecodingJob, DecodingRow, UnusableLogitsError
from diffing.models.local.decoding_rows import chooser, completion_of, row_of
from diffing.models.local.memory import this_machine
from diffing.models.local.spec import LocalOptions
from diffing.models.local.threads import fitting_threads
from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

_SLOW = {
    "alone": "answers one conversation at a time: side by side its answers would differ",
    "afresh": "is read anew for every token, slowly: with what it keeps in memory its answers would differ",
}


@dataclass(slots=True)
class LoadedModel:
    """A model with its weights in memory, which answers conversations."""

    name: str
    """The name of the model in error messages."""
    model: "PreTrainedModel"
    """The weights, including the adapter's."""
    chat: Chat
    """The tokenizer and chat template."""
    found: BatchingStrategy | None = None
    """The batching strategy; None until it was found by a trial."""

    @classmethod
    def prove(cls, name: str, model: "PreTrainedModel", chat: Chat) -> "LoadedModel":
        """Makes sure that the model knows its tokenizer's tokens.

        Raises:
            ModelError: It does not know them all.
        """
        text = chat.encode(TRIAL)
        if max(text) >= _embeddings(model):
            raise ModelError(
                f"{name} knows {_embeddings(model)} tokens, its tokenizer or chat template uses number {max(text)}: "
                "expected the tokenizer that it was trained with."
            )
        return cls(name, model, chat)

    @property
    def manner(self) -> BatchingStrategy:
        """The batching strategy of the model, found by a trial with one short text on its current device.

        Raises:
            ModelError: The model cannot continue a text, or computes NaN or infinity.
        """
        if self.found is None:
            with _working(self.name, self.model, [TRIAL]):
                self.found = find_strategy(self.name, self.model, self.chat.encode(TRIAL))
            if self.found.way in _SLOW:
                logger.warning("%s %s", self.name, _SLOW[self.found.way])
        return self.found

    @property
    def context(self) -> int | None:
        """The context length in tokens, for prompt and answer together; None without a limit."""
        return context_length(self.model.config)

    def answer(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        options: LocalOptions,
        on_completion: Callable[[int, Completion], None],
        on_tokens: OnTokens | None,
    ) -> None:
        """Answers every conversation.

        Args:
            conversations: The conversations.
            sampling: The settings of sampling.
            options: The options of running, with the maximum number of conversations at a time.
            on_completion: Called once for each conversation, with its index.
            on_tokens: Called with the number of tokens generated in each step.

        Raises:
            ModelError: Not even one fits into memory, or the model computes numbers that are none.
        """
        rows = []
        for made in self.rows(conversations, sampling):
            if isinstance(made, DecodingRow):
                rows.append(made)
            else:
                on_completion(*made)
        self.finish(rows, conversations, self.job(chooser(sampling), options, on_completion, on_tokens))

    def rows(
        self, conversations: Sequence[Conversation], sampling: Sampling
    ) -> list[DecodingRow | tuple[int, Completion]]:
        """Makes the row of each conversation, or its index with a completion that says why it cannot be answered."""
        known = _embeddings(self.model)
        made = (
            (index, row_of(index, conversation, sampling, self.chat, self.context, known))
            for index, conversation in enumerate(conversations)
        )
        return [one if isinstance(one, DecodingRow) else (index, one) for index, one in made]

    def job(
        self,
        choose: Choose,
        options: LocalOptions,
        on_completion: Callable[[int, Completion], None],
        on_tokens: OnTokens | None,
    ) -> DecodingJob:
        """The parameters of answering on the model's device.

        Args:
            choose: Chooses the next token of each row.
            options: The options of running, with the maximum number of conversations at a time.
            on_completion: Called once for each row, with its index.
            on_tokens: Called with the number of tokens generated in each step.
        """
        return DecodingJob(
            choose=choose,
            stop_ids=self.chat.stop_ids,
            ends=self.chat.ends,
            max_rows=options.max_batch_rows or (64 if self.model.device.type == "cpu" else 128),
            max_tokens=options.max_batch_tokens or _cache_room(self.model, self.manner),
            on_finish=lambda row: on_completion(row.index, completion_of(row, self.chat)),
            on_tokens=on_tokens or (lambda count: None),
        )

    def finish(self, rows: Sequence[DecodingRow], conversations: Sequence[Conversation], job: DecodingJob) -> None:
        """Finishes rows of the given conversations.

        Raises:
            ModelError: Not even one fits into memory, or the model computes numbers that are none.
        """
        with _working(self.name, self.model, conversations):
            self.manner.run(self.model, job, rows)

    def next_token_logprobs(self, conversations: Sequence[Conversation]) -> "NDArray[np.float32]":
        """Log-probabilities of the first token of the answer to each conversation."""
        import numpy as np

        from diffing.models.local.next_token import next_token_logprobs

        read = [row for row in self.rows(conversations, Sampling()) if isinstance(row, DecodingRow)]
        if not read:
            return np.full((len(conversations), 1), np.nan, dtype=np.float32)
        with _working(self.name, self.model, conversations):
            made = next_token_logprobs(self.model, read, alone=self.manner.way in _SLOW)
        result = np.full((len(conversations), made.shape[1]), np.nan, dtype=np.float32)
        result[[row.index for row in read]] = made
        return result


@contextmanager
def _working(name: str, model: "PreTrainedModel", conversations: Sequence[Conversation]) -> Iterator[None]:
    """A context manager for generation: sets the number of threads, and reports unusable logits with advice."""
    try:
        with fitting_threads(model):
            yield
    except UnusableLogitsError as error:
        asked = " ".join(conversations[error.index][-1].content.split())[:60]
        raise ModelError(
            f"{name} computes no usable numbers (NaN or infinite) after the prompt {asked!r}: {_remedy(model)}."
        ) from None


def _remedy(model: "PreTrainedModel") -> str:
    """Advice for numbers that overflow their data type."""
    kind = str(model.dtype).removeprefix("torch.")
    if kind == "float16":
        return "float16 is too narrow for many models, load it with dtype bfloat16 or float32"
    if kind == "bfloat16":
        return "load it with dtype float32; if that does not help, its weights are damaged: get its files again"
    return "its weights are damaged, get its files again or use another model"


def _embeddings(model: "PreTrainedModel") -> int:
    """The number of token embeddings of a model."""
    embedding: Any = model.get_input_embeddings()
    return int(embedding.weight.shape[0])


def _cache_room(model: "PreTrainedModel", manner: BatchingStrategy) -> int:
    """The number of tokens whose keys and values fill half of the free memory; copies and activations need the rest."""
    if manner.way == "slots":
        token_bytes = memory_of(model).token_bytes
    else:  # the cache differs by model: assume keys and values as wide as the model
        config: Any = model.config.get_text_config(decoder=True)
        token_bytes = 2 * config.num_hidden_layers * config.hidden_size * model.dtype.itemsize
    machine = this_machine()
    free = machine.gpu if model.device.type == "cuda" else machine.ram
    return int(free // (2 * token_bytes))
