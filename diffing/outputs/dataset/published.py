"""Diffs that others and we have published: found by their tags, told apart by their cards."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from huggingface_hub import HfApi
from huggingface_hub.utils import build_hf_headers, paginate  # type: ignore[attr-defined]

from diffing.hub import hub_errors
from diffing.outputs.dataset.identity import TAG, Identity, identity_in, model_tag, repositories

_MOST = 1_000
"""Datasets looked through in one search."""


@dataclass(frozen=True, slots=True)
class Published:
    """One diff on the Hub, as its card tells it."""

    repo_id: str
    """The dataset, `user/name`."""
    commit: str
    """Its head."""
    identity: Identity
    """What it compares."""
    changed: str | None
    """Day of the last commit, such as 2026-11-22, where the Hub tells it."""


def list_reports(api: HfApi, model: str | None = None) -> tuple[Published, ...]:
    """The published diffs that you may see, by name.

    Args:
        api: Asks for whoever owns its token.
        model: Only those that compare this repository, `org/name`.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    return tuple(sorted(_search(api, [TAG, *([model_tag(model)] if model else [])]), key=lambda each: each.repo_id))


def find_published(api: HfApi, wanted: Identity, *, mine: str | None = None) -> Published | None:
    """A published diff of exactly these models, commits and settings; None where there is none.

    Args:
        api: Asks for whoever owns its token.
        wanted: What is looked for.
        mine: An account whose own diffs are preferred.

    Raises:
        HubError: The Hub cannot be reached, or refuses.
    """
    names = {*repositories(wanted.model_a), *repositories(wanted.model_b)}
    if not names:
        return None
    same = [each for each in _search(api, [TAG, *sorted(map(model_tag, names))]) if each.identity == wanted]
    return min(same, key=lambda each: (each.repo_id.split("/")[0] != mine, each.repo_id), default=None)


def _search(api: HfApi, tags: list[str]) -> Iterator[Published]:
    """What the Hub lists under all of the tags, read as plain JSON.

    Not by `list_datasets`: it makes arguments of whatever a card's YAML holds, so one card with a key such as `self`
    would end every search.
    """
    headers = build_hf_headers(token=api.token, library_name="diffing")
    with hub_errors("the published diffs"):
        found = paginate(f"{api.endpoint}/api/datasets", params={"filter": tags, "full": True}, headers=headers)
        for item in islice(found, _MOST):
            match item:
                case {"id": str(repo_id), "sha": str(sha), "tags": [*given]} if set(tags) <= set(map(str, given)):
                    card = item.get("cardData")
                    identity = identity_in({**card, "tags": given}) if isinstance(card, dict) else None
                    if identity is not None:
                        changed = item.get("lastModified")
                        yield Published(repo_id, sha, identity, changed[:10] if isinstance(changed, str) else None)
