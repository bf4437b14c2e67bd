"""Reads prompts from a local file (a table or a text file); errors name the line or row."""

from collections.abc import Iterator
from pathlib import Path

from diffing.errors import SettingError
from diffing.prompts.prompt_rows import Record, RowFilter
from diffing.rows.content import check_regular, read_content, suffix_of, text_of
from diffing.rows.table_files import SUFFIXES as TABLES
from diffing.rows.table_files import read_table
from diffing.rows.turns import RowError
from diffing.types import Message

SUFFIXES = (*TABLES, ".txt")
"""The file endings of the supported formats."""


def read_file(path: Path, row_filter: RowFilter) -> list[Record]:
    """Reads the prompts of a file that pass the filter.

    - Tables are read by `diffing.rows.table_files`, with the prompt in a column (see `diffing.prompts.prompt_rows`). A
      JSON string in place of an object is a prompt.
    - `.txt` files have one prompt per line.

    Empty lines are skipped. Any file may be packed with gzip, as in `.jsonl.gz`.

    Raises:
        SettingError: The file is missing, malformed, in another format or encoding, or has no usable column.
    """
    check_regular(str(path), path)
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise SettingError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, got {suffix or 'no ending'}")
    if not path.is_file():
        raise SettingError(f"{path}: expected a file of prompts, found none; check the path")
    content = read_content(path.name, path)
    if suffix == ".txt":
        records = list(_txt(text_of(path.name, content), path.name, row_filter))
    else:
        records = list(read_records(path.name, suffix, content, row_filter))
    if row_filter.domains is not None and not records:
        raise SettingError(f"{path.name}: expected prompts of the domains {', '.join(row_filter.domains)}, got none")
    return records


def _txt(text: str, name: str, row_filter: RowFilter) -> Iterator[Record]:
    """One record per line that is not empty."""
    if row_filter.language is not None or row_filter.domains is not None:
        raise SettingError(f"{name}: a text file has no languages and no domains to choose from; use .jsonl or .csv")
    for line in text.split("\n"):
        if line.strip():
            yield None, (Message(role="user", content=line.strip()),), None


def read_records(name: str, suffix: str, content: bytes, row_filter: RowFilter) -> Iterator[Record]:
    """Reads the prompts of a table that pass the filter.

    Raises:
        SettingError: A row is malformed or contains no prompt; the message names the line or row.
    """
    for place, row in read_table(name, suffix, content, bare=row_filter.column or "prompt"):
        try:
            record = row_filter.record(row)
        except (RowError, SettingError) as error:
            raise SettingError(f"{name}, {place}: {error}") from None
        if record is not None:
            yield record
