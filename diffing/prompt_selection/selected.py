"""What elicitation gives."""

from dataclasses import dataclass

from diffing.types import Prompt, Usage


@dataclass(frozen=True, slots=True)
class Elicited:
    """Prompts that were selected or written to show differences."""

    prompts: tuple[Prompt, ...]
    """Train first."""
    notes: tuple[str, ...]
    """How they came about, for the report to tell."""
    usage: tuple[Usage, ...]
    """What it took."""
