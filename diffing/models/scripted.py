"""`ScriptedModel`, a model whose answers come from a Python function, for demonstrations and tests.

It needs no weights and no network, and records its requests. It is part of the package so that code built on `Model`
can be tested with it.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.thinking import split_thinking
from diffing.types import Completion, Conversation

Answer: TypeAlias = Callable[[Conversation, Sampling], str | Completion]
"""A function that answers one conversation; a string stands for a complete answer."""


class ScriptedModel:
    """A model that answers by calling a function; its id is `scripted:<name>`."""

    remote = False
    """Always False, since no server is called."""

    def __init__(self, name: str, answer: Answer) -> None:
        self.id = str(ModelRef(ModelPlace.SCRIPTED, name))
        """The model's id. Models with the same name should answer alike, since caches use the id as key."""
        self.requests: list[tuple[Conversation, Sampling]] = []
        """All requests so far, in order."""
        self._answer = answer

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers the conversations one after another. See `Model.generate`."""
        completions: list[Completion] = []
        for index, conversation in enumerate(conversations):
            self.requests.append((conversation, sampling))
            completion = self._answer(conversation, sampling)
            if isinstance(completion, str):
                text, thinking = split_thinking(completion)
                completion = Completion(text=text, finish="stop", thinking=thinking)
            completions.append(completion)
            if on_completion:
                on_completion(index, completion)
        return completions
