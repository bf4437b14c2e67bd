"""Local files in, records out, with the line of whatever is wrong. Reads with the standard library alone."""

import csv
import json
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path

from diffing.errors import SettingError
from diffing.prompts.rows import Record, RowError, RowFilter
from diffing.types import Message

SUFFIXES = (".jsonl", ".csv", ".txt")
"""The formats, by the file's name."""


def read_file(path: Path, wanted: RowFilter) -> list[Record]:
    """All prompts of a file that are wanted.

    - `.jsonl`: one object per line, with the prompt in a column (see `rows`), or one JSON string per line.
    - `.csv`: with a header.
    - `.txt`: one prompt per line.

    Empty lines are skipped.

    Raises:
        SettingError: The file is missing, of another format, not UTF-8, malformed (with its line), or has no usable
            column.
    """
    readers = {".jsonl": read_jsonl, ".csv": _csv, ".txt": _txt}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SettingError(
            f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, got {path.suffix or 'no ending'}"
        )
    records = list(reader(StringIO(_text(path), newline=""), path.name, wanted))
    if wanted.domains is not None and not records:
        raise SettingError(f"{path.name}: expected prompts of the domains {', '.join(wanted.domains)}, got none")
    return records


def _text(path: Path) -> str:
    """The whole file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SettingError(f"{path}: expected a file of prompts, found none; check the path") from None
    except OSError as error:
        raise SettingError(f"{path}: expected a readable file of prompts, got: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingError(
            f"{path.name}, line {line}: expected UTF-8, got other bytes; save the file as UTF-8"
        ) from None


def read_jsonl(lines: Iterable[str], name: str, wanted: RowFilter) -> Iterator[Record]:
    """Records of JSON Lines.

    Raises:
        SettingError: A line is malformed.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise SettingError(
                f"{name}, line {number}: expected one JSON object, got malformed JSON ({reason})"
            ) from None
        if isinstance(row, str):
            row = {wanted.column or "prompt": row}
        if not isinstance(row, dict):
            raise SettingError(f"{name}, line {number}: expected one JSON object, got {type(row).__name__}")
        yield from _record(row, f"{name}, line {number}", wanted)


def _csv(lines: Iterable[str], name: str, wanted: RowFilter) -> Iterator[Record]:
    """Records of a CSV file with a header."""
    reader = csv.DictReader(lines, restkey=None, restval="", strict=True)
    try:
        for row in reader:
            if None in row:
                raise SettingError(
                    f"{name}, line {reader.line_num}: expected {len(reader.fieldnames or ())} fields as in the header, "
                    "got more; put fields with commas in double quotes"
                )
            yield from _record(row, f"{name}, line {reader.line_num}", wanted)
    except csv.Error as error:
        # the line that could not be read: DictReader counts only those it could
        raise SettingError(f"{name}, line {reader.reader.line_num}: expected CSV, got: {error}") from None


def _txt(lines: Iterable[str], name: str, wanted: RowFilter) -> Iterator[Record]:
    """One record per line that is not empty."""
    if wanted.language is not None or wanted.domains is not None:
        raise SettingError(f"{name}: a text file has no languages and no domains to choose from; use .jsonl or .csv")
    for line in lines:
        if line.strip():
            yield None, (Message(role="user", content=line.strip()),), None


def _record(row: dict[str, object], place: str, wanted: RowFilter) -> Iterator[Record]:
    """The record of a row, if it is wanted, with its place in the error if it is none."""
    try:
        record = wanted.record(row)
    except (RowError, SettingError) as error:
        raise SettingError(f"{place}: {error}") from None
    if record is not None:
        yield record
