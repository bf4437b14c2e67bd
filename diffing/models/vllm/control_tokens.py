"""Refuses conversations whose text contains a tokenizer's control tokens, where transformers cannot disarm them.

vLLM brings the transformers that it needs (0.33 takes 5.16 to 5.20), which may be older than those that encode the text
of users without letting it open a turn of its own.
"""

import inspect
from typing import TYPE_CHECKING

from diffing.types import Completion, Conversation

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ControlTokens:
    """The texts that a tokenizer reads as control tokens.

    Args:
        tokenizer: The tokenizer.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        safe = "sanitize_control_tokens" in inspect.signature(tokenizer.apply_chat_template).parameters
        added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.content.strip()]
        self._texts: tuple[str, ...] = () if safe else tuple(added)

    def refusal(self, conversation: Conversation) -> Completion | None:
        """The completion of a conversation that must not be encoded; None for all others."""
        found = next((text for text in self._texts for turn in conversation if text in turn.content), None)
        if found is None:
            return None
        detail = f"the conversation contains the control token {found!r:.40}, which this transformers would obey"
        return Completion(text="", finish="rejected", detail=detail)
