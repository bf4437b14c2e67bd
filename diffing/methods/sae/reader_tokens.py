"""Prompts and responses as the reader's tokens: the prompt in its chat format as context, the response to be read.

The response is encoded alone and put after the generation prompt, as the model that wrote it would have continued it.
No end-of-turn token follows, and special tokens that stand in a response are encoded as ordinary text, so that every
token read is the response's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.models.local.chat import Chat
from diffing.models.local.stop_tokens import Stops
from diffing.models.local.template import ConversationRefusedError
from diffing.types import Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Text:
    """One prompt with one response, in tokens."""

    ids: "NDArray[np.int32]"
    """Context, then response."""
    start: int
    """Where the response begins."""

    @property
    def tokens(self) -> int:
        """How many tokens are read."""
        return len(self.ids) - self.start


@dataclass(frozen=True, slots=True)
class Refused:
    """A text that cannot be read."""

    reason: str
    """Why, in plain words."""


class Tokens:
    """A reader's tokenizer with its chat format."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", name: str, context: int | None) -> None:
        self._tokenizer: Any = tokenizer
        self._chat = Chat(tokenizer, Stops(), None, name)
        self._context = context
        # a base reader reads `Assistant: words`; tokenizers of the sentencepiece kind bring that space themselves
        plain = not tokenizer.chat_template
        own_space = self._tokenizer.convert_ids_to_tokens(self._encode("x")["input_ids"])[0].startswith("\u2581")
        self._lead = " " if plain and not own_space else ""

    def text(self, conversation: Conversation, response: str) -> Text | Refused:
        """The tokens of a response behind its conversation."""
        import numpy as np

        try:
            context = self._chat.encode(conversation)
        except ConversationRefusedError:
            return Refused("the reader's chat template refuses the conversation")
        read = self._encode(self._lead + response)["input_ids"] if response else []
        if self._context is not None and len(context) + len(read) > self._context:
            return Refused(f"longer than the reader's context of {self._context} tokens")
        return Text(np.asarray([*context, *read], dtype=np.int32), len(context))

    def spans(self, response: str) -> list[tuple[int, int]]:
        """Where each token that is read stands in the response's text: (first, past the last) character."""
        if not response:
            return []
        shift = len(self._lead)
        offsets: Sequence[tuple[int, int]] = self._encode(self._lead + response, return_offsets_mapping=True)[
            "offset_mapping"
        ]
        return [(max(first - shift, 0), max(last - shift, 0)) for first, last in offsets]

    def _encode(self, text: str, **options: bool) -> Any:  # noqa: ANN401 - a BatchEncoding
        return self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, truncation=False, verbose=False, **options
        )
