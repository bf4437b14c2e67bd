"""How much is read of what others wrote on the Hub: told before it is downloaded, checked before it is parsed."""

MOST_CARD = 1_000_000
"""Bytes of a card: the longest ones on the Hub have a third of it."""
MOST_YAML = 1_000_000
"""Bytes of YAML."""
