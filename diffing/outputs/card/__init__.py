"""Writes the section "Behavioral differences" of a model card, inserts it, and commits or proposes it on the Hub.

Everything outside the section stays unchanged, byte for byte.
"""

from diffing.outputs.card.described_model import repositories_of
from diffing.outputs.card.edit import edit
from diffing.outputs.card.section import section
from diffing.outputs.card.update import CardOutcome, Mode, update_card

__all__ = ["CardOutcome", "Mode", "edit", "repositories_of", "section", "update_card"]
