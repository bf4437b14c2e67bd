"""Rows of a JSONL, CSV or parquet file, a folder or a Hub dataset, each with its place. Knows no meaning of columns.

JSONL and CSV are read with the standard library alone, so that small files load at once.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from diffing.errors import HubError, SettingError
from diffing.paths import existing, path_of

Row: TypeAlias = Mapping[str, object]

_DATASET = re.compile(
    r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^:/]+))?(?::(?P<config>[^/]+))?(?:/(?P<split>\w+(?:\.\w+)*))?",
    re.ASCII,
)
_BOM = b"\xef\xbb\xbf"
_LONGEST_CSV_FIELD = 2**31 - 1
"""Characters; the module's own limit of 131,072 is less than a long-context prompt."""


class Place(NamedTuple):
    """Where a row stands."""

    unit: str
    """`line` of a text file, `row` of a table."""
    number: int
    """Counted from 1."""

    def __str__(self) -> str:
        return f"{self.unit} {self.number}"


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read."""

    source: str
    """As the user gave it, for messages."""
    name: str
    """The file's name, or the dataset's."""
    digest: str
    """sha256 of the content, hex."""
    rows: tuple[tuple[Place, Row], ...]
    """Each row with its place."""


def read_rows(source: str) -> Rows:
    """Reads all rows.

    Args:
        source: A JSONL, CSV or parquet file, a folder of such files, or a Hub dataset
            `user/name[@revision][:config][/split]`.

    Raises:
        SettingError: No such file, a format that is not read, a malformed line.
        HubError: The Hub has no such dataset, or cannot be reached.
    """
    path = existing(source)
    if path and path.is_dir():
        return _read_dataset(source, path.name, str(path), {})
    if path and path.is_file():
        return _read_file(source, path)
    path, match = path_of(source), _DATASET.fullmatch(source)
    if path.suffix.lower() in _READERS or source.startswith((".", "/", "~")) or match is None:
        raise SettingError(
            f"{source}: there is no such file. Expected a .jsonl, .csv or .parquet file, or user/name of a Hub dataset"
        )
    from diffing.hub import check_data_files, head_of, hub_api

    parts = match.groupdict()
    api = hub_api()
    sha = head_of(api, parts["name"], repo_type="dataset", revision=parts["revision"])
    check_data_files(api, parts["name"], sha)
    return _read_dataset(source, parts["name"], parts["name"], {**parts, "revision": sha})


def _read_file(source: str, path: Path) -> Rows:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SettingError(
            f"{source}: files of responses end in {', '.join(_READERS)}, this one in {path.suffix or 'nothing'}"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingError(f"{source} cannot be read ({error.strerror}): check the file and its rights") from None
    if not content.strip():
        raise SettingError(f"{source} is empty: expected rows with a prompt and a response")
    return Rows(source, path.name, hashlib.sha256(content).hexdigest(), tuple(reader(source, content)))


def _read_jsonl(source: str, content: bytes) -> Iterator[tuple[Place, Row]]:
    # split at newlines alone: JSON text may hold the other separators that str.splitlines knows
    for number, line in enumerate(content.removeprefix(_BOM).split(b"\n"), start=1):
        if not line.strip():
            continue
        place = Place("line", number)
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
            raise SettingError(
                f"{source}, {place}: not JSON ({reason}). Every line must be one JSON object: correct or remove it"
            ) from None
        if not isinstance(row, dict):
            raise SettingError(f"{source}, {place}: expected a JSON object, got a {type(row).__name__}")
        yield place, row


def _read_csv(source: str, content: bytes) -> Iterator[tuple[Place, Row]]:
    try:
        text = content.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingError(f"{source}, line {line}: not UTF-8. Save the file as UTF-8") from None
    csv.field_size_limit(_LONGEST_CSV_FIELD)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    place = Place("line", 1)
    try:
        columns = len(reader.fieldnames or ())
        if len(set(reader.fieldnames or ())) < columns:
            raise SettingError(f"{source}, {place}: two columns have one name. Rename or remove one")
        place = Place("line", reader.line_num + 1)
        for row in reader:
            values = len(row) if None not in row else columns + len(row[None])
            if values > columns or any(value is None for value in row.values()):
                raise SettingError(
                    f"{source}, {place}: expected {columns} values, as in the header, got another number"
                )
            yield place, row
            place = Place("line", reader.line_num + 1)  # a row's first line: fields may hold line breaks
    except csv.Error as error:
        raise SettingError(f"{source}, {place}: not CSV ({error}). Check the quotation marks") from None


def _read_parquet(source: str, content: bytes) -> Iterator[tuple[Place, Row]]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(content))
    except (pyarrow.ArrowException, OSError) as error:
        raise SettingError(f"{source} is not a parquet file that can be read ({_first_line(error)})") from None
    for number, row in enumerate(table.to_pylist(), start=1):
        yield Place("row", number), row


_READERS: dict[str, Callable[[str, bytes], Iterator[tuple[Place, Row]]]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _read_dataset(source: str, name: str, path: str, parts: Mapping[str, str | None]) -> Rows:
    """Rows of a Hub dataset, or of a folder in one of the forms that `datasets` knows."""
    import datasets
    import httpx2
    from datasets import exceptions

    try:
        loaded: Any = datasets.load_dataset(path, parts.get("config"), revision=parts.get("revision"))
    except exceptions.DatasetNotFoundError:
        raise HubError(
            f"{source}: there is no such dataset on the Hub, or it is private or gated. "
            "Check the name, or run `hf auth login` with an account that may read it"
        ) from None
    except (exceptions.DatasetsError, FileNotFoundError, ValueError) as error:
        raise SettingError(f"{source} cannot be read as a dataset: {_first_line(error)}") from None
    except (OSError, httpx2.TransportError) as error:
        raise HubError(f"{source}: the Hub cannot be reached ({_first_line(error)}). Check the network") from None
    split = parts.get("split") or (next(iter(loaded)) if len(loaded) == 1 else None)
    if split not in loaded:
        raise SettingError(
            f"{source} has the splits {', '.join(loaded)}: choose one, as user/name/SPLIT, or give the file itself"
        )
    rows = tuple((Place("row", number), row) for number, row in enumerate(loaded[split], start=1))
    content = json.dumps([row for _, row in rows], sort_keys=True, default=str)
    return Rows(source, name, hashlib.sha256(content.encode()).hexdigest(), rows)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
