"""What each measured property is about: its tier, which weighs it in the order of findings, and its group.

Properties of one group are signs of one behaviour, such as apologies and refusals. This is a table of judgements about
what readers want to know; nothing in it is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.methods.property_info import Tier


@dataclass(frozen=True, slots=True)
class PropertyPlace:
    """The tier and the group of one property."""

    tier: Tier = "other"
    """See `PropertyInfo.tier`."""
    group: str = ""
    """See `PropertyInfo.group`."""


_NAMES: Mapping[tuple[Tier, str], str] = {
    ("answering", "refusing"): "refusals empty",
    ("answering", "language"): "other_language",
    ("stance", "refusing"): "apologies disclaimers self_as_ai risks",
    ("stance", "warmth"): "emoji",
    ("stance", "markup"): "italics",  # also acted gestures, which are a manner
    ("stance", ""): "praise hedges politeness greetings looping",
    ("structure", "lists"): "lists bullet_lists numbered_lists",
    ("structure", "markup"): "headings bold tables",
    ("structure", "code"): "code_blocks inline_code",
    ("structure", "asking"): "question_marks ends_with_question offers",
    ("structure", ""): "maths links summaries consent examples reasons contrasts",
    ("length", "length"): "words sentences",
    ("length", ""): "paragraphs",  # in recorded responses, length says little of how a text is divided
    ("other", "warmth"): "exclamation_marks",
    ("other", "open ends"): "open_end broken_off",
    ("other", ""): "sentence_length word_variety word_length repeats_prompt numbers quotations upper_case dashes "
    "parentheses intensifiers first_person second_person contractions",
}
PLACES: Mapping[str, PropertyPlace] = {
    name: PropertyPlace(tier, group) for (tier, group), names in _NAMES.items() for name in names.split()
}
"""The tier and the group of every property but `language_<name>`, by its name."""
_OF_A_LANGUAGE = PropertyPlace("answering", "language")


def place_of(name: str) -> PropertyPlace:
    """Returns the tier and the group of a property; of an unknown one, the tier `other` and no group."""
    return PLACES.get(name, _OF_A_LANGUAGE if name.startswith("language_") else PropertyPlace())
