"""HTML of the gallery. Everything it returns comes from templates that escape every text: cards are anybody's words."""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from diffing.outputs.dataset import PublishedDiff
from diffing.outputs.html import environment
from diffing.rendering import templates_of
from diffing.view.examples import EXAMPLES
from diffing.view.gallery.gallery_search import LONGEST, PER_PAGE, Found, name_of_model
from diffing.view.page_query import Address

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST_NAME = 120
"""Characters of a name that are shown; the Hub's own have at most 96 on each side of the slash."""


def page(words: str) -> str:
    """The gallery, whose list is still to be asked for.

    Args:
        words: What is searched for at first.
    """
    template = _templates().get_template("gallery.html.jinja")
    return template.render(words=words[:LONGEST], examples=EXAMPLES, longest=LONGEST, link=_of_example)


def listed(found: Found, words: str) -> str:
    """One page of the list.

    Args:
        found: The diffs.
        words: What was searched for.
    """
    template = _templates().get_template("list.html.jinja")
    return template.render(
        found=found, first=found.page * PER_PAGE + 1, words=words[:LONGEST], told=told(found, words), link=_of_diff
    )


def told(found: Found, words: str) -> str:
    """How many there are, in words.

    Args:
        found: The diffs.
        words: What was searched for.
    """
    number = f"{found.total:,} published diff{'' if found.total == 1 else 's'}"
    return f"{number} found" if words.strip() else number


def problem(text: str) -> str:
    """Why there is no list, with a way to try again."""
    return _templates().get_template("problem.html.jinja").render(text=text)


def _of_example(key: str) -> str:
    return Address("example", key).query


def _of_diff(diff: PublishedDiff) -> str:
    return Address("diff", diff.repo_id).query


def _model(model_id: str) -> str:
    name = name_of_model(model_id)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def _day(text: str | None) -> str:
    """A day in words; empty where the text is none."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return ""
    return f"{day.day} {day:%B} {day.year}"


@lru_cache(1)
def _templates() -> "Environment":
    templates = environment(templates_of(__package__, "shown"))
    templates.filters |= {"model": _model, "day": _day}
    return templates
