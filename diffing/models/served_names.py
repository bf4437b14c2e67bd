"""Whether two names mean one model: servers answer under other spellings of the name they were asked for."""

import re

_SNAPSHOT = re.compile(r"[-@:_](?:20\d{2}-?\d{2}-?\d{2}|\d{4}|\d{6}|latest)\Z")
"""A date at the end: of the full form, or year and month, or month and day, as older models have it."""
_DECIMAL = re.compile(r"(?<=\d)p(?=\d)")
_FILE = re.compile(r"\.(?:gguf|ggml|bin|safetensors)\Z")
_NO_WORD = re.compile(r"[^a-z0-9]+")


def same_name(asked: str, served: str) -> bool:
    """Whether two names differ in spelling alone: in the organisation, folders, punctuation or case."""
    return _joined(_plain(asked)) == _joined(_plain(served))


def same_model(asked: str, served: str) -> bool:
    """Whether a server that was asked for one name and answers under another speaks of the same model.

    Beside the spelling a snapshot's date does not matter, where only one of the two has one. All else does: `-mini`,
    `-turbo`, `-fp8` and `:70b` are other weights.
    """
    if same_name(asked, served):
        return True
    asked, served = _plain(asked), _plain(served)
    without_date = _SNAPSHOT.sub("", asked), _SNAPSHOT.sub("", served)
    one_is_dated = (without_date[0] == asked) != (without_date[1] == served)
    return one_is_dated and _joined(without_date[0]) == _joined(without_date[1])


def _plain(name: str) -> str:
    """The name in lower case without folders and endings of files."""
    last = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1].lower()
    return _DECIMAL.sub(".", _FILE.sub("", last))


def _joined(name: str) -> str:
    return _NO_WORD.sub("", name)
