"""All measured properties, and which of them a sentence speaks about."""

import re

from diffing.methods.lexical.form import FORM
from diffing.methods.lexical.language_properties import LANGUAGE
from diffing.methods.lexical.length import LENGTH
from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.wording import WORDING

PROPERTIES: tuple[Property, ...] = LENGTH + FORM + WORDING + LANGUAGE
"""The battery, in the order of the table of properties."""
BY_NAME = {measured.name: measured for measured in PROPERTIES}

_SPEAKS = tuple((measured.name, re.compile(measured.speaks)) for measured in PROPERTIES if measured.speaks)
_LESS = re.compile(
    r"\b(?:less|fewer|shorter|briefer|rarely|seldom|hardly|barely|never|not|no|without|avoids?|lacks?|omits?|skips?|"
    r"fails?|stops?|drops?|removes?|reduces?|limits?|refrains?|minimi[sz](?:es?|ing)|to a minimum|instead of|"
    r"rather than)\b|n['’]t\b"
)
_OTHER_ACTS = re.compile(r"(?<!\bthan )(?<!\bunlike )(?<!\bcompared with )(?<!\bcompared to )<other model>")
"""The other model anywhere but in a comparison: what is said may be said of it."""


def same_property(text: str) -> str | None:
    """The measured property that a hypothesis says its model has more of; its name, as in `PropertyMeasure`.

    Careful rather than complete, since judge and measurement are compared on it: None where the sentence speaks of
    several properties, of less of one, of what the other model does, or of none that is measured.

    Args:
        text: A sentence about `<MODEL>`.
    """
    said = text.lower()
    if _LESS.search(said) or _OTHER_ACTS.search(said):
        return None
    names = [name for name, sought in _SPEAKS if sought.search(said)]
    return names[0] if len(names) == 1 else None
