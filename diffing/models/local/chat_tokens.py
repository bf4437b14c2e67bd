"""Converts conversations to token ids with the model's chat template, and generated token ids to answers.

`apply_chat_template(tokenize=True)` renders and tokenizes in one step, so no second BOS can appear. Special tokens in
the *content* of a message are encoded as ordinary text, so untrusted text cannot open a turn of its own. Thinking is
switched off (`enable_thinking=False`, `thinking=False`; templates that know neither ignore them).

There are two fallbacks: a tokenizer without a template gets `PLAIN`, and a template without a
system role gets the system text at the beginning of the first user turn, followed by a blank line.

An answer ends at the checkpoint's stop tokens, at the tokenizer's EOS, or at the template's end of turn, which may be
a token or text. What ends an answer is not part of it.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from diffing.errors import ModelError
from diffing.models.local.stop_tokens import StopTokens
from diffing.models.local.template import ConversationRefusedError, Template
from diffing.models.local.thinking_tokens import ThinkingTokens
from diffing.types import Conversation, Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SHORTEST_STOP = 3
"""Minimum length in characters of an end-of-turn text without a token: shorter texts also appear in answers."""

logger = logging.getLogger(__name__)

TRIAL = (Message("user", "What do people in your country usually have for breakfast, and why?"),)
"""A simple question, with which a model is tried out."""
_OTHER = (Message("user", "Write a poem about the sea."),)


class Chat:
    """A tokenizer with its chat template.

    Raises:
        SettingError: The template file given cannot be read or used.
        ModelError: The model's own template cannot be used.
    """

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", stops: StopTokens, template_file: str | None, name: str
    ) -> None:
        self._tokenizer = tokenizer
        self._name = name
        self._size = 1 + max(tokenizer.get_vocab().values(), default=0)
        self._told = False
        self._template = Template(tokenizer, template_file, name)
        ends = [_end_of_turn(tokenizer, behind) for behind in self._template.turn_ends()]
        eos = frozenset(() if tokenizer.eos_token_id is None else (tokenizer.eos_token_id,))
        self.stop_ids = stops.ids.union(eos, *(end.ids for end in ends))
        """Tokens that end an answer: the checkpoint's, the tokenizer's EOS, and what the template puts after an
        assistant's turn."""
        self.stop_texts = (*stops.texts, *(text for end in ends for text in end.texts))
        """Texts that end an answer and are no single token."""
        # a token may be as short as one byte
        self._window = max((len(text.encode()) for text in self.stop_texts), default=0) + 4
        try:
            alike = self.encode(TRIAL) == self.encode(_OTHER)
        except ConversationRefusedError as error:
            raise ModelError(
                f"{name} cannot be asked a simple question ({error}); give another chat template."
            ) from None
        if alike:
            raise ModelError(
                f"{name}: its tokenizer reads different prompts as the same tokens; "
                "expected the tokenizer that it was trained with."
            )

    def encode(self, conversation: Conversation) -> list[int]:
        """Token ids of a conversation, ready for the answer.

        Raises:
            ConversationRefusedError: The template rejects the conversation.
        """
        return self._template.tokens(conversation if self._template.has_system else fold_system(conversation))

    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer."""
        return self._tokenizer

    @property
    def vocabulary(self) -> str:
        """A digest of the tokenizer's tokens and their numbers."""
        tokens = sorted(self._tokenizer.get_vocab().items())
        return hashlib.sha256(json.dumps(tokens).encode()).hexdigest()

    def ends(self, written: Sequence[int]) -> bool:
        """Whether the text so far ends the answer without a stop token."""
        if not self.stop_texts:
            return False
        tail = self._decode(written[-self._window :])
        return any(text in tail for text in self.stop_texts)

    def answer(self, prompt: Sequence[int], written: Sequence[int]) -> tuple[str, str | None]:
        """The answer and the thinking as separate texts, both without special tokens."""
        text = self._decode(written)
        text = text[: min((at for stop in self.stop_texts if (at := text.find(stop)) >= 0), default=None)]
        if self._template.plain:
            return text.strip(), None
        return self._marks.split(prompt, text)

    @cached_property
    def _marks(self) -> ThinkingTokens:
        return ThinkingTokens(self._tokenizer)

    def _decode(self, ids: Sequence[int]) -> str:
        unknown = [token for token in ids if token >= self._size]
        if unknown and not self._told:
            self._told = True
            logger.warning(
                "%s writes tokens that its tokenizer does not have (such as number %d), which are left out: "
                "expected the tokenizer that it was trained with",
                self._name,
                unknown[0],
            )
        if unknown:  # some tokenizers leave them out, others fail
            ids = [token for token in ids if token < self._size]
        return self._marks.text(ids)


def fold_system(conversation: Conversation) -> Conversation:
    """Moves system messages to the beginning of the first user turn, for templates without a system role."""
    system = "\n\n".join(message.content for message in conversation if message.role == "system")
    turns = [message for message in conversation if message.role != "system"]
    first = next((i for i, message in enumerate(turns) if message.role == "user"), None)
    if not system or first is None:
        return tuple(turns)
    turns[first] = Message("user", f"{system}\n\n{turns[first].content}")
    return tuple(turns)


def _end_of_turn(tokenizer: "PreTrainedTokenizerBase", behind: str) -> StopTokens:
    """The end-of-turn marker: the first token, or else the first line, that the template writes after a turn.

    A token counts even if it is not marked as special (`<|im_end|>` in some fine-tunes). A line is used if the
    vocabulary has no such token (a base model asked in ChatML), or if turns begin with a word (`Human:`).
    """
    added = {token.content: i for i, token in tokenizer.added_tokens_decoder.items() if token.content.strip()}
    words = behind.strip()
    opening = [token for token in added if words.startswith(token)]
    if opening:
        return StopTokens(ids=frozenset({added[max(opening, key=len)]}))
    line = min((words.split(token)[0] for token in added), key=len, default=words).splitlines()
    if not line or len(line[0].strip()) < _SHORTEST_STOP:
        return StopTokens()
    before = behind[: len(behind) - len(behind.lstrip())]
    return StopTokens(texts=(before + line[0].rstrip(),))
