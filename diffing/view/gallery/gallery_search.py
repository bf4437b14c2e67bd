"""Published diffs by typed words, in pages. The same for the gallery and for programs; knows no markup."""

import re
from dataclasses import dataclass

from diffing.errors import HubError
from diffing.outputs.dataset import PublishedDiff
from diffing.view.published_diffs import Diffs
from diffing.view.visitor import Visitor

PER_PAGE = 20
"""Diffs on one page."""
LONGEST = 200
"""Characters of a search."""
_REVISION = re.compile(r"@[^+#]*")
_MODEL = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of published diffs."""

    diffs: tuple[PublishedDiff, ...]
    """The newest first."""
    page: int
    """From 0."""
    total: int
    """Diffs that fit the words."""
    all: bool
    """Whether all published diffs were looked through, not only the newest."""

    @property
    def pages(self) -> int:
        """At least one."""
        return max(-(-self.total // PER_PAGE), 1)


def find(diffs: Diffs, words: str, page: int, visitor: Visitor) -> Found:
    """The published diffs whose models or names hold all of the words; an exact `org/name` finds every one of its.

    Args:
        diffs: Asks the Hub.
        words: Typed by somebody; empty finds all.
        page: From 0; one beyond the last is the last.
        visitor: Who asks: private ones are found for their owners.

    Raises:
        HubError: The Hub did not answer, or refuses.
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
    return Found(shown, page, len(ordered), newest.all or (tagged is not None and tagged.all))


def name_of_model(model_id: str) -> str:
    """A model's id without its commits."""
    return _REVISION.sub("", model_id)


def reason(error: HubError) -> str:
    """Why nothing can be listed, for somebody who looks at a page."""
    why = "did not answer" if error.status is None else f"answered {error.status}"
    return f"Published diffs cannot be listed now: the Hub {why}. Try again in a moment"


def _said(diff: PublishedDiff) -> str:
    models = (name_of_model(model) for model in (diff.identity.model_a, diff.identity.model_b))
    return " ".join((diff.repo_id, *models)).lower()
