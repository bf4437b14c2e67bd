"""Tokenizes a prompt and its response for a model that reads them, and finds the response's tokens in its text.

The prompt is put into the model's chat format. The response is encoded separately and follows the generation prompt,
as if the model had written it. No end-of-turn token follows, and special tokens in a response are encoded as ordinary
text, so that every token that is read belongs to the response.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.template import ConversationRefusedError
from diffing.models.surrogates import without_surrogates
from diffing.models.system_prompt import with_system_message
from diffing.types import Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_DOCUMENT = 1024
"""The largest number of tokens of a text without a conversation; what follows is not read."""


@dataclass(frozen=True, slots=True)
class TokenizedResponse:
    """The tokens of a prompt and its response."""

    ids: "NDArray[np.int32]"
    """The token ids of the prompt, then those of the response."""
    start: int
    """The index of the response's first token."""

    @property
    def tokens(self) -> int:
        """The number of tokens of the response."""
        return len(self.ids) - self.start


class ResponseTokenizer:
    """The tokenizer of a reading model with its chat format."""

    def __init__(self, chat: Chat, context: int | None) -> None:
        """Takes a tokenizer with its chat format.

        Args:
            chat: The tokenizer and chat template.
            context: The context length of the model in tokens; None without a limit.
        """
        self._tokenizer: Any = chat.tokenizer
        self._chat = chat
        self._context = context
        # a base model reads `Assistant: words`; sentencepiece tokenizers add that space themselves
        plain = not self._tokenizer.chat_template
        own_space = self._tokenizer.convert_ids_to_tokens(self._encode("x")["input_ids"])[0].startswith("\u2581")
        self._lead = " " if plain and not own_space else ""

    @property
    def has_offsets(self) -> bool:
        """Whether the tokenizer tells which characters a token covers, as only fast tokenizers do."""
        return bool(self._tokenizer.is_fast)

    @cached_property
    def bos(self) -> int | None:
        """The BOS token that the tokenizer puts before every text; None if it puts none."""
        bos: int | None = self._tokenizer.bos_token_id
        return bos if bos is not None and self._tokenizer("x").input_ids[:1] == [bos] else None

    def exchange(self, exchange: Exchange, system_prompt: str | None = None) -> TokenizedResponse | UnreadableResponse:
        """Tokenizes an exchange behind a system prompt, or says why the model cannot read it.

        An exchange without a conversation is a document: it is read without a chat format, up to `LONGEST_DOCUMENT`.

        Args:
            exchange: The exchange.
            system_prompt: The system prompt; None for no other than the conversation's own.
        """
        response = without_surrogates(exchange.response)
        if not exchange.conversation:
            return self.document(response, LONGEST_DOCUMENT)
        conversation = exchange.conversation
        if system_prompt:
            conversation = with_system_message(conversation, system_prompt)
        return self.text(conversation, response)

    def text(self, conversation: Conversation, response: str) -> TokenizedResponse | UnreadableResponse:
        """Tokenizes a conversation and the response to it, or says why the model cannot read them."""
        try:
            context = self._chat.encode(conversation)
        except ConversationRefusedError:
            return UnreadableResponse("the reader's chat template refuses the conversation")
        read = self._encode(self._lead + response)["input_ids"] if response else []
        if self._context is not None and len(context) + len(read) > self._context:
            return UnreadableResponse(f"longer than the reader's context of {self._context} tokens")
        return _joined(context, read)

    def document(self, text: str, most: int) -> TokenizedResponse:
        """Tokenizes a text that answers nothing, such as a web page, without a chat format and after a BOS, if any.

        Args:
            text: The text.
            most: The largest number of tokens; what follows is cut off.
        """
        context = [] if self.bos is None else [self.bos]
        read = self._encode(text)["input_ids"] if text else []
        return _joined(context, read[: min(most, self._context or most) - len(context)])

    def spans(self, response: str) -> list[tuple[int, int]]:
        """Returns the position of each of the response's tokens in its text, as (start, end)."""
        return self._spans(self._lead, response)

    def document_spans(self, text: str) -> list[tuple[int, int]]:
        """Returns the position of each token of a document in its text, as (start, end); see `document`."""
        return self._spans("", text)

    def _spans(self, lead: str, text: str) -> list[tuple[int, int]]:
        if not text:
            return []
        offsets: Sequence[tuple[int, int]] = self._encode(lead + text, return_offsets_mapping=True)["offset_mapping"]
        return [(max(first - len(lead), 0), max(last - len(lead), 0)) for first, last in offsets]

    def _encode(self, text: str, **options: bool) -> Any:  # noqa: ANN401 - a BatchEncoding
        return self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, truncation=False, verbose=False, **options
        )


def _joined(context: Sequence[int], read: Sequence[int]) -> TokenizedResponse:
    import numpy as np

    return TokenizedResponse(np.asarray([*context, *read], dtype=np.int32), len(context))
