"""The files that a report can be taken away as: those of the registry."""

from collections.abc import Mapping

from diffing import registry
from diffing.outputs.formats import Format

FORMATS: Mapping[str, Format] = {key: registry.load(place) for key, place in registry.OUTPUTS.items()}
"""By key, in the order in which they are offered."""
