"""`Corpus`, texts from outside the run on which a dictionary is trained: a Hub dataset or a file, streamed."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange
from diffing.methods.inside.corpus_files import CONVERSATION_COLUMNS, TEXT_COLUMN, file_rows
from diffing.methods.inside.response_tokens import LONGEST_DOCUMENT
from diffing.paths import existing
from diffing.prompts.hub import open_dataset
from diffing.prompts.split import fold
from diffing.rows.column_names import find_column, listed
from diffing.rows.turns import RowError, message_of, turns_in
from diffing.types import Message, Prompt

_LONGEST_TEXT = 16 * LONGEST_DOCUMENT
"""The largest number of characters of a document that are tokenized."""
_LONGEST_CONVERSATION = 1_000_000
"""The largest number of characters of a conversation; no model reads longer ones."""

CorpusRow: TypeAlias = Mapping[str, object] | RowError


def open_corpus(source: str, excluded: Collection[str] = ()) -> "Corpus":
    """Finds a corpus; its texts are read when they are needed.

    Args:
        source: `org/name[@revision][:config][/split]` on the Hub, or a file (JSON Lines, parquet, text) with the column
            `text` or `messages`.
        excluded: Prompts as `fold` returns them, such as those of held-out: texts with one of them are left out.

    Raises:
        SettingError: There is no such file or dataset.
        HubError: The dataset is missing, private, gated, or the Hub cannot be reached.
    """
    path = existing(source)
    if path is not None and not path.is_dir():
        next(iter(file_rows(path)), None)  # refuses what is no such file before models are loaded
        return Corpus(path.name, _digest(path), lambda: file_rows(path), frozenset(excluded), local=True)
    dataset = open_dataset(source)
    content = dataset.name if path is None else _folder_digest(path)
    return Corpus(dataset.name, content, dataset.rows, frozenset(excluded), local=False)


def open_corpora(sources: Iterable[str], heldout: Iterable[Prompt]) -> "list[Corpus]":
    """Finds the corpora of a run, without texts that contain a message of a held-out prompt.

    Args:
        sources: As for `open_corpus`.
        heldout: The held-out prompts.

    Raises:
        SettingError, HubError: As for `open_corpus`.
    """
    excluded = {fold(message.content) for prompt in heldout for message in prompt.messages}
    return [open_corpus(source, excluded) for source in sources]


class Corpus:
    """Texts in the order of their dataset."""

    def __init__(
        self,
        name: str,
        identity: str,
        rows: Callable[[], Iterable[CorpusRow]],
        excluded: frozenset[str],
        *,
        local: bool,
    ) -> None:
        """Takes where rows come from.

        Args:
            name: The dataset or file, for messages.
            identity: Its commit, or a hash of its content.
            rows: Returns all rows, from the beginning.
            excluded: Folded prompts; texts with one of them are left out.
            local: Whether it can be read twice at no cost.
        """
        self.name = name
        """The dataset or file, for messages."""
        self.local = local
        """Whether it can be read twice at no cost."""
        self.skipped: Counter[str] = Counter()
        """The number of rows left out when it was last read, by reason."""
        self._identity = identity
        self._rows = rows
        self._excluded = excluded

    @property
    def identity(self) -> str:
        """A hash of the texts: the dataset's commit or the file's content, and the prompts that are left out."""
        return hashlib.sha256("\n".join([self._identity, *sorted(self._excluded)]).encode()).hexdigest()

    def exchanges(self) -> Iterator[Exchange]:
        """Yields every assistant turn of the conversations with the turns before it, and every document.

        A document is an exchange with no conversation.

        Raises:
            SettingError: There is no column `text` or `messages`, or the file cannot be read.
            HubError: The dataset cannot be read.
        """
        self.skipped.clear()
        for row in self._rows():
            if isinstance(row, RowError):
                self.skipped[f"rows that cannot be read: {row}"] += 1
                continue
            try:
                found = self._exchanges(row)
            except RowError:
                self.skipped["rows without a text or conversation"] += 1
                continue
            yield from found

    def _exchanges(self, row: Mapping[str, object]) -> list[Exchange]:
        column = find_column(row, CONVERSATION_COLUMNS)
        if column is not None:
            messages = _messages(row[column], column)
            if self._leaves_out([message.content for message in messages if message.role == "user"]):
                return []
            answers = [place for place, message in enumerate(messages) if message.role == "assistant" and place]
            return [Exchange(tuple(messages[:place]), messages[place].content) for place in answers]
        column = find_column(row, (TEXT_COLUMN,))
        if column is None:
            raise SettingError(f"{self.name}: expected a column text or messages, got {listed(row)}")
        text = row[column]
        if not isinstance(text, str) or not text.strip():
            raise RowError("no text")
        text = text[:_LONGEST_TEXT]
        return [] if self._leaves_out([text]) else [Exchange((), text)]

    def _leaves_out(self, prompts: Iterable[str]) -> bool:
        held_out = any(fold(prompt) in self._excluded for prompt in prompts)
        self.skipped["texts with a held-out prompt"] += held_out
        return held_out


def _messages(value: object, column: str) -> list[Message]:
    turns = turns_in(value, column)
    if turns is None:
        raise RowError("a text instead of messages")
    messages = [message_of(turn, column) for turn in turns]
    if sum(len(message.content) for message in messages) > _LONGEST_CONVERSATION:
        raise RowError("too long a conversation")
    return messages


def _folder_digest(folder: Path) -> str:
    """A hash of the names, sizes and times of a folder's files, which may be too many to read them all."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    parts = [(str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
