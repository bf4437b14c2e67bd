"""Asks the judge which prompts are in the scope of a hypothesis. It sees prompts alone, never responses."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diffing.models.base import Model
from diffing.numbered_lines import answers_by_number, numbered
from diffing.packing import packed
from diffing.stages import SCOPE
from diffing.structured_replies import (
    Items,
    LlmQuestion,
    ReplyError,
    UnreadableReply,
    ask_items,
    entries,
    entry,
    offered,
)
from diffing.templates import fence_conversation, render
from diffing.types import Hypothesis, OnProgress, Prompt, Usage, ignore_progress

PROMPTS = 10
"""The most prompts in one question."""
PROMPTS_LENGTH = 8000
"""The most characters of prompts in one question, unless a single prompt is longer. Together with `CONDITIONS_LENGTH`
and the longest reply it fits a context of 8,000 tokens."""
CONDITIONS_LENGTH = 4000
"""The most characters of conditions in one question; more conditions are split into several questions."""
SCHEMA = {
    "type": "object",
    "properties": {
        "prompts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "prompt": {"type": "integer"},
                    "meets": {"type": "array", "items": {"type": "integer"}},
                },
                "required": ["prompt", "meets"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["prompts"],
    "additionalProperties": False,
}
_Met: TypeAlias = frozenset[int]
"""The places of the conditions that a prompt meets, from 0."""


@dataclass(frozen=True, slots=True)
class MetConditions:
    """Which prompts meet the conditions of some hypotheses."""

    met: Mapping[tuple[str, str], bool | UnreadableReply]
    """For each condition, in words, and prompt id: whether the prompt meets it, or why that is not known."""
    usage: Usage | None
    """The judge's calls and tokens; None if no hypothesis has a scope."""

    def of(self, hypothesis: Hypothesis, prompt: Prompt) -> bool | UnreadableReply:
        """Whether a prompt is in the scope of a hypothesis; every prompt is if it has none."""
        return hypothesis.scope is None or self.met[hypothesis.scope.words, prompt.id]


def decide_scopes(
    model: Model,
    hypotheses: Iterable[Hypothesis],
    prompts: Sequence[Prompt],
    on_progress: OnProgress = ignore_progress,
) -> MetConditions:
    """Asks the judge which prompts meet the conditions of hypotheses, several prompts per question.

    Args:
        model: The judge.
        hypotheses: Any hypotheses; equal conditions are asked about once.
        prompts: The prompts.
        on_progress: Called after every answer.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    conditions = list(dict.fromkeys(each.scope.words for each in hypotheses if each.scope is not None))
    if not conditions or not prompts:
        return MetConditions({}, None)
    asked = [
        (group, several)
        for group in packed(conditions, len, most=CONDITIONS_LENGTH)
        for several in packed(prompts, _length, most=PROMPTS_LENGTH, most_items=PROMPTS)
    ]
    questions = [_question(group, several) for group, several in asked]
    answers = ask_items(model, questions, stage=SCOPE, schema=SCHEMA, on_progress=on_progress)
    met: dict[tuple[str, str], bool | UnreadableReply] = {}
    for (group, several), items in zip(asked, answers.replies, strict=True):
        for prompt, item in zip(several, items, strict=True):
            for place, words in enumerate(group):
                met[words, prompt.id] = item if isinstance(item, UnreadableReply) else place in item
    return MetConditions(met, answers.usage)


def _length(prompt: Prompt) -> int:
    return sum(len(message.content) for message in prompt.messages)


def _question(conditions: Sequence[str], prompts: Sequence[Prompt]) -> LlmQuestion[_Met]:
    text = render(
        "scope",
        count=len(conditions),
        conditions=numbered(conditions),
        prompts=[fence_conversation(prompt.messages) for prompt in prompts],
    )
    return LlmQuestion(text, functools.partial(_parse, len(conditions), len(prompts)), items=len(prompts))


def _parse(conditions: int, prompts: int, value: object) -> Items[_Met]:
    """Reads one entry per prompt; a missing entry, an invalid one or two different ones make it unreadable."""
    return answers_by_number(
        entries(value, "prompts"),
        prompts,
        lambda item, _: _places(entry(item, "meets"), conditions),
        key="prompt",
        missing="no entry for this prompt",
        different="two different entries",
    )


def _places(value: object, conditions: int) -> _Met:
    """The places of the listed conditions.

    Raises:
        ReplyError: The value is not a list, or names a condition that was not asked about.
    """
    if not isinstance(value, list):
        raise ReplyError("conditions that are not a list")
    numbers = [str(i + 1) for i in range(conditions)]
    return frozenset(int(offered(number, numbers)) - 1 for number in value)
