"""Prompts that show differences: chosen from a pool, or written by an LLM for a suspicion. Knows no method, no verdict.

Whatever is learned from responses is learned on train prompts. Held-out prompts are chosen by their text alone, before
anybody has seen a response to them, so what they confirm is confirmed; but shares then hold for prompts like these, not
for prompts at large, and the report says so.
"""

from diffing.prompt_selection.pool import choose_prompts
from diffing.prompt_selection.selected import Elicited
from diffing.prompt_selection.written import write_prompts

__all__ = ["Elicited", "choose_prompts", "write_prompts"]
