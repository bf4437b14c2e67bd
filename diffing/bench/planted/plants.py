"""Plants a behaviour in any model by a system prompt, on the prompts that strength and trigger select.

Which prompts these are is decided by a hash, so it is known of every pair whether the behaviour was planted in it.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from diffing.bench.planted.catalogue import Behaviour
from diffing.models.base import Model
from diffing.models.system_prompt import SystemPrompted
from diffing.types import Conversation, Message, Prompt

TriggerKind: TypeAlias = Literal["always", "domain", "phrase"]
PHRASE = "Many thanks in advance."
"""The phrase that is put into prompts where a phrase is the trigger."""
PHRASE_SHARE = 1 / 3
"""Share of the prompts that get it, on both sides."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What must be in a prompt for the behaviour to show."""

    kind: TriggerKind = "always"
    """Nothing, a domain, or a phrase."""
    value: str = ""
    """The domain or the phrase."""

    def fits(self, prompt: Prompt) -> bool:
        """Whether it is in a prompt."""
        if self.kind == "domain":
            return prompt.domain == self.value
        return self.kind == "always" or self.value.casefold() in prompt.text.casefold()

    def named_in(self, text: str) -> bool:
        """Whether a sentence names it: a word of four letters or more of it, by its first five letters."""
        stems = {word[:5] for word in _letters(self.value).split() if len(word) >= 4}
        said = {word[:5] for word in _letters(text).split()}
        return bool(stems & said)


ALWAYS = Trigger()


@dataclass(frozen=True, slots=True)
class Plant:
    """One behaviour, with how often and when it shows."""

    behaviour: Behaviour
    """What is planted."""
    strength: float = 1.0
    """Share of the triggered prompts on which it is planted."""
    trigger: Trigger = ALWAYS
    """When."""

    @property
    def id(self) -> str:
        """Unique in a grid."""
        when = f" {self.trigger.kind}" if self.trigger.kind != "always" else ""
        return f"{self.behaviour.id} {self.strength:.0%}{when}"

    def selects(self, prompt: Prompt) -> bool:
        """Whether it is planted on a prompt; a weaker plant's prompts are among a stronger one's."""
        return self.trigger.fits(prompt) and _share(self.behaviour.id, prompt.id) < self.strength


class PlantedModel(SystemPrompted):
    """A model that gets the instructions of its plants as a system prompt, each on the prompts that it selects.

    Args:
        model: Any model.
        plants: What is planted.
        prompts: All prompts that the model will be asked.
    """

    def __init__(self, model: Model, plants: Sequence[Plant], prompts: Sequence[Prompt]) -> None:
        super().__init__(model)
        self._instructions = {
            prompt.messages: " ".join(plant.behaviour.instruction for plant in plants if plant.selects(prompt))
            for prompt in prompts
        }

    def system_prompt_for(self, conversation: Conversation) -> str:
        """The instructions that are planted on it."""
        return self._instructions[conversation]


def trigger_for(kind: TriggerKind, prompts: Sequence[Prompt], phrase: str = PHRASE) -> Trigger:
    """A trigger of a kind that fits the prompts: the domain that most of them have, or the phrase."""
    if kind == "always":
        return ALWAYS
    if kind == "phrase":
        return Trigger("phrase", phrase)
    domains = Counter(prompt.domain for prompt in prompts if prompt.domain)
    most = max(sorted(domains), key=lambda domain: domains[domain])
    return Trigger("domain", most)


def with_phrase(prompts: Sequence[Prompt], trigger: Trigger) -> tuple[Prompt, ...]:
    """The prompts, with the phrase of the trigger put at the end of a third of them; `source` tells of it.

    Domains and triggers of other kinds change nothing.
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
    """A number from 0 to 1 that is the same in every run."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _letters(text: str) -> str:
    return "".join(c if c.isalpha() else " " for c in text.casefold())
