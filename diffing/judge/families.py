"""Detects from model names whether the judge belongs to the same family as a model it judges (Llama, Qwen, ...)."""

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
"""For each family, a pattern that occurs in its models' names, including fine-tuned and distilled models."""


def families_of(model: ModelRef) -> frozenset[str]:
    """Returns the families that a model's name mentions: its own, and those it was tuned or distilled from.

    Args:
        model: The model as the report names it; its revision and its server are not part of the name.
    """
    name = str(model.published.unpinned).lower()
    return frozenset(family for family, sought in _FAMILIES.items() if re.search(sought, name))


def relation_to(judge_id: str, info: ModelInfo) -> str | None:
    """Says how the judge is related to a model, as the end of a sentence about the judge; None if names show nothing.

    Args:
        judge_id: The judge's id.
        info: The model that it judged.
    """
    role = info.role.replace("_", " ")
    if info.id == judge_id:
        return f"is {role} itself"
    shared = sorted(families_of(read_ref(judge_id)) & families_of(info.ref))
    return f"and {role} are both of the {' and '.join(shared)} family" if shared else None
