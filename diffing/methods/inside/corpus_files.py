"""Reads the rows of a local corpus (JSON Lines, parquet or text) one by one, each bounded before it is parsed."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

from diffing.errors import SettingError
from diffing.rows.content import check_regular, suffix_of
from diffing.rows.table_files import first_line, loads
from diffing.rows.turns import RowError

SUFFIXES = (".jsonl", ".ndjson", ".parquet", ".txt")
"""The file endings of the supported formats."""
CONVERSATION_COLUMNS = ("messages", "conversation", "conversations")
"""Possible names of the column that holds a conversation."""
TEXT_COLUMN = "text"
"""The name of the column that holds a document."""
COLUMNS = (*CONVERSATION_COLUMNS, TEXT_COLUMN)
"""The columns that are read."""
_LONGEST_LINE = 4_000_000
"""The largest size of a line in bytes; what follows is not parsed."""
_ROWS_AT_ONCE = 64
_LARGEST_BATCH = 1 << 28
"""The largest size in bytes of 64 rows of a parquet file, in which one stored value can appear in millions of rows."""


def file_rows(path: Path) -> Iterator[Mapping[str, object] | RowError]:
    """Yields the rows of a file; a row that cannot be used is yielded as its error.

    - JSON Lines: one object per line.
    - parquet.
    - text: one text per line, as the column `text`.

    JSON Lines and text may be packed with gzip, as in `.jsonl.gz`.

    Raises:
        SettingError: The file is missing, in another format, or cannot be read.
    """
    check_regular(path.name, path)
    suffix = suffix_of(path)
    if suffix not in SUFFIXES or not path.is_file():
        raise SettingError(f"{path.name}: expected a Hub dataset or a file that ends in {', '.join(SUFFIXES)}")
    try:
        yield from _parquet_rows(path) if suffix == ".parquet" else _line_rows(path, json=suffix != ".txt")
    except (OSError, EOFError, zlib.error) as error:
        raise SettingError(f"{path.name} cannot be read ({first_line(error)}): get the file again") from None


def _line_rows(path: Path, *, json: bool) -> Iterator[Mapping[str, object] | RowError]:
    packed = path.suffix.lower() == ".gz"
    with cast("BinaryIO", gzip.open(path) if packed else path.open("rb")) as file:
        while line := file.readline(_LONGEST_LINE + 1):
            if len(line) > _LONGEST_LINE:
                _skip_line(file)
                yield RowError("longer than 4 MB")
            elif line.strip():
                yield _parsed(line) if json else {"text": line.decode(errors="replace").strip()}


def _skip_line(file: BinaryIO) -> None:
    while (part := file.readline(_LONGEST_LINE)) and not part.endswith(b"\n"):
        pass


def _parsed(line: bytes) -> Mapping[str, object] | RowError:
    try:
        row = loads(line.decode())
    except (ValueError, RecursionError):
        return RowError("not JSON")
    return row if isinstance(row, dict) else RowError("no JSON object")


def _parquet_rows(path: Path) -> Iterator[Mapping[str, object]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            columns = [name for name in file.schema_arrow.names if name.casefold() in COLUMNS]
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns or None):
                if batch.nbytes > _LARGEST_BATCH:
                    raise SettingError(f"{path.name} holds rows of more than 4 MB: expected texts")
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, ValueError) as error:
        raise SettingError(f"{path.name} is not a parquet file that can be read ({first_line(error)})") from None
