"""A model with a system prompt of its own, so that a system prompt is as good a difference as another model.

Knows no backend: it wraps any model. What it adds stands in the messages, and so in the cache key; the id stays the
inner model's.
"""

from collections.abc import Sequence

from diffing.models.base import Model, OnCompletion, OnTokens, Sampling
from diffing.types import Completion, Conversation, Message


class SystemPrompted:
    """A model that gets a system message before a conversation; which one is for subclasses to say."""

    def __init__(self, model: Model) -> None:
        self.model = model
        """The model within."""

    @property
    def id(self) -> str:
        """The inner model's identity: what is added stands in the messages."""
        return self.model.id

    @property
    def remote(self) -> bool:
        """As the inner model."""
        return self.model.remote

    def system_prompt_for(self, conversation: Conversation) -> str:
        """What the model is told first; empty for nothing."""
        raise NotImplementedError

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation under its system prompt, in order."""
        told = [
            with_system_message(each, system_prompt) if (system_prompt := self.system_prompt_for(each)) else each
            for each in conversations
        ]
        return self.model.generate(told, sampling, on_completion=on_completion, on_tokens=on_tokens)


class WithSystemPrompt(SystemPrompted):
    """Puts the same system message before every conversation.

    A system message that a conversation brings along is kept, after a blank line, in the same (first) message:
    templates allow only one.
    """

    def __init__(self, model: Model, system_prompt: str) -> None:
        super().__init__(model)
        self.system_prompt = system_prompt
        """What it is told first."""

    def system_prompt_for(self, conversation: Conversation) -> str:
        """The same for all."""
        return self.system_prompt


def with_system_message(conversation: Conversation, system_prompt: str) -> Conversation:
    """The conversation under a system prompt; a system message that it brings along follows in the same message."""
    if conversation and conversation[0].role == "system":
        merged = f"{system_prompt}\n\n{conversation[0].content}"
        return (Message("system", merged), *conversation[1:])
    return (Message("system", system_prompt), *conversation)
