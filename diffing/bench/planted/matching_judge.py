"""Asks an LLM whether the sentence of a finding names a behaviour that was planted in a model."""

import re
from collections.abc import Sequence

from diffing.bench.planted.matching import PlantedTarget
from diffing.models.base import Model
from diffing.structured_replies import UnreadableReply, ask, entry, offered
from diffing.templates import fence, render
from diffing.types import Finding, OnProgress, Stage, Usage, ignore_progress

SCHEMA = {
    "type": "object",
    "properties": {"same": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["same"],
    "additionalProperties": False,
}


def ask_matches(
    model: Model, cases: Sequence[tuple[PlantedTarget, Finding]], on_progress: OnProgress = ignore_progress
) -> tuple[tuple[bool | None, ...], Usage]:
    """Asks for each case whether the finding names the behaviour (None if the reply is unreadable); returns usage too.

    Args:
        model: The LLM.
        cases: The cases, each a planted behaviour and a finding.
        on_progress: Called after every answer.

    Raises:
        ModelError: The LLM cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    questions = [
        render(
            "same_behaviour",
            behaviour=fence(target.plant.behaviour.sentence),
            statement=fence(_of_planted_side(target, finding)),
        )
        for target, finding in cases
    ]
    answers = ask(model, questions, _parse, stage=Stage("match", "Matching"), schema=SCHEMA, on_progress=on_progress)
    return tuple(None if isinstance(reply, UnreadableReply) else reply for reply in answers.replies), answers.usage


def _parse(value: object) -> bool:
    return offered(entry(value, "same"), ("yes", "no")) == "yes"


def _of_planted_side(target: PlantedTarget, finding: Finding) -> str:
    """Returns the finding's statement with `<MODEL>` standing for the side that has the behaviour."""
    text = finding.hypothesis.text
    if finding.hypothesis.direction == target.side:
        return text
    return re.sub("<(?:OTHER )?MODEL>", lambda name: "<MODEL>" if "OTHER" in name[0] else "<OTHER MODEL>", text)
