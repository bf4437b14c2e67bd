"""Finds columns by their names. Knows no values."""

from collections.abc import Collection, Sequence

from diffing.errors import SettingError


def find_column(columns: Collection[str], names: Sequence[str]) -> str | None:
    """The first of the names that is a column, whatever its case.

    Args:
        columns: Those of a row.
        names: In small letters; earlier ones come first.

    Raises:
        SettingError: Two columns differ in case alone, and neither is the name itself.
    """
    for name in names:
        if name in columns:
            return name
        found = [column for column in columns if column.casefold() == name]
        if len(found) > 1:
            raise SettingError(
                f"the columns {found[0]!r} and {found[1]!r} differ in case alone. Rename the one that is meant"
            )
        if found:
            return found[0]
    return None


def listed(columns: Collection[str]) -> str:
    """Names of columns, for one line of an error."""
    shown = ", ".join(repr(column)[:40] for column in list(columns)[:12])
    return f"the columns {shown}" + (", ..." if len(columns) > 12 else "") if columns else "no columns"
