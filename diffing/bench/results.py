"""The file format of a benchmark's result, which every page of results reads. Knows no benchmark.

A result is one table with the words that explain it. It is kept as strict JSON:

    {"kind": "null", "title": "...", "command": "diffing bench ...", "about": "...",
     "settings": {"pairs": 7},
     "columns": [{"name": "method", "heading": "Method", "unit": ""},
                 {"name": "false_rate", "heading": "False confirmations", "unit": "%"}],
     "rows": [{"method": "lexical", "false_rate": 0.01, "false_rate_low": 0.0, "false_rate_high": 0.04,
               "false_rate_n": 300}]}

Rows are flat and all have the same keys. An estimate is four of them: `x`, `x_low`, `x_high` (its 95 % interval) and
`x_n` (how many observations it rests on); `estimate_cells` writes them. Undefined is null. No time stamps, no paths of
somebody's disk, no text of recorded responses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from diffing.atomic_write import write_atomically
from diffing.errors import SettingError
from diffing.types import Estimate, Row, Scalar

Kind: TypeAlias = Literal["statistics", "planted", "null", "lineage", "compare"]
"""Which benchmark it is of; the page has one part per kind, in this order."""
Unit: TypeAlias = Literal["", "%", "points"]
"""How the numbers of a column are shown: as they are, as percent or, with a sign, as percentage points."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that the page shows."""

    name: str
    """Its key in the rows; of an estimate the key of the value."""
    heading: str
    """What stands above it."""
    unit: Unit = ""
    """How its numbers are shown."""


@dataclass(frozen=True, slots=True)
class Result:
    """One table of one benchmark, with all that a reader must know of it."""

    kind: Kind
    """Which benchmark."""
    title: str
    """A short headline, without a full stop."""
    command: str
    """What a user types to have it again."""
    about: str
    """What was done and how to read it, in plain sentences; an empty line parts paragraphs. Plain text, no markup."""
    rows: tuple[Row, ...]
    """The table; all rows have the same keys."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """What decided the result."""
    columns: tuple[Column, ...] = ()
    """What of the rows is shown, in order; empty: every column, under its name."""


def estimate_cells(name: str, estimate: Estimate) -> dict[str, Scalar]:
    """The four cells of an estimate in a row.

    Args:
        name: The column.
        estimate: What stands in it.
    """
    return {
        name: estimate.value,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
        f"{name}_n": estimate.n,
    }


def save_result(result: Result, path: Path) -> Path:
    """Writes a result; the same result gives the same bytes. Replaces the file whole or not at all.

    Args:
        result: What is kept.
        path: The file, `<name>.json`; its folder is made where it is missing.

    Raises:
        SettingError: The rows differ in their keys, or the file cannot be written.
        ValueError: A number is not finite: undefined is None.
    """
    _check(result, str(path))
    content = json.dumps(asdict(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return write_atomically(content.encode(), path, make_folder=True)


def load_result(path: Path) -> Result:
    """Reads a result back equal.

    Args:
        path: The file.

    Raises:
        SettingError: The file cannot be read, or is not a result.
    """
    try:
        document = json.loads(path.read_bytes())
        result = Result(
            **{
                **document,
                "rows": tuple(document["rows"]),
                "columns": tuple(Column(**column) for column in document.get("columns", ())),
            }
        )
    except OSError as error:
        raise SettingError(f"Cannot read {path}: {error.strerror or error}. Give the file of a result") from None
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise SettingError(
            f"{path} is not the result of a benchmark: expected what `diffing bench` writes ({error}). Run it anew"
        ) from error
    _check(result, str(path))
    return result


def load_results(folder: Path) -> tuple[tuple[str, Result], ...]:
    """All results of a folder with their names, by kind and name.

    Args:
        folder: Where they are.

    Raises:
        SettingError: There is none, or one cannot be read.
    """
    paths = sorted(folder.glob("*.json"), key=lambda path: path.stem)
    if not paths:
        raise SettingError(f"{folder} holds no results: expected <name>.json files as `diffing bench` writes them")
    found = [(path.stem, load_result(path)) for path in paths]
    order = {kind: number for number, kind in enumerate(get_args(Kind))}
    return tuple(sorted(found, key=lambda one: order[one[1].kind]))


def _check(result: Result, where: str) -> None:
    """What the page relies on."""
    if result.kind not in get_args(Kind):
        raise SettingError(f"{where}: kind is {result.kind!r:.40}, expected one of {', '.join(get_args(Kind))}")
    texts: Sequence[Any] = (result.title, result.command, result.about)
    if not all(isinstance(text, str) for text in texts):
        raise SettingError(f"{where}: title, command and about must be text")
    if not all(isinstance(row, Mapping) for row in result.rows):
        raise SettingError(f"{where}: every row must be an object of columns and values")
    keys = list(result.rows[0]) if result.rows else []
    if any(list(row) != keys for row in result.rows):
        raise SettingError(f"{where}: all rows must have the same columns in the same order")
    for column in result.columns:
        if keys and column.name not in keys:
            raise SettingError(f"{where}: there is no column {column.name!r:.60} in the rows")
