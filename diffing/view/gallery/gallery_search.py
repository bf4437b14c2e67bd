"""Searches published diffs by words, one page at a time, for the gallery and for the API."""

import re
from dataclasses import dataclass

from diffing.errors import HubError
from diffing.outputs.dataset import PublishedDiff
from diffing.view.published_diffs import HubDiffs
from diffing.view.visitor import Visitor

PER_PAGE = 20
"""Number of diffs on one page."""
LONGEST = 200
"""Maximum number of characters of a search."""
_REVISION = re.compile(r"@[^+#]*")
_MODEL = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class DiffPage:
    """One page of published diffs."""

    diffs: tuple[PublishedDiff, ...]
    """The diffs, the newest first."""
    page: int
    """The index of the page, from 0."""
    total: int
    """Number of matching diffs."""
    all: bool
    """Whether all published diffs were searched, not only the newest."""

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(-(-self.total // PER_PAGE), 1)


def find(diffs: HubDiffs, words: str, page: int, visitor: Visitor) -> DiffPage:
    """Finds published diffs with all words in their models' names or their own.

    An exact `org/name` finds all its diffs.

    Args:
        diffs: The diffs on the Hub.
        words: The search words of a visitor; empty finds all diffs.
        page: The index of the page, from 0. After the last page comes the last page again.
        visitor: The visitor. Private diffs are found for their owners only.

    Raises:
        HubError: The Hub does not answer, or refuses.
    """
    words = words[:LONGEST].strip()
    tagged = diffs.newest((words,), visitor) if _MODEL.fullmatch(words) else None
    newest = diffs.newest((), visitor)
    needles = words.lower().split()
    found = {each.repo_id: each for each in (tagged.diffs if tagged else ())}
    found |= {each.repo_id: each for each in newest.diffs if all(needle in _said(each) for needle in needles)}
    ordered = sorted(found.values(), key=lambda each: each.changed or "", reverse=True)
    page = min(max(page, 0), max(-(-len(ordered) // PER_PAGE) - 1, 0))
    shown = tuple(ordered[page * PER_PAGE : (page + 1) * PER_PAGE])
    return DiffPage(shown, page, len(ordered), newest.all or (tagged is not None and tagged.all))


def name_of_model(model_id: str) -> str:
    """A model's id without commits."""
    return _REVISION.sub("", model_id)


def reason(error: HubError) -> str:
    """Why nothing can be listed, in words for a visitor."""
    why = "did not answer" if error.status is None else f"answered {error.status}"
    return f"Published diffs cannot be listed now: the Hub {why}. Try again in a moment"


def _said(diff: PublishedDiff) -> str:
    models = (name_of_model(model) for model in (diff.identity.model_a, diff.identity.model_b))
    return " ".join((diff.repo_id, *models)).lower()
