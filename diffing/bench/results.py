"""Defines `BenchmarkResult`, the table that every benchmark produces, and saves and loads it as a JSON file.

A result is a table with the text that explains it. It is saved as strict JSON:

    {"kind": "null", "title": "...", "command": "diffing bench ...", "about": "...",
     "settings": {"pairs": 7},
     "columns": [{"name": "method", "heading": "Method", "unit": ""},
                 {"name": "false_rate", "heading": "False confirmations", "unit": "%"}],
     "rows": [{"method": "lexical", "false_rate": 0.01, "false_rate_low": 0.0, "false_rate_high": 0.04,
               "false_rate_n": 300}]}

Rows are flat and all have the same keys. An estimate takes four keys: `x`, `x_low` and `x_high` (its 95% interval) and
`x_n` (the number of observations); `estimate_cells` makes them. An undefined value is null. A result contains no time
stamps, no local paths and no text of recorded responses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from diffing.atomic_write import write_atomically
from diffing.errors import SettingError
from diffing.estimates import Estimate
from diffing.types import Row, Scalar

Kind: TypeAlias = Literal[
    "statistics",
    "planted",
    "null",
    "coverage",
    "refusals",
    "lineage",
    "compare",
    "behaviours",
    "crosscoder",
    "adapters",
    "speed",
]
"""The benchmark that a result comes from; the page has one section per kind, in this order."""
Unit: TypeAlias = Literal["", "%", "points"]
"""How the numbers of a column are shown: unchanged, as a percentage, or with a sign as percentage points."""


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column that a page of results shows."""

    name: str
    """The column's key in the rows; for an estimate, the key of its value."""
    heading: str
    """The text of the column's head."""
    unit: Unit = ""
    """How the column's numbers are shown."""


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """One table of a benchmark, with everything that a reader must know to understand it."""

    kind: Kind
    """The benchmark that the result comes from."""
    title: str
    """A short headline, without a full stop."""
    command: str
    """The command that reproduces the result."""
    about: str
    """What was done and how to read the table, as plain text without markup; empty lines separate paragraphs."""
    rows: tuple[Row, ...]
    """The table's rows; all have the same keys."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """The settings that affected the result."""
    columns: tuple[ResultColumn, ...] = ()
    """The columns to show, in order; if there are none, every column is shown under its own name."""


def estimate_cells(name: str, estimate: Estimate) -> dict[str, Scalar]:
    """Makes the four cells of an estimate in a row.

    Args:
        name: The column's key.
        estimate: The estimate.
    """
    return {
        name: estimate.value,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
        f"{name}_n": estimate.n,
    }


def save_result(result: BenchmarkResult, path: Path) -> Path:
    """Saves a result atomically; the same result always gives the same bytes.

    Args:
        result: The result to save.
        path: The file, `<name>.json`; its folder is created if it does not exist.

    Raises:
        SettingError: The rows differ in their keys, or the file cannot be written.
        ValueError: A number is not finite; undefined values must be None.
    """
    _check(result, str(path))
    content = json.dumps(asdict(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return write_atomically(content.encode(), path, make_folder=True)


def load_result(path: Path) -> BenchmarkResult:
    """Loads a result that `save_result` saved.

    Args:
        path: The file of the result.

    Raises:
        SettingError: The file cannot be read, or is not a result.
    """
    try:
        document = json.loads(path.read_bytes())
        result = BenchmarkResult(
            **{
                **document,
                "rows": tuple(document["rows"]),
                "columns": tuple(ResultColumn(**column) for column in document.get("columns", ())),
            }
        )
    except OSError as error:
        raise SettingError(f"Cannot read {path}: {error.strerror or error}. Give the file of a result") from None
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise SettingError(
            f"{path} is not the result of a benchmark: expected what `diffing bench` writes ({error}). Run it again"
        ) from error
    _check(result, str(path))
    return result


def load_results(folder: Path) -> tuple[tuple[str, BenchmarkResult], ...]:
    """Loads all results in a folder, with their names, sorted by kind and name.

    Args:
        folder: The folder of the results.

    Raises:
        SettingError: There are no results, or one cannot be read.
    """
    paths = sorted(folder.glob("*.json"), key=lambda path: path.stem)
    if not paths:
        raise SettingError(f"{folder} holds no results: expected <name>.json files as `diffing bench` writes them")
    found = [(path.stem, load_result(path)) for path in paths]
    order = {kind: number for number, kind in enumerate(get_args(Kind))}
    return tuple(sorted(found, key=lambda one: order[one[1].kind]))


def _check(result: BenchmarkResult, where: str) -> None:
    """Checks everything that a page of results relies on.

    Raises:
        SettingError: The result has another form.
    """
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
