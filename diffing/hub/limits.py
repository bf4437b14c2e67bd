"""Maximum sizes of model and dataset cards and of the YAML in them, when they are downloaded from the Hub."""

MOST_CARD = 1_000_000
"""Maximum size of a card in bytes, three times that of the longest cards on the Hub."""
MOST_YAML = 1_000_000
"""Maximum length of a card's YAML in characters."""
