"""The battery: all properties of a response that the lexical method measures."""

from diffing.methods.lexical.form import FORM
from diffing.methods.lexical.language_properties import LANGUAGE
from diffing.methods.lexical.length import LENGTH
from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.wording import WORDING

PROPERTIES: tuple[Property, ...] = LENGTH + FORM + WORDING + LANGUAGE
"""The battery, in the order of the table of properties."""
BY_NAME = {measured.name: measured for measured in PROPERTIES}
