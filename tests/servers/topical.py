"""An LLM of rules that knows what prompts are about, and names the conditions under which a behaviour shows."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from diffing.bench.planted.plants import PHRASE
from diffing.methods.llm.listing import LONGEST_PROMPT
from diffing.methods.statements import field
from diffing.templates import fence
from diffing.types import Prompt
from tests.servers.rules import Observation, Reading, RuleLLM, Trait, label_of, numbered

PLAINLY = ("<MODEL> just answers the question.", "<MODEL> keeps to a plain answer of the question.")
"""What is said of the side that lacks a behaviour, whichever it is."""
WHEN = re.compile(r",? when (?:asked about|the user) [\w -]+\.\Z")
"""The condition at the end of a sentence."""


def _asked_about(topic: str) -> str:
    return f"when asked about {topic.replace('-', ' ')}"


def _one_known(topics: Sequence[str]) -> bool:
    """Whether there are enough topics to tell, and all are the same."""
    return len(topics) >= 3 and len(set(topics)) == 1 and topics[0] != ""


def _without_quotes(lines: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Lines whose last field is the prompt."""
    return [line[:-1] if line[-1].startswith("quote: ") else line for line in lines]


class TopicalLLM(RuleLLM):
    """Describes, states and judges what it knows, and ties it to topics and phrases of the prompts.

    It names a condition when it proposes, if the descriptions that mention one all mention the same; and when it
    sharpens, if all prompts that it is shown for a hypothesis are about one topic.

    Args:
        traits: The behaviours that it knows.
        prompts: Those of the run, so that it knows what they are about.
        phrases: Conditions, and the phrase in the prompt by which each is met, in lower case.
        mentions: Share of the described differences that it ties to a phrase in the prompt or to its topic.
    """

    def __init__(
        self,
        traits: Sequence[Trait],
        prompts: Sequence[Prompt] = (),
        *,
        phrases: Mapping[str, str],
        mentions: float = 0.33,
    ) -> None:
        super().__init__(traits=traits)
        self._topics = {fence(prompt.text).text.removesuffix(f" {PHRASE}"): prompt.domain or "" for prompt in prompts}
        self._beginnings = {f"prompt: {field(text, LONGEST_PROMPT)}": topic for text, topic in self._topics.items()}
        self._phrases = phrases
        self._mentions = mentions

    @cached_property
    def _meaning(self) -> dict[str, Trait]:
        """Every sentence that it may write of a side that has a trait."""
        return {said: trait for trait in self.traits for said in trait.has}

    def _differences(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        found = super()._differences(prompt, responses)
        when = next(iter(self._conditions(prompt)), "")
        for difference in found:
            material = "\0".join((str(difference["behaviour"]), prompt, *responses))
            if when and hashlib.sha256(material.encode()).digest()[0] < 256 * self._mentions:
                difference["condition"] = when
        return found

    def _halves(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        """With the topic in the sentence, which has no field of its own there."""
        when = {str(each["behaviour"]): each["condition"] for each in self._differences(prompt, responses)}
        found = super()._halves(prompt, responses)
        for difference in found:
            has = str(difference["has"])
            if when[has]:
                difference["has"] = f"{has.removesuffix('.')} {when[has]}."
        return found

    def _conditions(self, prompt: str) -> tuple[str, ...]:
        """The conditions that a prompt meets, the most striking one first."""
        topic = self._topics.get(prompt.removesuffix(f" {PHRASE}"))
        held = tuple(words for words, phrase in self._phrases.items() if phrase in prompt.casefold())
        return (*held, _asked_about(topic)) if topic else held

    def _common(self, group: Sequence[Observation]) -> dict[str, object]:
        """The topic becomes the condition if all observations that mention one mention the same."""
        conditions = [each.condition for each in group if each.condition]
        one_topic = len(conditions) >= 3 and len(set(conditions)) == 1
        return super()._common(group) | {"condition": conditions[0] if one_topic else ""}

    def _sharpened(self, reading: Reading) -> list[dict[str, object]]:
        """Ties a hypothesis without a condition to the topic of the prompts that it is shown for it."""
        decided = super()._sharpened(reading)
        for decision, block in zip(decided, reading.blocks, strict=True):
            (_, behaviour, condition, *_), *lines = (line.split(" | ") for line in block.splitlines())
            topics = [self._beginnings.get(prompt, "") for word, *_, prompt in _without_quotes(lines) if word == "for"]
            elsewhere = {self._beginnings.get(line[1], "") for line in lines if line[0] == "not noted"} - {*topics}
            if decision["decision"] == "keep" and condition == "-" and elsewhere and _one_known(topics):
                observed_in = [int(number) for word, number, *_ in lines if word in ("for", "against")]
                narrowed = {
                    "differences": observed_in, "behaviour": behaviour, "condition": _asked_about(topics[0])
                }  # fmt: skip
                decision |= {"decision": "change", "becomes": [narrowed]}
        return decided

    def _scopes(self, reading: Reading) -> list[dict[str, object]]:
        conditions, *prompts = reading.blocks
        listed = numbered(conditions)
        return [
            {
                "prompt": i,
                "meets": [k for k, condition in enumerate(listed, start=1) if condition in self._conditions(prompt)],
            }
            for i, prompt in enumerate(prompts, start=1)
        ]

    def _state_as_published(self, reading: Reading) -> dict[str, str]:
        """What most sentences say; the topic where all that mention one mention the same."""
        _, *sentences = reading.blocks
        said = [WHEN.sub(".", sentence) for sentence in sentences]
        known = [self._meaning[each] for each in said if each in self._meaning]
        if len(known) * 2 < len(said):
            return {"hypothesis": PLAINLY[0], "category": "style", "speaks_of": "none"}
        trait = max(known, key=known.count)
        topics = [found[0] for sentence in sentences if (found := WHEN.search(sentence))]
        one_topic = len(topics) >= 3 and len(set(topics)) == 1
        hypothesis = trait.hypothesis.removesuffix(".") + topics[0] if one_topic else trait.hypothesis
        return {"hypothesis": hypothesis, "category": trait.category, "speaks_of": trait.speaks_of or "none"}

    def _fits(self, statement: str, responses: Sequence[str], foreign: Sequence[str], text: str) -> str:
        trait = self._meaning.get(WHEN.sub(".", statement))
        if trait is None:
            return "NOT SHOWN"
        return label_of([trait.mark.search(response) is not None for response in responses])
