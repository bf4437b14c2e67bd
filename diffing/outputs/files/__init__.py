"""A report as files to take away: the whole of it, a page, a text, a table. Knows no page of the app and no Hub."""

from diffing.outputs.files.formats import FORMATS, Format, safe_name

__all__ = ["FORMATS", "Format", "safe_name"]
