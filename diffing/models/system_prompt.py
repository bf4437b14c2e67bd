"""Wraps any model so that it gets a system prompt, which makes two system prompts comparable like two models.

The system prompt is added to the messages and is thus part of the cache key; the id stays that of the wrapped model.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from diffing.models.base import Model, ModelWrapper, OnCompletion, OnTokens, Sampling
from diffing.types import Completion, Conversation, Message


class SystemPrompted(ModelWrapper, ABC):
    """Base class of models that get a system message before each conversation; subclasses choose the message."""

    @abstractmethod
    def system_prompt_for(self, conversation: Conversation) -> str:
        """The system prompt for a conversation; empty for none."""

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation under its system prompt, in order."""
        prompted = [
            with_system_message(each, system_prompt) if (system_prompt := self.system_prompt_for(each)) else each
            for each in conversations
        ]
        return self.model.generate(prompted, sampling, on_completion=on_completion, on_tokens=on_tokens)


class WithSystemPrompt(SystemPrompted):
    """Puts the same system message before every conversation.

    If a conversation already has a system message, its text follows in the same message after a blank line, because
    chat templates allow only one system message.
    """

    def __init__(self, model: Model, system_prompt: str) -> None:
        super().__init__(model)
        self.system_prompt = system_prompt
        """The text of the system prompt."""

    def system_prompt_for(self, conversation: Conversation) -> str:
        """The same system prompt for every conversation."""
        return self.system_prompt


def with_system_message(conversation: Conversation, system_prompt: str) -> Conversation:
    """Adds a system prompt to a conversation; an existing system message is appended to it in the same message."""
    if conversation and conversation[0].role == "system":
        merged = f"{system_prompt}\n\n{conversation[0].content}"
        return (Message("system", merged), *conversation[1:])
    return (Message("system", system_prompt), *conversation)
