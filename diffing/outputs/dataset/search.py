"""Searches the Hub for published diffs by their tags, and reads their models and settings from their cards."""

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
from diffing.outputs.dataset.identity import ENTRY, TAG, RunIdentity, identity_in, model_tag

_MOST = 1_000
"""Maximum number of datasets in one search."""
_NEWEST = 500
"""Maximum number of datasets in a search with a time limit."""
_AT_ONCE = 100
"""Datasets per page of results."""
_FEW = 10
"""Datasets per page if a page of `_AT_ONCE` is larger than `_MOST_BYTES`."""
_MOST_BYTES = 5_000_000
"""Maximum size of a page of results. A hundred cards usually take a tenth of it, but strangers write them."""


@dataclass(frozen=True, slots=True)
class PublishedDiff:
    """One published diff on the Hub, as its card describes it."""

    repo_id: str
    """The dataset, `user/name`."""
    commit: str
    """Its latest commit."""
    identity: RunIdentity
    """Its models and settings."""
    changed: str | None
    """Day of the latest commit, such as 2026-11-22; None if the Hub does not say."""
    private: bool = False
    """Whether only its owner can read it."""
    prompts: int | None = None
    """The number of prompts that both models answered; None if its card does not say."""
    findings: int | None = None
    """The number of findings; None if its card does not say."""
    confirmed: int | None = None
    """The number of confirmed findings; None if its card does not say."""
    differences: int | None = None
    """The number of confirmed differences, each a line of findings; None if its card does not say."""


@dataclass(frozen=True, slots=True)
class NewestDiffs:
    """The result of a search for the latest published diffs."""

    diffs: tuple[PublishedDiff, ...]
    """The diffs, the newest first."""
    all: bool
    """Whether the search was complete, so that there are no others."""


def list_reports(api: HfApi, model: str | None = None) -> tuple[PublishedDiff, ...]:
    """Lists the published diffs that the account may see, sorted by name.

    Args:
        api: A Hub client for the account.
        model: Lists only diffs that compare this repository, `org/name`.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    return tuple(sorted(_search(api, [TAG, *([model_tag(model)] if model else [])]), key=lambda each: each.repo_id))


def find_published(api: HfApi, identity: RunIdentity, *, mine: str | None = None) -> PublishedDiff | None:
    """Finds a published diff of exactly these models, commits and settings; returns None if there is none.

    Args:
        api: A Hub client for the account that searches.
        identity: The models, commits and settings to look for.
        mine: An account whose own diffs are preferred.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    names = {name for id_ in (identity.model_a, identity.model_b) for name in read_ref(id_).repositories}
    if not names:
        return None
    same = [each for each in _search(api, [TAG, *sorted(map(model_tag, names))]) if each.identity == identity]
    return min(same, key=lambda each: (each.repo_id.split("/")[0] != mine, each.repo_id), default=None)


def newest_reports(api: HfApi, models: Sequence[str] = (), *, seconds: float) -> NewestDiffs:
    """Finds the latest published diffs that the account may see, in bounded time.

    Args:
        api: A Hub client for the account.
        models: Finds only diffs that compare all of these repositories, `org/name`.
        seconds: Time limit; the search then returns what it has found so far.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    tags, end = [TAG, *map(model_tag, models)], time.monotonic() + seconds
    # an explicit list, because the full answer would contain the list of every dataset's files
    fields = ["cardData", "lastModified", "private", "sha", "tags"]
    query = {"filter": tags, "expand": fields, "sort": "lastModified", "limit": _AT_ONCE}
    url: str | None = str(httpx2.URL(f"{api.endpoint}/api/datasets", params=query))
    headers, found, seen = build_hf_headers(token=api.token, library_name="diffing"), list[PublishedDiff](), 0
    with hub_errors("the published diffs"):
        while url and seen < _NEWEST and (left := end - time.monotonic()) > 0:
            items, after = _page(url, headers, left)
            if items is None and (smaller := _fewer(url)) is not None:
                url = smaller  # so that one huge card hides only a few others
                continue
            found += [each for item in items or () if (each := _read(item, tags)) is not None]
            url, seen = after, seen + (_FEW if items is None else len(items))
    return NewestDiffs(tuple(sorted(found, key=lambda each: each.changed or "", reverse=True)), all=url is None)


def _page(url: str, headers: dict[str, str], seconds: float) -> tuple[list[Any] | None, str | None]:
    """Fetches one page of datasets and the URL of the next page; the datasets are None if it cannot be read."""
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
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None, after
    return read if isinstance(read, list) else [], after


def _fewer(url: str) -> str | None:
    """Returns the URL of the same query with fewer datasets per page; None if it asks for so few already."""
    query = httpx2.URL(url)
    return None if query.params.get("limit") == str(_FEW) else str(query.copy_set_param("limit", _FEW))


def _search(api: HfApi, tags: list[str]) -> Iterator[PublishedDiff]:
    """Yields the diffs that the Hub lists under all of the tags.

    It reads plain JSON instead of calling `list_datasets`, which passes the keys of a card's YAML as arguments, so that
    one card with a key such as `self` would make every search fail.
    """
    headers = build_hf_headers(token=api.token, library_name="diffing")
    with hub_errors("the published diffs"):
        found = paginate(f"{api.endpoint}/api/datasets", params={"filter": tags, "full": True}, headers=headers)
        for item in islice(found, _MOST):
            if (published := _read(item, tags)) is not None:
                yield published


def _read(item: Any, tags: list[str]) -> PublishedDiff | None:  # noqa: ANN401  plain JSON
    """Reads one dataset of the list; returns None if it is not a published diff with all of the tags."""
    match item:
        case {"id": str(repo_id), "sha": str(sha), "tags": [*given], "cardData": {**card}} if set(tags) <= set(
            map(str, given)
        ):
            identity = identity_in({**card, "tags": given})
            if identity is None:
                return None
            changed = item.get("lastModified")
            day = changed[:10] if isinstance(changed, str) else None
            entry: Any = card[ENTRY]
            numbers = (_count(entry.get(name)) for name in ("prompts", "findings", "confirmed", "differences"))
            return PublishedDiff(repo_id, sha, identity, day, item.get("private") is True, *numbers)
    return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None
