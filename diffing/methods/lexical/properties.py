"""Lists all properties of a response that the lexical method measures."""

from diffing.methods.lexical.form_properties import FORM
from diffing.methods.lexical.language_properties import LANGUAGE
from diffing.methods.lexical.length_properties import LENGTH
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.wording_properties import WORDING

PROPERTIES: tuple[MeasuredProperty, ...] = LENGTH + FORM + WORDING + LANGUAGE
"""All properties, in the order of the table of properties."""
BY_NAME = {measured.name: measured for measured in PROPERTIES}
