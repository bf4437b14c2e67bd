"""What the page is called, its parts, and which columns of a result are shown."""

from collections.abc import Mapping, Sequence

from diffing.bench.results import Column, Kind, Result

TITLE = "How far diffing can be trusted"
HEADINGS: Mapping[Kind, str] = {
    "statistics": "Statistics by simulation",
    "planted": "Planted differences",
    "null": "Nulls: no difference to be found",
    "lineage": "Lineages: differences between related models",
    "compare": "The methods compared",
}
FOLDED = 14
"""Rows above which a table beside a picture is folded; without one, twice as many."""
_PARTS = ("_low", "_high", "_n")


def title_of(results: Sequence[tuple[str, Result]]) -> str:
    """What the page is called: what its only part is called, where it has one.

    Args:
        results: Names and results.
    """
    kinds = {result.kind for _, result in results}
    return HEADINGS[kinds.pop()] if len(kinds) == 1 else TITLE


def is_long(result: Result) -> bool:
    """Whether the table is folded until it is asked for: sooner where a picture shows the same.

    Args:
        result: Any.
    """
    return len(result.rows) > (FOLDED if result.figures else 2 * FOLDED)


def columns_of(result: Result) -> tuple[Column, ...]:
    """The columns that the result names, else all of its rows under their own names.

    Args:
        result: Any.
    """
    if result.columns or not result.rows:
        return result.columns
    keys = list(result.rows[0])
    parts = {f"{key}{part}" for key in keys for part in _PARTS}
    return tuple(Column(key, key.replace("_", " ")) for key in keys if key not in parts)
