"""An LLM says whether two hypotheses mean the same. Knows no verdicts and merges nothing."""

from collections.abc import Sequence

from diffing.models.base import Model
from diffing.stages import MERGE
from diffing.structured_replies import ask, entry, offered
from diffing.templates import fence, render
from diffing.types import Hypothesis, OnProgress, Side, Usage, ignore_progress, other_side

SCHEMA = {
    "type": "object",
    "properties": {"same": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["same"],
    "additionalProperties": False,
}


def ask_same(
    model: Model, statements: Sequence[tuple[Hypothesis, Hypothesis]], on_progress: OnProgress = ignore_progress
) -> tuple[list[bool], Usage]:
    """Asks an LLM whether two sentences say the same about the models, in both orders.

    Args:
        model: The LLM.
        statements: Pairs of hypotheses of one run; their directions say which model each is about.
        on_progress: Told of every answer.

    Returns:
        Per pair whether both replies say yes (one that cannot be read does not), and the usage.
    """
    questions = [
        render("same_statement", statement_1=fence(_named(one)), statement_2=fence(_named(two)))
        for pair in statements
        for one, two in (pair, pair[::-1])
    ]
    asked = ask(
        model,
        questions,
        lambda value: offered(entry(value, "same"), ("yes", "no")),
        stage=MERGE,
        schema=SCHEMA,
        on_progress=on_progress,
    )
    replies = asked.replies
    return [replies[i] == replies[i + 1] == "yes" for i in range(0, len(replies), 2)], asked.usage


def _named(hypothesis: Hypothesis) -> str:
    names: dict[Side, str] = {"a": "Model A", "b": "Model B"}
    own, other = names[hypothesis.direction], names[other_side(hypothesis.direction)]
    return hypothesis.text.replace("<MODEL>", own).replace("<OTHER MODEL>", other)
