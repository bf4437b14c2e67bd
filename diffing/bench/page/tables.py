"""Which columns of a result are shown."""

from diffing.bench.results import Column, Result

_PARTS = ("_low", "_high", "_n")


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
