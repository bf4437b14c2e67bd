"""Shows several models that were compared with each other: one page without a network, and JSON for programs."""

from diffing.outputs.family.family_page import family_json, family_page, separation_in_words

__all__ = ["family_json", "family_page", "separation_in_words"]
