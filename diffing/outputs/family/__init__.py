"""Shows several models that were compared with each other: one page without a network, JSON, and a Hub dataset."""

from diffing.outputs.family.family_page import family_json, family_page, separation_in_words

__all__ = ["family_json", "family_page", "separation_in_words"]
