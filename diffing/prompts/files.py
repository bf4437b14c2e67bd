"""Local files in, records out, with the place of whatever is wrong."""

from collections.abc import Iterator
from pathlib import Path

from diffing.errors import SettingError
from diffing.prompts.rows import Record, RowFilter
from diffing.rows.content import read_content, suffix_of, text_of
from diffing.rows.table_files import SUFFIXES as TABLES
from diffing.rows.table_files import read_table
from diffing.rows.turns import RowError
from diffing.types import Message

SUFFIXES = (*TABLES, ".txt")
"""The formats, by the file's name."""


def read_file(path: Path, wanted: RowFilter) -> list[Record]:
    """All prompts of a file that are wanted.

    - Tables as `diffing.rows.table_files` reads them, with the prompt in a column (see `rows`). A JSON text that
      stands for itself is a prompt.
    - `.txt`: one prompt per line.

    Empty lines are skipped. Any of them may be packed, as in `.jsonl.gz`.

    Raises:
        SettingError: The file is missing, of another format, in no known encoding, malformed (with its place), or has
            no usable column.
    """
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise SettingError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, got {suffix or 'no ending'}")
    if not path.is_file():
        raise SettingError(f"{path}: expected a file of prompts, found none; check the path")
    content = read_content(path.name, path)
    if suffix == ".txt":
        records = list(_txt(text_of(path.name, content), path.name, wanted))
    else:
        records = list(read_records(path.name, suffix, content, wanted))
    if wanted.domains is not None and not records:
        raise SettingError(f"{path.name}: expected prompts of the domains {', '.join(wanted.domains)}, got none")
    return records


def _txt(text: str, name: str, wanted: RowFilter) -> Iterator[Record]:
    """One record per line that is not empty."""
    if wanted.language is not None or wanted.domains is not None:
        raise SettingError(f"{name}: a text file has no languages and no domains to choose from; use .jsonl or .csv")
    for line in text.split("\n"):
        if line.strip():
            yield None, (Message(role="user", content=line.strip()),), None


def read_records(name: str, suffix: str, content: bytes, wanted: RowFilter) -> Iterator[Record]:
    """The prompts of a table's content that are wanted.

    Raises:
        SettingError: A row is malformed or no prompt; with its place.
    """
    for place, row in read_table(name, suffix, content, bare=wanted.column or "prompt"):
        try:
            record = wanted.record(row)
        except (RowError, SettingError) as error:
            raise SettingError(f"{name}, {place}: {error}") from None
        if record is not None:
            yield record
