"""A wrapper of a model that splits its conversations among the processes of a run, so that each answers a share."""

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

from diffing.models.base import Model, ModelWrapper, OnCompletion, OnTokens, Sampling
from diffing.models.process_group import ProcessGroup
from diffing.types import Completion, Conversation

_Answered: TypeAlias = list[tuple[int, Completion]]
"""Completions with the places of their conversations."""


class SharedModel(ModelWrapper):
    """Answers its share of the conversations in every process; all processes then have all completions.

    A remote model is asked by the first process only, because its calls are limited and paid for.
    """

    def __init__(self, model: Model, group: ProcessGroup) -> None:
        super().__init__(model)
        self._group = group

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation, in order; completions of other processes are reported when all are done.

        Raises:
            ModelError: Another process ended before its part was done.
            SettingError: The processes were started with different commands.
        """
        places = self._places(conversations)

        def told(place: int, completion: Completion) -> None:
            if on_completion:
                on_completion(places[place], completion)

        asked = [conversations[place] for place in places]
        new = self.model.generate(asked, sampling, on_completion=told, on_tokens=on_tokens) if asked else []
        own: _Answered = list(zip(places, new, strict=True))
        completions = dict(own)
        for answered in self._group.exchange(_digest(self.id, conversations, sampling), own):
            for place, completion in answered:
                if place not in completions and on_completion:
                    on_completion(place, completion)
                completions[place] = completion
        return [completions[place] for place in range(len(conversations))]

    def _places(self, conversations: Sequence[Conversation]) -> range:
        if not self.remote:
            return self._group.share(conversations)
        return range(len(conversations) if self._group.is_first else 0)


def _digest(model_id: str, conversations: Sequence[Conversation], sampling: Sampling) -> str:
    asked = repr(
        (model_id, [[(message.role, message.content) for message in each] for each in conversations], sampling)
    )
    return hashlib.sha256(asked.encode(errors="surrogatepass")).hexdigest()
