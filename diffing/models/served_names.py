"""Compares the model name in a server's answer with the requested name, since servers spell names differently."""

import re

_SNAPSHOT = re.compile(r"[-@:_](?:20\d{2}-?\d{2}-?\d{2}|\d{4}|\d{6}|latest)\Z")
"""A date at the end of a name: full, or month and day or year and month, as in names of older models."""
_DECIMAL = re.compile(r"(?<=\d)p(?=\d)")
_FILE = re.compile(r"\.(?:gguf|ggml|bin|safetensors)\Z")
_NO_WORD = re.compile(r"[^a-z0-9]+")


def same_name(asked: str, served: str) -> bool:
    """Whether two names differ only in their spelling: in organisation, folders, punctuation or case."""
    return _joined(_plain(asked)) == _joined(_plain(served))


def same_model(asked: str, served: str) -> bool:
    """Whether the requested and the served name mean the same model.

    Differences in spelling are ignored, and so is the date of a snapshot if only one of the names has one. Everything
    else matters: `-mini`, `-turbo`, `-fp8` and `:70b` are different weights.
    """
    if same_name(asked, served):
        return True
    asked, served = _plain(asked), _plain(served)
    without_date = _SNAPSHOT.sub("", asked), _SNAPSHOT.sub("", served)
    one_is_dated = (without_date[0] == asked) != (without_date[1] == served)
    return one_is_dated and _joined(without_date[0]) == _joined(without_date[1])


def _plain(name: str) -> str:
    """The name in lower case without folders and file endings."""
    last = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1].lower()
    return _DECIMAL.sub(".", _FILE.sub("", last))


def _joined(name: str) -> str:
    return _NO_WORD.sub("", name)
