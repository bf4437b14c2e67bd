"""Reads the rows of a JSON, JSON Lines, CSV, TSV or parquet file, each with its line or row number.

All formats but parquet are read with the standard library alone, so that small files load quickly.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from diffing.errors import SettingError
from diffing.rows.content import MOST_BYTES, text_of

Row: TypeAlias = Mapping[str, object]

_LONGEST_CSV_FIELD = 2**31 - 1
"""Maximum length of a CSV field in characters; the module's default of 131,072 is too short for long prompts."""
_SEPARATORS = ",;\t|"
"""Possible separators of a CSV file, the usual one first."""
_ROWS_AT_ONCE = 64
"""Rows of a parquet file per batch; the batch is small because one stored value can appear in millions of rows."""


class RowPlace(NamedTuple):
    """The position of a row in its file, for error messages."""

    unit: str
    """`line` of a text file, `item` of a list, or `row` of a table."""
    number: int
    """The number of the line, item or row, counted from 1."""

    def __str__(self) -> str:
        return f"{self.unit} {self.number}"


PlacedRow: TypeAlias = tuple[RowPlace, Row]


class _JsonError(ValueError):
    """A JSON object that names a field twice."""


def read_table(
    source: str, suffix: str, content: bytes, *, bare: str | None = None, most: int = MOST_BYTES
) -> Iterator[PlacedRow]:
    """Reads the rows of a file.

    - JSON Lines has one object per line; JSON has a list of objects, or a single object, which is one row, or all
      columns if each of its fields is a list of values, or an object of them by row number, as pandas writes it.
    - CSV and TSV need a header; CSV may also be separated by semicolons, tabs or vertical bars.
    - parquet.

    Args:
        source: The name of the file for error messages.
        suffix: The format, one of `SUFFIXES`.
        content: The file's bytes, unpacked.
        bare: The column for a JSON string that stands in place of an object; None makes such a string an error.
        most: Maximum memory for the rows of a parquet file, in bytes.

    Raises:
        SettingError: The content is malformed; the message names the line or row.
    """
    if suffix == ".parquet":
        return _read_parquet(source, content, most)
    if suffix in _SEPARATED:
        return _read_csv(source, text_of(source, content), _SEPARATED[suffix])
    return _read_json(source, text_of(source, content), bare)


_SEPARATED = {".csv": _SEPARATORS, ".tsv": "\t", ".tab": "\t"}
SUFFIXES = (".jsonl", ".ndjson", ".json", *_SEPARATED, ".parquet")
"""The file endings of the supported formats."""


def loads(text: str) -> object:
    """Parses JSON and refuses objects that name a field twice.

    Raises:
        ValueError: The text is malformed, or an object names a field twice.
        RecursionError: The value is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _JsonError(f"two fields have the same name, {_twice([name for name, _ in pairs])!r:.40}")
    return fields


def _read_json(source: str, text: str, bare: str | None) -> Iterator[PlacedRow]:
    """Reads a JSON list, an object that spans several lines, or JSON Lines, whatever the file's name says."""
    if text.lstrip("\ufeff \t\r\n")[:1] == "[":
        yield from _read_document(source, text, bare)
        return
    document = _document(text)
    if document is not None:
        place = RowPlace("line", 1 + text[: len(text) - len(text.lstrip())].count("\n"))
        cells = _cells(document)
        yield from [(place, document)] if cells is None else _transposed(source, cells)
        return
    # split at newlines only, because JSON text may contain the other line separators of str.splitlines
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = RowPlace("line", number)
        try:
            value = loads(line)
        except (ValueError, RecursionError) as error:
            raise _not_json(source, place, error, "Every line must be one JSON object: correct or remove it") from None
        yield place, _object(source, place, value, bare)


def _read_document(source: str, text: str, bare: str | None) -> Iterator[PlacedRow]:
    """Reads the items of a JSON list."""
    try:
        items = loads(text)
    except (ValueError, RecursionError) as error:
        place = RowPlace("line", error.lineno if isinstance(error, json.JSONDecodeError) else 1)
        raise _not_json(source, place, error, "Expected one JSON list of objects: correct it") from None
    if not isinstance(items, list):
        raise SettingError(f"{source}: expected a JSON list of objects, got a {type(items).__name__}")
    for number, item in enumerate(items, start=1):
        yield RowPlace("item", number), _object(source, RowPlace("item", number), item, bare)


def _document(text: str) -> Row | None:
    """The single object that is all of the text; None if the text is something else."""
    try:
        value = loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _cells(document: Row) -> Mapping[str, Sequence[object]] | None:
    """The values of each column, if the object holds columns; None if it is a row."""
    numbers = {tuple(value) for value in document.values() if isinstance(value, dict)}
    if len(document) < 2 or len(numbers) > 1 or not all(map(str.isdigit, next(iter(numbers), ()))):
        return None
    cells: dict[str, Sequence[object]] = {}
    for name, value in document.items():
        values = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(values, list) or any(isinstance(cell, list | dict) for cell in values):
            return None
        cells[name] = values
    return cells


def _transposed(source: str, cells: Mapping[str, Sequence[object]]) -> Iterator[PlacedRow]:
    lengths = {name: len(values) for name, values in cells.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} in {name!r:.40}" for name, length in list(lengths.items())[:6])
        raise SettingError(f"{source}: expected as many values in each column, got {told}")
    for number, row in enumerate(zip(*cells.values(), strict=True), start=1):
        yield RowPlace("row", number), dict(zip(cells, row, strict=True))


def _not_json(source: str, place: RowPlace, error: Exception, expected: str) -> SettingError:
    reason = type(error).__name__
    if isinstance(error, json.JSONDecodeError):
        reason = error.msg
    elif isinstance(error, _JsonError):
        reason = str(error)
    elif isinstance(error, RecursionError):
        reason = "nested too deeply"
    return SettingError(f"{source}, {place}: not JSON ({reason}). {expected}")


def _object(source: str, place: RowPlace, value: object, bare: str | None) -> Row:
    if isinstance(value, str) and bare is not None:
        return {bare: value}
    if not isinstance(value, dict):
        raise SettingError(f"{source}, {place}: expected a JSON object, got a {type(value).__name__}")
    return value


def _read_csv(source: str, text: str, separators: str) -> Iterator[PlacedRow]:
    csv.field_size_limit(_LONGEST_CSV_FIELD)
    separator = _separator(text, separators)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    place = RowPlace("line", 1)
    try:
        columns = reader.fieldnames or ()
        _check_names(f"{source}, {place}", columns)
        place = RowPlace("line", reader.line_num + 1)
        for row in reader:
            values = len(row) if None not in row else len(columns) + 1
            if values > len(columns) or any(value is None for value in row.values()):
                raise SettingError(
                    f"{source}, {place}: expected {len(columns)} values, as in the header, got another number. "
                    f"Values are separated by {_NAMED[separator]}; put values that contain one in double quotes"
                )
            yield place, row
            place = RowPlace("line", reader.line_num + 1)  # a row's first line: fields may hold line breaks
    except csv.Error as error:
        raise SettingError(f"{source}, {place}: not CSV ({error}). Check the quotation marks") from None


_NAMED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def _separator(text: str, separators: str) -> str:
    """The separator that is most frequent in the header, outside quotation marks."""
    header = re.sub(r'"[^"\n]*"', "", text[: text.find("\n")] if "\n" in text else text)
    return max(separators, key=header.count)


def _check_names(where: str, names: Sequence[str]) -> None:
    """Refuses two columns with the same name, except empty names, which spreadsheets add."""
    twice = _twice([name for name in names if name])
    if twice is not None:
        raise SettingError(f"{where}: two columns have the same name, {twice!r:.40}. Rename or remove one")


def _twice(names: Sequence[str]) -> str | None:
    """The first name that occurs twice; None if there is none."""
    return next((name for name, times in Counter(names).items() if times > 1), None)


def _read_parquet(source: str, content: bytes, most: int) -> Iterator[PlacedRow]:
    import pyarrow
    from pyarrow import parquet

    number = taken = 0
    try:
        with parquet.ParquetFile(io.BytesIO(content)) as file:
            _check_names(source, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                taken += batch.nbytes
                if taken > most:
                    raise SettingError(f"{source} holds more than {most >> 20} MB: take a part of it")
                for row in batch.to_pylist():
                    number += 1
                    yield RowPlace("row", number), row
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise SettingError(f"{source} is not a parquet file that can be read ({first_line(error)})") from None


def first_line(error: Exception) -> str:
    """The first line of a library's error message, at most 200 characters."""
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
