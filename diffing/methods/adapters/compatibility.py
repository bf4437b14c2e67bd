"""Checks whether two models can have adapters: a base and a model tuned from it, with one MLP in each block."""

from collections.abc import Mapping
from typing import Any

from diffing.errors import ModelError

ADMITTED = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text")
"""The model types whose blocks have one MLP, `mlp`, that reads and writes vectors as wide as the model."""
_ELSE = "Use --method crosscoder, which takes any two models"


def check_pair(base: str, of_base: Mapping[str, Any], tuned: str, of_tuned: Mapping[str, Any]) -> None:
    """Refuses two models that cannot have adapters, before their weights are loaded.

    Args:
        base: The base's id.
        of_base: The base's model type and sizes.
        tuned: The tuned model's id.
        of_tuned: The tuned model's type and sizes.

    Raises:
        ModelError: An architecture is not admitted, or they are not of one shape.
    """
    for name, own in ((base, of_base), (tuned, of_tuned)):
        kind = str(own["model_type"])
        if kind not in ADMITTED:
            experts = " (a mixture of experts has several)" if "moe" in kind or kind == "mixtral" else ""
            raise ModelError(
                f"Adapters need one MLP in each block, as {', '.join(ADMITTED)} have, but {name} is of type "
                f"{kind!r:.40}{experts}. {_ELSE}"
            )
    different = [key for key in of_base if of_base[key] != of_tuned.get(key)]
    if different:
        key = different[0]
        raise ModelError(
            f"Adapters need a base (A) and a model tuned from it (B): expected one {key}, got {of_base[key]} for "
            f"{base} and {of_tuned.get(key)} for {tuned}. {_ELSE}"
        )


def check_vocabularies(base: str, of_base: str, tuned: str, of_tuned: str) -> None:
    """Refuses two models whose tokens differ.

    Args:
        base: The base's id.
        of_base: The digest of the base's tokens.
        tuned: The tuned model's id.
        of_tuned: The digest of the tuned model's tokens.

    Raises:
        ModelError: They differ.
    """
    if of_base != of_tuned:
        raise ModelError(
            f"Adapters need a base (A) and a model tuned from it (B) with the same tokenizer, but the tokens of {base} "
            f"and {tuned} differ. {_ELSE}"
        )
