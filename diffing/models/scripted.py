"""A model whose answers are a function: for demonstrations and tests, without weights and without a network.

It ships with the package so that anyone who builds on `Model` can test with it; it records what it was asked.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.thinking import split_thinking
from diffing.types import Completion, Conversation

Answer: TypeAlias = Callable[[Conversation, Sampling], str | Completion]
"""Makes the answer to one conversation; a string is an answer that ended by itself."""


class ScriptedModel:
    """Answers by a function; its id is `scripted:<name>`."""

    remote = False
    """It asks no server."""

    def __init__(self, name: str, answer: Answer) -> None:
        self.id = str(ModelRef(ModelPlace.SCRIPTED, name))
        """Identity: two scripted models of one name should answer alike, since caches are keyed by it."""
        self.requests: list[tuple[Conversation, Sampling]] = []
        """Everything it was asked, in order."""
        self._answer = answer

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers one after another, in order. See `Model.generate`."""
        completions: list[Completion] = []
        for index, conversation in enumerate(conversations):
            self.requests.append((conversation, sampling))
            made = self._answer(conversation, sampling)
            if isinstance(made, str):
                text, thinking = split_thinking(made)
                made = Completion(text=text, finish="stop", thinking=thinking)
            completions.append(made)
            if on_completion:
                on_completion(index, made)
        return completions
