"""The section "Behavioral differences" of a model's card: its text, its place in the card, and its way to the Hub.

Everything of a card outside the section stays as it is, byte for byte.
"""

from diffing.outputs.card.described_model import repositories_of
from diffing.outputs.card.edit import edit
from diffing.outputs.card.section import section
from diffing.outputs.card.update import CardOutcome, Mode, update_card

__all__ = ["CardOutcome", "Mode", "edit", "repositories_of", "section", "update_card"]
