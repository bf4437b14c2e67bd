"""Finds a column by its possible names, ignoring case, and lists columns for error messages."""

from collections.abc import Collection, Sequence
from functools import lru_cache

from diffing.errors import SettingError


def find_column(columns: Collection[str], names: Sequence[str]) -> str | None:
    """The first of the names that is a column, ignoring case; None if there is none.

    Args:
        columns: The columns of a row.
        names: Possible names in lower case, in order of preference.

    Raises:
        SettingError: Two columns differ only in case, and neither equals the name.
    """
    return _found(tuple(columns), tuple(names))


@lru_cache(256)  # the rows of a file have the same columns
def _found(columns: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in columns:
            return name
        matches = [column for column in columns if column.casefold() == name]
        if len(matches) > 1:
            raise SettingError(
                f"the columns {matches[0]!r} and {matches[1]!r} differ only in case. Rename the one that is meant"
            )
        if matches:
            return matches[0]
    return None


def listed(columns: Collection[str]) -> str:
    """The names of columns as a short text for error messages."""
    shown = ", ".join(repr(column)[:40] for column in list(columns)[:12])
    return f"the columns {shown}" + (", ..." if len(columns) > 12 else "") if columns else "no columns"
