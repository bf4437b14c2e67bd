"""Selects prompts that are likely to show differences: from a pool, or written by an LLM for a suspected difference.

Only responses to train prompts influence the selection. Held-out prompts are selected by their text alone, before any
response to them exists, so tests on them stay valid. Shares then apply to prompts like these, not to prompts in
general, and the report says so.
"""

from diffing.prompt_selection.pool import choose_prompts
from diffing.prompt_selection.selected import SelectedPrompts
from diffing.prompt_selection.written import write_prompts

__all__ = ["SelectedPrompts", "choose_prompts", "write_prompts"]
