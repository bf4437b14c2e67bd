"""Renders the gallery as HTML, with templates that escape every text, since anybody can publish a diff."""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from diffing.outputs.dataset import PublishedDiff
from diffing.outputs.html import environment
from diffing.rendering import templates_of
from diffing.view.examples import EXAMPLES
from diffing.view.gallery.gallery_search import LONGEST, PER_PAGE, DiffPage, name_of_model
from diffing.view.page_query import PageAddress

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST_NAME = 120
"""Maximum number of characters of a name that are shown. Names on the Hub have at most 96 on each side of the slash."""


def page(words: str) -> str:
    """Renders the gallery without its list, which the script requests.

    Args:
        words: The initial search words.
    """
    template = _templates().get_template("gallery.html.jinja")
    return template.render(words=words[:LONGEST], examples=EXAMPLES, longest=LONGEST, link=_of_example)


def listed(found: DiffPage, words: str) -> str:
    """Renders one page of the list.

    Args:
        found: The page of diffs.
        words: The search words.
    """
    template = _templates().get_template("list.html.jinja")
    return template.render(
        found=found,
        first=found.page * PER_PAGE + 1,
        words=words[:LONGEST],
        count_text=count_text(found, words),
        link=_of_diff,
    )


def count_text(found: DiffPage, words: str) -> str:
    """The number of diffs in words.

    Args:
        found: A page of diffs.
        words: The search words.
    """
    number = f"{found.total:,} published diff{'' if found.total == 1 else 's'}"
    return f"{number} found" if words.strip() else number


def problem(text: str) -> str:
    """Renders why there is no list, with a button to try again."""
    return _templates().get_template("problem.html.jinja").render(text=text)


def _of_example(key: str) -> str:
    return PageAddress("example", key).query


def _of_diff(diff: PublishedDiff) -> str:
    return PageAddress("diff", diff.repo_id).query


def _model(model_id: str) -> str:
    name = name_of_model(model_id)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def _day(text: str | None) -> str:
    """A date in words; empty if the text is not a date."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return ""
    return f"{day.day} {day:%B} {day.year}"


@lru_cache(1)
def _templates() -> "Environment":
    templates = environment(templates_of(__package__, "templates"))
    templates.filters |= {"model": _model, "day": _day}
    return templates
