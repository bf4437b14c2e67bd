"""Tells by their names whether a judge and a model that it judges are of one family. Asks nobody."""

import re

from diffing.model_ref import ModelRef, read_ref
from diffing.types import ModelInfo

_FAMILIES = {
    "qwen": r"qwen|qwq",
    "llama": r"(?<!o)llama(?![._-]?cpp)|vicuna|alpaca",
    "mistral": r"mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|zephyr",
    "gemma": r"gemma|gemini",
    "gpt": r"(?:\b|_)(?:chat)?gpt-?(?:oss|[345])|(?:^|[/:])o[134](?:-(?:mini|preview|pro))?$",
    "claude": r"claude",
    "deepseek": r"deepseek",
    "phi": r"(?:\b|_)phi-?[1-9]",
    "olmo": r"olmo",
    "granite": r"granite",
    "command": r"command-[ar]\b|command-r7b|\baya\b",
    "smollm": r"smollm",
    "falcon": r"falcon",
    "glm": r"(?:\b|_|chat)glm-?[1-9]",
    "kimi": r"\bkimi\b",
    "yi": r"(?:^|/)yi-",
    "grok": r"\bgrok-",
    "exaone": r"exaone",
    "nemotron": r"nemotron",
}
"""The pattern in a model's name that tells its family; fine-tunes and distillates carry it as well."""


def families_of(model: ModelRef) -> frozenset[str]:
    """The families that a model's name speaks of: of its own, and of what it was tuned or distilled from.

    Args:
        model: As in the report; its revision and its server are no part of the name.
    """
    name = str(model.published.unpinned).lower()
    return frozenset(family for family, sought in _FAMILIES.items() if re.search(sought, name))


def relation_to(judge_id: str, info: ModelInfo) -> str | None:
    """How the judge is related to a model, as the rest of a sentence about the judge; None where it is not, by name.

    Args:
        judge_id: The judge's id.
        info: The model it judged.
    """
    role = info.role.replace("_", " ")
    if info.id == judge_id:
        return f"is {role} itself"
    shared = sorted(families_of(read_ref(judge_id)) & families_of(info.ref))
    return f"and {role} are both of the {' and '.join(shared)} family" if shared else None
