"""A report as files to take away: the whole of it, a page, a text, a table. Knows no page of the app and no Hub."""

from collections.abc import Mapping

from diffing import registry
from diffing.outputs.files.formats import Format, safe_name

__all__ = ["FORMATS", "Format", "safe_name"]

FORMATS: Mapping[str, Format] = {key: registry.load(place) for key, place in registry.OUTPUTS.items()}
"""By key, in the order in which they are offered."""
