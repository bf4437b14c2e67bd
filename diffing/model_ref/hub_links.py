"""Reads links to models on the Hugging Face Hub, as people copy them from a browser's address bar."""

import re
from urllib.parse import unquote

from diffing.errors import SettingError
from diffing.model_ref.ref import ModelPlace, ModelRef, is_hub_name

_LINK = re.compile(r"(?P<scheme>https?://)?(?P<host>[\w.-]+)(?::\d+)?(?:/(?P<path>.*))?", re.IGNORECASE | re.DOTALL)
_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co", "www.hf.co")
_OTHERS = {
    **{"datasets": "a dataset", "spaces": "a Space", "collections": "a collection", "papers": "a paper"},
    **{"docs": "documentation", "blog": "a blog post", "organizations": "an organization"},
}
"""First parts of the Hub's paths that lead to something other than a model."""
_REVISION = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
_AT_REVISION = ("tree", "blob", "commit", "commits", "resolve", "raw", "blame")
"""Parts of the Hub's paths after which a revision follows."""
_EXPECTED = "expected a link to a model, such as https://huggingface.co/org/name"


def read_hub_link(text: str) -> ModelRef | None:
    """Reads a link to a model, with or without `https://`, to its page, to a file or to a commit.

    The branch `main` is left out, because it is what a name without a revision means.

    Args:
        text: What was typed or pasted.

    Returns:
        The model; None if the text is not a link.

    Raises:
        SettingError: It is a link to something other than a model on the Hub.
    """
    link = _LINK.fullmatch(text.strip())
    if link is None or not (link["scheme"] or link["host"].lower() in _HOSTS):
        return None
    if link["host"].lower() not in _HOSTS:
        raise SettingError(f"This is not a link to the Hugging Face Hub: {_EXPECTED}")
    path = re.split(r"[?#]", link["path"] or "", maxsplit=1)[0]
    parts = [unquote(part) for part in path.split("/") if part]
    if parts[:1] == ["models"]:
        parts = parts[1:]
    if parts and (other := _OTHERS.get(parts[0])):
        raise SettingError(f"This is a link to {other}: {_EXPECTED}")
    name = "/".join(parts[:2])
    if len(parts) < 2 or not is_hub_name(name):
        raise SettingError(f"This link names no model: {_EXPECTED}")
    return ModelRef(ModelPlace.HUB, name, _revision(parts[2:]))


def _revision(parts: list[str]) -> str | None:
    """The revision in what follows the name; None if there is none, or if it is `main`."""
    if len(parts) < 2 or parts[0] not in _AT_REVISION:
        return None
    revision = "/".join(parts[1:4]) if parts[1] == "refs" else parts[1]
    if not _REVISION.fullmatch(revision):
        raise SettingError(f"This link names no revision of the model: {_EXPECTED}")
    return None if revision == "main" else revision
