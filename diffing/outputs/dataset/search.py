"""Diffs that others and we have published: found by their tags, told apart by their cards."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx2
from huggingface_hub import HfApi, get_session
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, paginate  # type: ignore[attr-defined]

from diffing.hub import hub_errors
from diffing.model_ref import read_ref
from diffing.outputs.dataset.identity import ENTRY, TAG, Identity, identity_in, model_tag

_MOST = 1_000
"""Datasets looked through in one search."""
_NEWEST = 500
"""Datasets looked through for somebody who waits."""
_AT_ONCE = 100
"""Datasets in one answer."""
_FEW = 10
"""The same, where those together are more than is read."""
_MOST_BYTES = 5_000_000
"""Of one answer: a hundred cards have a tenth, but strangers write them, and they are read at one go."""


@dataclass(frozen=True, slots=True)
class PublishedDiff:
    """One diff on the Hub, as its card tells it."""

    repo_id: str
    """The dataset, `user/name`."""
    commit: str
    """Its head."""
    identity: Identity
    """What it compares."""
    changed: str | None
    """Day of the last commit, such as 2026-11-22, where the Hub tells it."""
    private: bool = False
    """Whether only its owner can read it."""
    prompts: int | None = None
    """Prompts that both models answered, where its card tells it."""
    findings: int | None = None
    """Findings, where its card tells it."""
    confirmed: int | None = None
    """Those of them that are confirmed, where its card tells it."""


@dataclass(frozen=True, slots=True)
class NewestDiffs:
    """The latest published diffs."""

    diffs: tuple[PublishedDiff, ...]
    """The newest first."""
    all: bool
    """Whether there are no others."""


def list_reports(api: HfApi, model: str | None = None) -> tuple[PublishedDiff, ...]:
    """The published diffs that you may see, by name.

    Args:
        api: Asks for whoever owns its token.
        model: Only those that compare this repository, `org/name`.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    return tuple(sorted(_search(api, [TAG, *([model_tag(model)] if model else [])]), key=lambda each: each.repo_id))


def find_published(api: HfApi, wanted: Identity, *, mine: str | None = None) -> PublishedDiff | None:
    """A published diff of exactly these models, commits and settings; None where there is none.

    Args:
        api: Asks for whoever owns its token.
        wanted: What is looked for.
        mine: An account whose own diffs are preferred.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    names = {name for id_ in (wanted.model_a, wanted.model_b) for name in read_ref(id_).repositories}
    if not names:
        return None
    same = [each for each in _search(api, [TAG, *sorted(map(model_tag, names))]) if each.identity == wanted]
    return min(same, key=lambda each: (each.repo_id.split("/")[0] != mine, each.repo_id), default=None)


def newest_reports(api: HfApi, models: Sequence[str] = (), *, seconds: float) -> NewestDiffs:
    """The latest published diffs that the owner of the client's token may see, in bounded time.

    Args:
        api: Asks for whoever owns its token.
        models: Only those that compare all of these repositories, `org/name`.
        seconds: After which what was found until then is all.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    tags, end = [TAG, *map(model_tag, models)], time.monotonic() + seconds
    # named one by one: all of it would bring the list of every dataset's files
    fields = ["cardData", "lastModified", "private", "sha", "tags"]
    asked = {"filter": tags, "expand": fields, "sort": "lastModified", "limit": _AT_ONCE}
    url: str | None = str(httpx2.URL(f"{api.endpoint}/api/datasets", params=asked))
    headers, found, seen = build_hf_headers(token=api.token, library_name="diffing"), list[PublishedDiff](), 0
    with hub_errors("the published diffs"):
        while url and seen < _NEWEST and (left := end - time.monotonic()) > 0:
            items, after = _page(url, headers, left)
            if items is None and (smaller := _fewer(url)) is not None:
                url = smaller  # a card of some megabytes hides few others
                continue
            found += [each for item in items or () if (each := _read(item, tags)) is not None]
            url, seen = after, seen + (_FEW if items is None else len(items))
    return NewestDiffs(tuple(sorted(found, key=lambda each: each.changed or "", reverse=True)), all=url is None)


def _page(url: str, headers: dict[str, str], seconds: float) -> tuple[list[Any] | None, str | None]:
    """Datasets, None where they are more than is read at once, and where the next ones are."""
    body = bytearray()
    with get_session().stream("GET", url, headers=headers, timeout=seconds) as answer:
        if answer.is_error:
            answer.read()
        hf_raise_for_status(answer)
        after = answer.links.get("next", {}).get("url")
        end = time.monotonic() + seconds
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > _MOST_BYTES or time.monotonic() > end:
                return None, after
    read = json.loads(body)
    return read if isinstance(read, list) else [], after


def _fewer(url: str) -> str | None:
    """The same question for fewer datasets; None where it is for so few already."""
    asked = httpx2.URL(url)
    return None if asked.params.get("limit") == str(_FEW) else str(asked.copy_set_param("limit", _FEW))


def _search(api: HfApi, tags: list[str]) -> Iterator[PublishedDiff]:
    """What the Hub lists under all of the tags, read as plain JSON.

    Not by `list_datasets`: it makes arguments of whatever a card's YAML holds, so one card with a key such as `self`
    would end every search.
    """
    headers = build_hf_headers(token=api.token, library_name="diffing")
    with hub_errors("the published diffs"):
        found = paginate(f"{api.endpoint}/api/datasets", params={"filter": tags, "full": True}, headers=headers)
        for item in islice(found, _MOST):
            if (published := _read(item, tags)) is not None:
                yield published


def _read(item: Any, tags: list[str]) -> PublishedDiff | None:  # noqa: ANN401  plain JSON
    """One dataset of the list; None where it is not one of ours under all of the tags."""
    match item:
        case {"id": str(repo_id), "sha": str(sha), "tags": [*given], "cardData": {**card}} if set(tags) <= set(
            map(str, given)
        ):
            identity = identity_in({**card, "tags": given})
            if identity is None:
                return None
            changed = item.get("lastModified")
            day = changed[:10] if isinstance(changed, str) else None
            told: Any = card[ENTRY]
            numbers = (_count(told.get(name)) for name in ("prompts", "findings", "confirmed"))
            return PublishedDiff(repo_id, sha, identity, day, item.get("private") is True, *numbers)
    return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
