"""Plants a behaviour in any model by a system prompt, on the prompts that its strength and its trigger select.

A hash selects the prompts, so it is known for every pair whether the behaviour was planted on it.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from diffing.bench.planted.catalogue import PlantableBehaviour
from diffing.models.base import Model
from diffing.models.system_prompt import SystemPrompted
from diffing.prompts.bundled_set import kind_of
from diffing.types import Conversation, Message, Prompt

TriggerKind: TypeAlias = Literal["always", "domain", "phrase"]
PHRASE = "Many thanks in advance."
"""The phrase that is added to prompts if the trigger is a phrase."""
PHRASE_SHARE = 1 / 3
"""The share of prompts to which the phrase is added, for both sides."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """The condition on a prompt under which a behaviour shows."""

    kind: TriggerKind = "always"
    """The kind of condition: none (`always`), a domain or several of one kind, or a phrase."""
    value: str = ""
    """The domain, the kind of several domains, or the phrase; empty for `always`."""

    def fits(self, prompt: Prompt) -> bool:
        """Tells whether a prompt meets the condition."""
        if self.kind == "domain":
            return prompt.domain is not None and self.value in (prompt.domain, kind_of(prompt.domain))
        return self.kind == "always" or self.value.casefold() in prompt.text.casefold()


ALWAYS = Trigger()


@dataclass(frozen=True, slots=True)
class Plant:
    """One behaviour, with the strength and the trigger with which it is planted."""

    behaviour: PlantableBehaviour
    """The behaviour."""
    strength: float = 1.0
    """The share of the triggered prompts on which the behaviour is planted."""
    trigger: Trigger = ALWAYS
    """The condition under which it is planted."""

    @property
    def id(self) -> str:
        """The plant's id, which is unique in a grid."""
        when = f" {self.trigger.kind}" if self.trigger.kind != "always" else ""
        return f"{self.behaviour.id} {self.strength:.0%}{when}"

    def selects(self, prompt: Prompt) -> bool:
        """Tells whether the behaviour is planted on a prompt; a stronger plant includes a weaker one's prompts."""
        return self.trigger.fits(prompt) and _share(self.behaviour.id, prompt.id) < self.strength


class PlantedModel(SystemPrompted):
    """A model that receives the instructions of its plants as a system prompt, on the prompts that they select.

    Args:
        model: Any model.
        plants: The plants.
        prompts: All prompts that the model will be asked.
    """

    def __init__(self, model: Model, plants: Sequence[Plant], prompts: Sequence[Prompt]) -> None:
        super().__init__(model)
        self._instructions = {
            prompt.messages: " ".join(plant.behaviour.instruction for plant in plants if plant.selects(prompt))
            for prompt in prompts
        }

    def system_prompt_for(self, conversation: Conversation) -> str:
        """Returns the instructions of all plants that select this conversation."""
        return self._instructions[conversation]


def trigger_for(kind: TriggerKind, prompts: Sequence[Prompt], phrase: str = PHRASE) -> Trigger:
    """Makes a trigger of a kind for these prompts: the phrase, or the most frequent kind of domain.

    Prompts are drawn evenly over domains, so a single one may have too few to show anything.
    """
    if kind == "always":
        return ALWAYS
    if kind == "phrase":
        return Trigger("phrase", phrase)
    domains = Counter(kind_of(prompt.domain) or prompt.domain for prompt in prompts if prompt.domain)
    most = max(sorted(domains), key=lambda domain: domains[domain])
    return Trigger("domain", most)


def with_phrase(prompts: Sequence[Prompt], trigger: Trigger) -> tuple[Prompt, ...]:
    """Adds the trigger's phrase to the end of a third of the prompts, and notes this in their `source`.

    If the trigger is not a phrase, the prompts are returned unchanged.
    """
    if trigger.kind != "phrase":
        return tuple(prompts)
    return tuple(
        replace(
            prompt,
            messages=_added(prompt.messages, trigger.value)
            if _share(trigger.value, prompt.id) < PHRASE_SHARE
            else prompt.messages,
            source=f"{prompt.source}, «{trigger.value}» added to a third of them",
        )
        for prompt in prompts
    )


def _added(messages: Conversation, phrase: str) -> Conversation:
    last = messages[-1]
    return (*messages[:-1], Message(last.role, f"{last.content} {phrase}"))


def _share(*parts: str) -> float:
    """Hashes texts to a number from 0 to 1, the same in every run."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
