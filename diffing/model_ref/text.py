"""Removes addresses, folders and revisions from model strings before they are stored, and splits partly typed ones."""

import re
from collections.abc import Iterator

from diffing.paths import existing

_WORD = re.compile(r"[^\s,]+")
_ADDRESS = re.compile("@https?://")
_SERVER = "openai:"
_BEFORE_TYPED = re.compile(r"(?:.*\+|\s*providers:)?")


def without_addresses(text: str) -> str:
    """Removes the addresses of servers from a text that names models, such as a list of specs."""
    return _WORD.sub(_without_address, text)


def without_folders(value: str) -> str:
    """Removes the folders from a model string or path, for reports, which may be published.

    Args:
        value: A setting that may name a file or a folder.
    """
    prefix, path = _prefix_and_path(value)
    parts = [path] if existing(path) else path.split("+")
    return prefix + "+".join(file.name if (file := existing(part)) else part for part in parts)


def possible_paths(value: str) -> Iterator[str]:
    """Yields every part of a model string or path that could be the name of a file or folder.

    Args:
        value: A setting that may name a file or a folder.
    """
    path = _prefix_and_path(value)[1]
    yield path
    yield from path.split("+")


def without_revision(name: str) -> str:
    """The part of a name before the first `@` or `:`, which libraries would take for a folder if one exists."""
    return re.split("[@:]", name, maxsplit=1)[0]


def being_typed(text: str) -> tuple[str, str]:
    """Splits a partly typed model string into its beginning and the Hub name that is being typed.

    For example, `providers:org/na` and `org/base+org/na` both end in `org/na`.
    """
    before = _BEFORE_TYPED.match(text)[0]  # type: ignore[index]  # it matches anything
    return before, text[len(before) :].strip().partition("@")[0]


def file_name_of(spec: str) -> str:
    """The last part of a model string, for the name of a file; it contains no `/` and no `:`."""
    return spec.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _without_address(word: re.Match[str]) -> str:
    """The word up to the address that follows a server's model, found without reading the word twice."""
    spec = word[0]
    server = spec.find(_SERVER)
    address = _ADDRESS.search(spec, server + len(_SERVER) + 1) if server >= 0 else None
    return spec[: address.start()] if address else spec


def _prefix_and_path(value: str) -> tuple[str, str]:
    prefix = next((each for each in ("recorded:", "local:") if value.startswith(each)), "")
    return prefix, value.removeprefix(prefix)
