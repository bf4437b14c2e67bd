"""Renders the view of a result as HTML, with templates that escape every text."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from diffing.outputs import phrasing
from diffing.outputs.headline import headline
from diffing.outputs.html import environment, pair_script, stylesheet
from diffing.rendering import templates_of
from diffing.view.result.entry_filter import SORTS, EntryFilter, choose
from diffing.view.result.evidence_pages import EvidenceFilter, Group, evidence_of
from diffing.view.result.report_cache import OpenedReport

if TYPE_CHECKING:
    from jinja2 import Environment

GROUP_NAMES: Mapping[Group, str] = {
    "for": "Show it",
    "against": "Show the opposite",
    "same": "Both alike",
    "not_shown": "Not shown",
    "neither": "Neither",
    "outside": "Outside its scope",
    "unreadable": "Unreadable",
}
"""Labels of the verdict groups."""
GROUP_PHRASES: Mapping[Group, str] = {"for": " that show it", "against": " that show the opposite"}
"""What follows the number of pairs of a group, if it is not plain."""


def overview(opened: OpenedReport, key: str) -> str:
    """Renders the headline, both models, and the notes.

    Args:
        opened: The report.
        key: The key of the report, which the page's scripts send back.
    """
    report = opened.report
    return _rendered(
        "templates/overview.html.jinja", opened, key=key, headline=headline(report),
        explanation=phrasing.explanation(report),
        prompts={split: phrasing.prompts_in(report, split) for split in ("train", "heldout")},
    )  # fmt: skip


def findings(opened: OpenedReport, key: str) -> str:
    """Renders the filters and the first page of findings.

    Args:
        opened: The report.
        key: The key of the report.
    """
    choices = {name: list(enumerate(getattr(opened.index, name))) for name in ("methods", "categories")}
    shown = _listed(opened, EntryFilter())
    sorts = {by: name for by, name in SORTS.items() if by != "interest" or shown["any_rating"]}
    return _rendered("templates/findings.html.jinja", opened, key=key, sorts=sorts, **choices, **shown)


def listed(opened: OpenedReport, filters: EntryFilter) -> str:
    """Renders the whole list: one page of the differences, and what is folded below them.

    Args:
        opened: The report.
        filters: The filter; if its part of the list is folded, that part is open.
    """
    return _rendered("templates/list.html.jinja", opened, **_listed(opened, filters))


def part(opened: OpenedReport, filters: EntryFilter) -> str:
    """Renders one page of one part of the list.

    Args:
        opened: The report.
        filters: The filter.
    """
    return _rendered("templates/part.html.jinja", opened, **_part(opened, filters))


def evidence(opened: OpenedReport, number: int, filters: EvidenceFilter) -> str:
    """Renders one page of a finding's pairs, and its result on held-out prompts.

    Args:
        opened: The report.
        number: The number of an existing finding.
        filters: The filter.
    """
    view = opened.page.findings[number - 1]
    evidence_page = evidence_of(opened, view.finding.hypothesis.id, filters, per_page=1)
    return _rendered(
        "templates/evidence.html.jinja", opened, view=view, evidence_page=evidence_page,
        group_names=GROUP_NAMES, group_phrases=GROUP_PHRASES,
    )  # fmt: skip


def sae_features(opened: OpenedReport) -> str:
    """Renders the SAE's features and how often they are active."""
    return _rendered("templates/features.html.jinja", opened)


def how(opened: OpenedReport) -> str:
    """Renders how the result was made.

    This includes untested hypotheses, checks of the judge, usage, settings, versions, and a glossary.
    """
    return _rendered("templates/how.html.jinja", opened, explanation=phrasing.explanation(opened.report))


def methods(opened: OpenedReport) -> str:
    """Renders the comparison of the methods by the paper's criteria."""
    from diffing.bench.table_cells import columns_of, is_number
    from diffing.view.result.method_comparison import cell_of

    return _rendered(
        "templates/methods.html.jinja", opened, results=opened.comparison, cell_of=cell_of, is_number=is_number,
        columns_of=columns_of,
    )  # fmt: skip


def problem(message: str) -> str:
    """Renders a message in place of a result."""
    return _templates().get_template("templates/problem.html.jinja").render(message=message)


def style() -> str:
    """The CSS of the view: that of the report page, restricted to the view."""
    return f"{_own('result.css')}\n.diffing {{\n{stylesheet()}\n}}\n{_own('after.css')}"


def script() -> str:
    """The JavaScript of the list of findings."""
    return pair_script() + (_own("result.js") or "")


def _listed(opened: OpenedReport, filters: EntryFilter) -> dict[str, object]:
    first = opened.page.blocks[0].key if opened.page.blocks else "differences"
    shown = {
        block.key: _part(opened, replace(filters, block=block.key, page=filters.page if at else 0))
        for block in opened.page.blocks
        if (at := block.key == filters.block) or block.key == first
    }
    totals = {
        block.key: choose(opened, replace(filters, block=block.key, page=0)).total for block in opened.page.blocks
    }
    return {"filters": filters, "shown": shown, "totals": totals, "any_rating": _any_rating(opened)}


def _part(opened: OpenedReport, filters: EntryFilter) -> dict[str, object]:
    chosen = choose(opened, filters)
    views = {entry.lead.number: entry for entry in opened.page.entries}
    return {"filters": filters, "chosen": chosen, "entries": [views[entry.number] for entry in chosen.entries]}


def _any_rating(opened: OpenedReport) -> bool:
    return any(finding.rating for finding in opened.report.findings)


def _rendered(name: str, opened: OpenedReport, **values: object) -> str:
    shared = {"report": opened.report, "page": opened.page, "features": opened.features, "scripted": True}
    return _templates().get_template(name).render(**(shared | values))


@lru_cache(maxsize=1)
def _templates() -> "Environment":
    return environment(_own)


_own = templates_of(__package__)
"""Files of this package; templates are named `templates/<name>`."""
