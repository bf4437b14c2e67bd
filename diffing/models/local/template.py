"""A model's chat template, tested before use to make sure that user and system messages reach the model.

Templates are untrusted programs, run in a process with limits of time, memory, and length. They may refuse
a conversation, leave out text, require `content` as a list of parts, or raise any exception.
"""

import logging
from typing import TYPE_CHECKING, Any, cast

from diffing.errors import ModelError, SettingError
from diffing.models.local.template_renderer import bounded_apply_chat_template
from diffing.models.surrogates import without_surrogates
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
"""The template for models without one: `User: ...`, a new line, `Assistant:`. An answer ends when the model opens the
next `User:` turn."""

_MARK = "A7f3Qz"  # words that no template contains
_NEXT = "K9w2Xv"


class ConversationRefusedError(Exception):
    """The template rejects a conversation, for example because roles do not alternate."""


class Template:
    """A tokenizer's chat template, or the user's replacement.

    Raises:
        SettingError: The template file given cannot be read or used.
        ModelError: The model's own template cannot be used.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", file: str | None, name: str) -> None:
        self._tokenizer = tokenizer
        self._parts = False
        self._text, self.plain = _find(tokenizer, file, name)
        """Whether the template is `PLAIN`, because the model has none."""
        self._prove(file, name)
        self.has_system = self._shows(Message("system", _MARK), Message("user", "x"))
        """Whether the text of a system message reaches the model."""

    def tokens(self, conversation: Conversation) -> list[int]:
        """Token ids of a conversation, ready for the answer.

        Raises:
            ConversationRefusedError: The template rejects the conversation, leaves out a user's or system message, or
                writes a message as a list of parts.
        """
        text = _squeezed(self.text(*conversation, opened=True))
        lost = [each.role for each in conversation if each.role != "assistant" and _squeezed(each.content) not in text]
        if lost:
            raise ConversationRefusedError(f"the chat template leaves out or changes what the {lost[0]} says")
        if self._parts and any(_squeezed(str(self._content(each.content))) in text for each in conversation):
            raise ConversationRefusedError("the chat template writes a message as the list of its parts")
        return cast("list[int]", self._apply(conversation, tokenize=True, add_generation_prompt=True))

    def text(self, *messages: Message, opened: bool = False) -> str:
        """The text that the template renders for messages.

        Args:
            messages: A conversation.
            opened: Whether to append the beginning of the answer.

        Raises:
            ConversationRefusedError: The template rejects the conversation.
        """
        return str(self._apply(messages, tokenize=False, add_generation_prompt=opened))

    def turn_ends(self) -> list[str]:
        """The texts that may follow an assistant's message: the end of the turn, or else the beginnings of next turns.

        Empty if neither can be determined.
        """
        said = (Message("user", "x"), Message("assistant", _MARK))
        end = self._behind(said)
        if end.strip():
            return [end]
        following = [self._behind((*said, Message(role, _NEXT))) for role in ("user", "assistant")]
        return [each for each in following if each.strip()]

    def _behind(self, messages: Conversation) -> str:
        """The text between a marker and the next one; empty if the template rejects such messages."""
        try:
            _, found, rest = self.text(*messages).rpartition(_MARK)
        except ConversationRefusedError:
            return ""
        return rest.partition(_NEXT)[0] if found else ""

    def _content(self, text: str, **beside: str) -> str | list[dict[str, str]]:
        return [{"type": "text", "text": text, **beside}] if self._parts else text

    def _apply(
        self, conversation: Conversation, *, tokenize: bool, add_generation_prompt: bool, **beside: str
    ) -> object:
        turns: list[dict[str, Any]] = [
            {"role": message.role, "content": self._content(without_surrogates(message.content), **beside)}
            for message in conversation
        ]
        try:
            return bounded_apply_chat_template()(
                self._tokenizer,
                turns,
                chat_template=self._text,
                tokenize=tokenize,
                add_generation_prompt=add_generation_prompt,
                return_dict=False,
                sanitize_control_tokens=tokenize,
                enable_thinking=False,
                thinking=False,
            )
        except Exception as error:  # noqa: BLE001 - a template is a program and fails like one
            problem = " ".join(str(error).split())[:300] or type(error).__name__
            raise ConversationRefusedError(f"the chat template refuses the conversation: {problem}") from None

    def _shows(self, *messages: Message) -> bool:
        try:
            return self._says(*messages)
        except ConversationRefusedError:
            return False

    def _says(self, *messages: Message) -> bool:
        """Whether the template writes the text of a message, instead of its list of parts as Python would print it."""
        text = str(self._apply(messages, tokenize=False, add_generation_prompt=True, beside=_NEXT))
        return _MARK in text and _NEXT not in text

    def _prove(self, file: str | None, name: str) -> None:
        """Finds the form of messages (a text or a list of parts) in which the template shows a user's text."""
        problem = "it leaves the user's message out"
        for self._parts in (False, True):  # templates of models that read images expect a list of parts
            try:
                if self._says(Message("user", _MARK)):
                    return
            except ConversationRefusedError as error:
                problem = str(error).partition(": ")[2]
        if file is not None:
            raise SettingError(
                f"The chat template {file} cannot be used ({problem}): expected one that uses `messages`."
            )
        raise ModelError(f"{name}: its chat template cannot be used ({problem}); give another chat template.")


def read_template(file: str) -> str:
    """Reads the text of a template file.

    Raises:
        SettingError: There is no such file, or it is not text.
    """
    try:
        return path_of(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingError(f"The chat template {file} cannot be read ({reason}): expected a Jinja file.") from None


def _find(tokenizer: "PreTrainedTokenizerBase", file: str | None, name: str) -> tuple[str, bool]:
    """The template, and whether it is the plain one."""
    if file is not None:
        return read_template(file), False
    if tokenizer.chat_template:
        try:
            return str(tokenizer.get_chat_template()), False
        except ValueError as error:  # there are several named templates, but none is the default
            raise ModelError(
                f"{name}: its chat template cannot be used ({' '.join(str(error).split())[:300]}); "
                "give another chat template."
            ) from None
    logger.warning("%s has no chat template: it is asked as 'User: ...', 'Assistant:'", name)
    # if a tokenizer puts a BOS before every text, the model expects one here, too
    adds_bos = tokenizer.bos_token_id is not None and tokenizer("x").input_ids[:1] == [tokenizer.bos_token_id]
    return ("{{ bos_token }}" + PLAIN if adds_bos else PLAIN), True


def _squeezed(text: str) -> str:
    """The text without white space, which templates may trim."""
    return "".join(without_surrogates(text).split())
