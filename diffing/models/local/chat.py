"""Conversations to token ids and token ids to answers, through the model's own chat template, applied once.

`apply_chat_template(tokenize=True)` does both in one step, so no second BOS can appear. Special tokens that stand in
the *content* of a message are encoded as ordinary text: outside text cannot open a turn of its own. Thinking is
switched off (`enable_thinking=False`, `thinking=False`; templates that know neither ignore them).

Two fallbacks, both part of what the model is asked: a tokenizer without a template gets `PLAIN`; a template without a
system role gets the system text at the head of the first user turn, after which comes a blank line.

It does not know answer formats with channels (gpt-oss): their markers are special tokens and vanish, the words stay.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from diffing.errors import ModelError, SettingError
from diffing.models.surrogates import without_surrogates
from diffing.models.thinking import split_thinking
from diffing.paths import path_of
from diffing.types import Conversation, Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

PLAIN = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% elif message['role'] == 'user' %}User: {{ message['content'] }}\n"
    "{% else %}Assistant: {{ message['content'] }}\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For models without a template: `User: ...`, a new line, `Assistant:`. The answer ends where the model opens the next
`User:` turn."""

_NEXT_TURN = "\nUser:"
_NEXT_TURN_TOKENS = 16  # enough to hold it, even letter by letter
_MARK = "A7f3Qz"  # a word no template contains


class ConversationRefusedError(Exception):
    """The template does not take this conversation (roles that do not alternate, for example)."""


class Chat:
    """A tokenizer with its chat template.

    Raises:
        SettingError: The template file given cannot be read or used.
        ModelError: The model's own template cannot be used.
    """

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", eos_ids: Iterable[int], template_file: str | None, name: str
    ) -> None:
        self._tokenizer = tokenizer
        self._template, self._plain = _find_template(tokenizer, template_file, name)
        self._has_system_role = self._check(template_file, name)
        turn_end = None if self._plain else self._turn_end()
        self.stop_ids = frozenset(i for i in (*eos_ids, tokenizer.eos_token_id, turn_end) if i is not None)
        """Tokens that end an answer: the model's EOS set, the tokenizer's, and what the template puts after an
        assistant's turn."""

    def encode(self, conversation: Conversation) -> list[int]:
        """Token ids of a conversation, ready for the answer.

        Raises:
            ConversationRefusedError: See there.
        """
        from jinja2 import TemplateError

        if not self._has_system_role:
            conversation = fold_system(conversation)
        try:
            ids = self._tokenizer.apply_chat_template(
                _turns(conversation),
                chat_template=self._template,
                tokenize=True,
                add_generation_prompt=True,
                return_dict=False,
                sanitize_control_tokens=True,
                enable_thinking=False,
                thinking=False,
            )
        except TemplateError as error:
            raise ConversationRefusedError(
                f"the chat template refuses the conversation: {error}".replace("\n", " ")
            ) from None
        return cast("list[int]", ids)  # one conversation, tokenised, not as a dict

    @property
    def vocabulary(self) -> str:
        """A digest of the tokenizer's tokens and their numbers."""
        tokens = sorted(self._tokenizer.get_vocab().items())
        return hashlib.sha256(json.dumps(tokens).encode()).hexdigest()

    def ends(self, written: Sequence[int]) -> bool:
        """Whether the text so far ends the answer without a stop token: only with the plain template."""
        return self._plain and _NEXT_TURN in self._decode(written[-_NEXT_TURN_TOKENS:])

    def answer(self, prompt: Sequence[int], written: Sequence[int]) -> tuple[str, str | None]:
        """The answer and, apart from it, the thinking; special tokens are left out of both."""
        text = self._decode(written)
        if self._plain:
            return text.split(_NEXT_TURN)[0].strip(), None
        # some templates open the thinking themselves
        opened = str(self._tokenizer.decode(list(prompt[-8:]))).rstrip().endswith("<think>")
        return split_thinking(f"<think>{text}" if opened else text)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _render(self, *messages: Message) -> str:
        return str(self._tokenizer.apply_chat_template(_turns(messages), chat_template=self._template, tokenize=False))

    def _check(self, template_file: str | None, name: str) -> bool:
        """Tries the template; tells whether a system message reaches the model."""
        from jinja2 import TemplateError

        user = Message("user", _MARK)
        try:
            text = self._render(user)
        except TemplateError as error:
            problem = str(error).replace("\n", " ")
            if template_file is not None:
                raise SettingError(
                    f"The chat template {template_file} cannot be used ({problem}): correct it."
                ) from None
            raise ModelError(
                f"{name}: its chat template cannot be used ({problem}); give another chat template."
            ) from None
        if _MARK not in text and template_file is not None:
            raise SettingError(
                f"The chat template {template_file} leaves the user's message out: expected one that uses `messages`."
            )
        try:
            return _MARK in self._render(Message("system", _MARK), Message("user", "x"))
        except TemplateError:
            return False

    def _turn_end(self) -> int | None:
        """The special token that the template writes after an assistant's words: `<|im_end|>`, `<|eot_id|>`..."""
        from jinja2 import TemplateError

        try:
            _, _, rest = self._render(Message("user", "x"), Message("assistant", _MARK)).partition(_MARK)
        except TemplateError:
            return None
        special = {token.content: i for i, token in self._tokenizer.added_tokens_decoder.items() if token.special}
        found = [token for token in special if rest.lstrip().startswith(token)]
        return special[max(found, key=len)] if found else None


def fold_system(conversation: Conversation) -> Conversation:
    """Puts the text of system messages at the head of the first user turn, for templates without a system role."""
    system = "\n\n".join(message.content for message in conversation if message.role == "system")
    turns = [message for message in conversation if message.role != "system"]
    first = next((i for i, message in enumerate(turns) if message.role == "user"), None)
    if not system or first is None:
        return tuple(turns)
    turns[first] = Message("user", f"{system}\n\n{turns[first].content}")
    return tuple(turns)


def _turns(conversation: Conversation) -> list[dict[str, Any]]:
    return [{"role": message.role, "content": without_surrogates(message.content)} for message in conversation]


def _find_template(tokenizer: "PreTrainedTokenizerBase", template_file: str | None, name: str) -> tuple[str, bool]:
    """The template, and whether it is the plain one."""
    if template_file is not None:
        return read_template(template_file), False
    if tokenizer.chat_template:
        return str(tokenizer.get_chat_template()), False
    logger.warning("%s has no chat template: it is asked as 'User: ...', 'Assistant:'", name)
    # a tokenizer that puts a BOS before every text expects one here too
    adds_bos = tokenizer.bos_token_id is not None and tokenizer("x").input_ids[:1] == [tokenizer.bos_token_id]
    return ("{{ bos_token }}" + PLAIN if adds_bos else PLAIN), True


def read_template(file: str) -> str:
    """The text of a template file.

    Raises:
        SettingError: There is no such file, or it is not text.
    """
    try:
        return path_of(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingError(f"The chat template {file} cannot be read ({reason}): expected a Jinja file.") from None
