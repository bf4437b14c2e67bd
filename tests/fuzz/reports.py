"""Folders of saved reports: damaged by chance, or made up by somebody who knows the format."""

import functools
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from rich.console import Console

from diffing.cli.terminal_tables import findings_list
from diffing.errors import DiffingError
from diffing.outputs.downloads import FORMATS
from diffing.outputs.headline import headline
from diffing.outputs.phrasing import explanation
from diffing.report import load_report, load_settings, report_summary, save_report
from diffing.types import LatentMeasure, Report
from tests.fuzz.text import NASTY, mutated_bytes, one_line_or_fine
from tests.outputs.samples import lines_report
from tests.outputs.test_features import feature, passage, with_sae

VALUES = (
    *(None, True, False, 0, 1, -1, 2**63, -(2**63), 10**30, 10**400, 0.5, -0.0, 1e308, 5e-324),
    *("", "a", "b", "A", "train", "user", "\x00", "\ud800", "x" * 5_000, "<MODEL>", "NaN", "../x", "1e400"),
    *({}, [], [[]], [None], {"float": "nan"}, {"float": "inf"}, {"float": "x"}, {"float": []}, {"float": "1" * 400}),
    *({"value": None}, ["a", "b"], [[1, 2, 3]], {"": ""}, [{"id": 1}], {"a": {"b": {"c": {}}}}),
)
"""What is put in the place of a value; JSON can say all of them."""


@dataclass(frozen=True)
class Change:
    """What is done to a whole report's folder."""

    name: str
    """Of the file, or of the table's cell."""
    content: bytes | None
    """Instead of the file's own; None: the file is gone, `b"/"`: a folder has its name."""
    known: bool
    """Whether `report.json` says the new content's digest, as somebody would who makes a report up."""


@functools.cache
def whole() -> dict[str, bytes]:
    """The files of a small report with every table that outputs know."""
    report = with_sae(
        lines_report(train=6, heldout=9),
        (feature(3, 0.1, 0.48, label="praise", label_score=0.875), feature(17, 0.6, 0.5, q=None)),
        (passage(3, "p0001", "«Great» question«!»"),),
        f1=LatentMeasure((3, 17)),
    )
    with tempfile.TemporaryDirectory() as folder:
        save_report(report, folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def made_report(draw: Random) -> Change:
    """A change of one file."""
    files = whole()
    name = draw.choice(sorted(files))
    match draw.randrange(8):
        case 0:
            content = draw.choice((None, b"/", b"", b"PAR1", b"{}", b"[" * 50_000, b"null"))
            return Change(name, content, known=draw.random() < 0.5)
        case 1:
            return Change(name, mutated_bytes(draw, files[name]), known=draw.random() < 0.8)
        case 2 | 3:
            return _table_change(draw)
        case _:
            document = json.loads(files["report.json"])
            for _ in range(draw.choice((1, 1, 2, 3))):
                _change_value(draw, document)
            return Change("report.json", json.dumps(document).encode(), known=False)


def report_changes() -> st.SearchStrategy[Change]:
    """The same for hypothesis."""
    return st.randoms(use_true_random=False).map(made_report)


def check_report(change: Change) -> None:
    """It opens and every output takes it, or one line says what is wrong."""
    with tempfile.TemporaryDirectory(dir=_scratch()) as name:
        folder = Path(name)
        _write(folder, change)
        with one_line_or_fine():
            load_settings(folder)
        try:
            report = load_report(folder)
        except DiffingError:
            with one_line_or_fine():
                load_report(folder)
            return
    show(report, all_formats=hash(change.content) % 20 == 0)


def show(report: Report, *, all_formats: bool) -> None:
    """Everything that is made of a report."""
    json.dumps(report_summary(report), allow_nan=False)
    headline(report), explanation(report)
    with Console(file=_Nowhere(), width=100).capture():
        Console(file=_Nowhere(), width=100).print(findings_list(report, 100, everything=True))
    for each in FORMATS.values() if all_formats else ():
        each.content(report), each.file_name(report)


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text.encode(errors="backslashreplace"))

    def flush(self) -> None: ...


@functools.cache
def _scratch() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _write(folder: Path, change: Change) -> None:
    files = {**whole()}
    if change.content not in (None, b"/"):
        files[change.name] = change.content
    else:
        del files[change.name]
    if change.known and change.content is not None and change.name != "report.json":
        document = json.loads(files["report.json"])
        document["files"][change.name] = hashlib.sha256(change.content).hexdigest()
        files["report.json"] = json.dumps(document).encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    if change.content == b"/":
        (folder / change.name).mkdir()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within, with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)


def _change_value(draw: Random, document: Any) -> None:
    container, key = draw.choice(list(_places(document)))
    match draw.randrange(5):
        case 0:
            del container[key]
        case 1 if isinstance(container, dict):
            container[draw.choice(NASTY)] = draw.choice(VALUES)
        case 1:
            container.append(container[key])
        case 2:
            other, place = draw.choice(list(_places(document)))
            with suppress(IndexError, KeyError):
                container[key] = json.loads(json.dumps(other[place]))
        case _:
            container[key] = draw.choice(VALUES)


def _table_change(draw: Random) -> Change:
    """A table with another value, row, column or type."""
    # one without columns has nothing to change
    name = draw.choice(sorted(name for name in whole() if name.endswith(".parquet") and "clusters" not in name))
    table = pq.read_table(pa.BufferReader(whole()[name]))
    rows, columns = table.to_pylist(), table.column_names
    changed: Callable[[], pa.Table]
    match draw.randrange(5):
        case 0 if rows:
            row, column = draw.randrange(len(rows)), draw.choice(columns)
            rows[row][column] = draw.choice([value for value in VALUES if not isinstance(value, dict)])
            changed = lambda: pa.Table.from_pylist(rows, schema=table.schema)  # noqa: E731
        case 1 if rows:
            rows += draw.choices(rows, k=draw.choice((1, 3)))
            changed = lambda: pa.Table.from_pylist(rows, schema=table.schema)  # noqa: E731
        case 2 if rows:
            del rows[draw.randrange(len(rows))]
            changed = lambda: pa.Table.from_pylist(rows, schema=table.schema)  # noqa: E731
        case 3:
            column = draw.choice(columns)
            changed = lambda: table.drop_columns([column]) if len(columns) > 1 else table  # noqa: E731
        case _:
            place, value = draw.randrange(len(columns)), draw.choice((None, "x", 1, 0.5, True, [], b"\xff"))
            column = draw.choice((columns[place], draw.choice(NASTY).encode(errors="replace").decode()))
            changed = lambda: table.set_column(place, column, pa.array([value] * len(table)))  # noqa: E731
    try:
        content = pa.BufferOutputStream()
        pq.write_table(changed(), content)
        return Change(name, content.getvalue().to_pybytes(), known=True)
    except (pa.ArrowException, TypeError, OverflowError, UnicodeError, ValueError):  # arrow does not take it
        return Change(name, b"", known=True)
