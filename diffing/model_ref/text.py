"""Text in which a model may be named beside other things: a setting, a list of specs, what somebody is typing."""

import re
from collections.abc import Iterator

from diffing.paths import existing

_SERVER = re.compile(r"(openai:[^\s,]+?)@https?://[^\s,]*")
_BEFORE_TYPED = re.compile(r"(?:.*\+|\s*providers:)?")


def without_addresses(text: str) -> str:
    """A text that names models, such as a list of specs, without the addresses of servers."""
    return _SERVER.sub(r"\1", text)


def without_folders(value: str) -> str:
    """A model string or a path as a report tells it: the report may be published, the way to its files may not.

    Args:
        value: A setting that may name a file or a folder.
    """
    prefix, path = _prefix_and_path(value)
    parts = [path] if existing(path) else path.split("+")
    return prefix + "+".join(found.name if (found := existing(part)) else part for part in parts)


def possible_paths(value: str) -> Iterator[str]:
    """Everything in a model string or a path that could be taken for the name of a file or folder.

    Args:
        value: A setting that may name a file or a folder.
    """
    path = _prefix_and_path(value)[1]
    yield path
    yield from path.split("+")


def without_revision(name: str) -> str:
    """What stands before the first `@` or `:`: libraries prefer a folder of a repository's name."""
    return re.split("[@:]", name, maxsplit=1)[0]


def being_typed(text: str) -> tuple[str, str]:
    """What stands before the name of a Hub model that somebody is typing, and the name so far.

    `providers:org/na` and `org/base+org/na` both end in `org/na`.
    """
    before = _BEFORE_TYPED.match(text)[0]  # type: ignore[index]  # it matches anything
    return before, text[len(before) :].strip().partition("@")[0]


def file_name_of(spec: str) -> str:
    """The last piece of a model string, whatever it is, for the name of a file; may hold any sign but `/` and `:`."""
    return spec.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _prefix_and_path(value: str) -> tuple[str, str]:
    prefix = next((each for each in ("recorded:", "local:") if value.startswith(each)), "")
    return prefix, value.removeprefix(prefix)
