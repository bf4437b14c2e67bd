"""Tokenizes a prompt and its response for the reader model, and finds the response's tokens in its text.

The prompt is put into the reader's chat format. The response is encoded separately and follows the generation prompt,
as if the reader had written it. No end-of-turn token follows, and special tokens in a response are encoded as ordinary
text, so that every token that is read belongs to the response.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.methods.exchanges import UnreadableResponse
from diffing.models.local.chat import Chat
from diffing.models.local.stop_tokens import Stops
from diffing.models.local.template import ConversationRefusedError
from diffing.types import Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase


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


class ReaderTokenizer:
    """A reader's tokenizer with its chat format."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", name: str, context: int | None) -> None:
        self._tokenizer: Any = tokenizer
        self._chat = Chat(tokenizer, Stops(), None, name)
        self._context = context
        # a base model reads `Assistant: words`; sentencepiece tokenizers add that space themselves
        plain = not tokenizer.chat_template
        own_space = self._tokenizer.convert_ids_to_tokens(self._encode("x")["input_ids"])[0].startswith("\u2581")
        self._lead = " " if plain and not own_space else ""

    def text(self, conversation: Conversation, response: str) -> TokenizedResponse | UnreadableResponse:
        """Tokenizes a conversation and the response to it, or says why the reader cannot read them."""
        import numpy as np

        try:
            context = self._chat.encode(conversation)
        except ConversationRefusedError:
            return UnreadableResponse("the reader's chat template refuses the conversation")
        read = self._encode(self._lead + response)["input_ids"] if response else []
        if self._context is not None and len(context) + len(read) > self._context:
            return UnreadableResponse(f"longer than the reader's context of {self._context} tokens")
        return TokenizedResponse(np.asarray([*context, *read], dtype=np.int32), len(context))

    def spans(self, response: str) -> list[tuple[int, int]]:
        """Returns the position of each of the response's tokens in its text, as (start, end)."""
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
