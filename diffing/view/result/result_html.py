"""HTML of the result view. Everything it returns comes from templates that escape every text, and from nowhere else."""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from diffing.outputs import phrasing
from diffing.outputs.html import environment, stylesheet
from diffing.outputs.html.page import domains_of
from diffing.rendering import templates_of
from diffing.view.result.entry_filter import SORTS, Filter, choose
from diffing.view.result.evidence import GROUPS, PER_PAGE, Wanted, evidence_of
from diffing.view.result.report_cache import Opened

if TYPE_CHECKING:
    from jinja2 import Environment

GROUP_NAMES = {"for": "For the prediction", "against": "Against it", "neither": "Neither", "unreadable": "Unreadable"}
"""What the groups of pairs are called."""


def overview(opened: Opened, key: str) -> str:
    """The headline, both models, the notes.

    Args:
        opened: The report.
        key: Of the report; the page's scripts send it back.
    """
    report = opened.report
    return _rendered(
        "shown/overview.html.jinja", opened, key=key, headline=phrasing.headline(report),
        explanation=phrasing.explanation(report),
        prompts={split: phrasing.prompts_in(report, split) for split in ("train", "heldout")},
    )  # fmt: skip


def findings(opened: Opened, key: str) -> str:
    """The filters, and the first page of findings.

    Args:
        opened: The report.
        key: Of the report.
    """
    choices = {name: list(enumerate(getattr(opened.index, name))) for name in ("methods", "categories", "domains")}
    shown = _listed(opened, Filter())
    sorts = {by: name for by, name in SORTS.items() if by != "interest" or shown["any_rating"]}
    return _rendered("shown/findings.html.jinja", opened, key=key, sorts=sorts, **choices, **shown)


def listed(opened: Opened, wanted: Filter) -> str:
    """One page of findings.

    Args:
        opened: The report.
        wanted: Which.
    """
    return _rendered("shown/list.html.jinja", opened, **_listed(opened, wanted))


def evidence(opened: Opened, number: int, wanted: Wanted) -> str:
    """One page of a finding's pairs, with what held-out prompts said.

    Args:
        opened: The report.
        number: The finding's; one that there is.
        wanted: Which pairs.
    """
    view = opened.page.findings[number - 1]
    evidences = evidence_of(opened, view.finding.hypothesis.id, wanted)
    return _rendered(
        "shown/evidence.html.jinja", opened, view=view, evidences=evidences, groups=GROUPS, group_names=GROUP_NAMES,
        per_page=PER_PAGE, domain_places=[
            (place, domain) for place, domain in enumerate(opened.index.domains) if domain in evidences.domains
        ],
    )  # fmt: skip


def domains(opened: Opened) -> str:
    """Slices by prompt domain."""
    leads = [entry.lead for entry in opened.page.entries]
    page = replace(opened.page, domains=domains_of(opened.report, leads))
    return _rendered("shown/domains.html.jinja", opened, page=page)


def forest_plot(opened: Opened) -> str:
    """The forest plot, and how it is read."""
    return _rendered("shown/forest.html.jinja", opened)


def sae_features(opened: Opened) -> str:
    """The SAE's features and where they are active."""
    return _rendered("shown/features.html.jinja", opened)


def how(opened: Opened) -> str:
    """What was left out, checks of the judge, usage, settings, versions, what the words mean."""
    return _rendered("shown/made.html.jinja", opened)


def methods(opened: Opened) -> str:
    """The methods compared by the paper's criteria."""
    from diffing.bench.table_cells import columns_of, is_number
    from diffing.view.result.method_comparison import cell_of

    return _rendered(
        "shown/methods.html.jinja", opened, results=opened.comparison, cell_of=cell_of, is_number=is_number,
        columns_of=columns_of,
    )  # fmt: skip


def problem(message: str) -> str:
    """A message in place of a result."""
    return _templates().get_template("shown/problem.html.jinja").render(message=message)


def style() -> str:
    """The view's rules: those of the report page, within the view."""
    return f"{_own('result.css')}\n.diffing {{\n{stylesheet()}\n}}\n{_own('after.css')}"


def script() -> str:
    """What runs in the browser for the list of findings."""
    return _own("result.js") or ""


def _listed(opened: Opened, wanted: Filter) -> dict[str, object]:
    chosen = choose(opened, wanted)
    views = {entry.lead.number: entry for entry in opened.page.entries}
    return {
        "wanted": wanted,
        "chosen": chosen,
        "entries": [views[entry.number] for entry in chosen.entries],
        "any_rating": any(finding.rating for finding in opened.report.findings),
    }


def _rendered(name: str, opened: Opened, **values: object) -> str:
    shared = {"report": opened.report, "page": opened.page, "features": opened.features}
    return _templates().get_template(name).render(**(shared | values))


@lru_cache(maxsize=1)
def _templates() -> "Environment":
    return environment(_own)


_own = templates_of(__package__)
"""Files of this package; templates by `shown/<name>`."""
