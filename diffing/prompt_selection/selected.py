"""`SelectedPrompts`, the result type of prompt selection: the prompts with notes and usage."""

from dataclasses import dataclass

from diffing.types import Prompt, Usage


@dataclass(frozen=True, slots=True)
class SelectedPrompts:
    """Prompts that were selected or written to show differences."""

    prompts: tuple[Prompt, ...]
    """The prompts, train prompts first."""
    notes: tuple[str, ...]
    """Notes for the report on how the prompts were selected."""
    usage: tuple[Usage, ...]
    """The calls and tokens that the selection took."""
