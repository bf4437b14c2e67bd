"""Lists all measured properties, and recognises which one the sentence of another method is about."""

import re

from diffing.methods.lexical.form_properties import FORM
from diffing.methods.lexical.language_properties import LANGUAGE
from diffing.methods.lexical.length_properties import LENGTH
from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.wording_properties import WORDING

PROPERTIES: tuple[Property, ...] = LENGTH + FORM + WORDING + LANGUAGE
"""All properties, in the order of the table of properties."""
BY_NAME = {measured.name: measured for measured in PROPERTIES}

_SPEAKS = tuple((measured.name, re.compile(measured.speaks)) for measured in PROPERTIES if measured.speaks)
_LESS = re.compile(
    r"\b(?:less|fewer|shorter|briefer|rarely|seldom|hardly|barely|never|not|no|without|avoids?|lacks?|omits?|skips?|"
    r"fails?|stops?|drops?|removes?|reduces?|limits?|refrains?|minimi[sz](?:es?|ing)|to a minimum|instead of|"
    r"rather than)\b|n['’]t\b"
)
_OTHER_ACTS = re.compile(r"(?<!\bthan )(?<!\bunlike )(?<!\bcompared with )(?<!\bcompared to )<other model>")
"""Finds the other model anywhere but in a comparison; the sentence may then be about that model."""


def same_property(text: str) -> str | None:
    """Returns the name of the measured property that a hypothesis says its model has more of, or None.

    It is cautious, because judge and measurement are compared on this property: it returns None if the sentence is
    about several properties, about less of one, about the other model, or about nothing that is measured.

    Args:
        text: A sentence about `<MODEL>`.
    """
    said = text.lower()
    if _LESS.search(said) or _OTHER_ACTS.search(said):
        return None
    names = [name for name, sought in _SPEAKS if sought.search(said)]
    return names[0] if len(names) == 1 else None
