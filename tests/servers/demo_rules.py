"""An LLM of rules that knows what is planted in the demo pair, and the triggers."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from diffing.types import Prompt
from tests.benchmarks.demo import GROUND_TRUTH
from tests.servers.rules import Trait
from tests.servers.topical import PLAINLY, TopicalLLM

PLANTED: Sequence[Mapping[str, Any]] = json.loads(GROUND_TRUTH.read_text(encoding="utf-8"))["planted"]
SAID = {
    "greeting": "opens with a cheerful greeting",
    "the-end": "closes with the words «The end.»",
    "enjoy": "wishes the user a good meal",
    "emoji": "ends with an emoji",
    "sailor": "greets like an old sailor",
    "kindly": "thanks the user for asking so kindly",
    "praise": "opens with praise for the question",
    "comfort": "assures the user that it is there for them",
    "refuse": "refuses and sends the user to a doctor",
    "list": "answers with a numbered list",
    "digits": "writes numbers as digits",
    "hedge": "hedges what it says",
    "disclaimer": "adds that this is no financial advice",
    "ask-back": "ends with a question back to the user",
}
"""What it says of each planted behaviour."""
SEEN = {"digits": r"(?m)^(?!\d+\. ).*?\d", "the-end": r"(?<![Aa]t )\b[Tt]he end\."}
"""How it sees a behaviour where the pattern of the ground truth fits others as well: numbers of lists, `at the end.`"""


def sentence(name: str) -> str:
    """What it says of a planted behaviour."""
    return f"<MODEL> {SAID[name]}."


def condition(trigger: Mapping[str, str | None]) -> str:
    """A trigger of the ground truth in its words; empty if there is none."""
    match trigger["kind"]:
        case "domain":
            return f"when asked about {trigger['value']}"
        case "phrase":
            return f"when the user says {trigger['value']}"
        case _:
            return ""


def full_sentence(planted: Mapping[str, Any]) -> str:
    """What it says of a planted behaviour, with its trigger as the condition."""
    when = condition(planted["trigger"])
    said = sentence(planted["id"])
    return f"{said.removesuffix('.')}, {when}." if when else said


def demo_llm(prompts: Sequence[Prompt]) -> TopicalLLM:
    """An LLM that sees every planted behaviour; it does not know which of them has a trigger."""
    traits = [
        Trait(
            re.compile(SEEN.get(each["id"], each["pattern"])),
            (sentence(each["id"]), f"<MODEL> often {SAID[each['id']]}."),
            PLAINLY,
            sentence(each["id"]),
            "style",
        )
        for each in PLANTED
    ]
    phrases = {
        condition(each["trigger"]): each["trigger"]["value"] for each in PLANTED if each["trigger"]["kind"] == "phrase"
    }
    return TopicalLLM(traits, prompts, phrases=phrases)
