"""HTML of the actions above a result and of their panels. Everything comes from templates that escape every text."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from markdown_it import MarkdownIt
from markupsafe import Markup

from diffing.hub import BoundedApi, namespaces
from diffing.outputs.address_removal import public_report
from diffing.outputs.card import CardOutcome, section
from diffing.outputs.dataset import PushResult
from diffing.outputs.downloads import FORMATS
from diffing.outputs.formats import safe_name
from diffing.outputs.html import environment
from diffing.rendering import templates_of
from diffing.types import SIDES, Report, Side
from diffing.view.page_query import Address
from diffing.view.result.report_cache import Opened
from diffing.view.visitor import Visitor

_LONGEST_NAME = 96
"""Characters of a dataset's name that the Hub takes."""
_MOST_LINES, _WIDEST = 1_000, 2_000
"""Lines of a change that are shown, and characters of one: what was there before is a stranger's."""
_NOT_FOR_READERS = re.compile(r"^(?:<!--.*-->|</?details>|<summary>(.*)</summary>)$", re.MULTILINE)
_OF_FILES = re.compile(r"@[0-9a-f]{12}(?![0-9a-f])")
"""The revision of models and responses that were read from a machine's files: a digest of these, no commit."""
_RENDERER = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a card is about to get, and from whom."""

    report: Report
    """The result."""
    model: str
    """The card's repository."""
    dataset: str | None
    """What the section links to."""
    visitor: Visitor
    """Who asks."""
    place: Address
    """The result's address."""


def actions(where: Address, opened: Opened | None) -> str:
    """The row of actions; empty without a result.

    Args:
        where: The result: its key, and its dataset where it is on the Hub.
        opened: The result.
    """
    if opened is None:
        return ""
    again = None if where.what == "example" else _again(opened.report)
    return _rendered("actions", key=where.value, diff=where.other, again=again)


def link(place: Address, report: Report, dataset: str | None, *, public: bool) -> str:
    """The addresses under which it is found again.

    Args:
        place: Its address.
        report: The result.
        dataset: Where it was published since.
        public: Whether others can reach this app.
    """
    space = os.environ.get("SPACE_ID")
    base = f"https://huggingface.co/spaces/{quote(space)}" if space else ""
    published = Address("diff", dataset) if dataset and place.what != "diff" else None
    again = None if place.what == "example" else _again(report)
    return _rendered("link", base=base, place=place, published=published, again=again, public=public)


def download(report: Report) -> str:
    """The formats.

    Args:
        report: The result.
    """
    return _rendered("download", formats=FORMATS.values(), name=safe_name(report))


def sign_in(title: str, visitor: Visitor, place: Address) -> str:
    """What somebody does who is not signed in.

    Args:
        title: Of the panel.
        visitor: Nobody.
        place: Where they come back to.
    """
    return _rendered("sign_in", title=title, **_login(visitor, place))


def no_push(reason: str) -> str:
    """Why a result is not published."""
    return _rendered("no_push", reason=reason)


def push(report: Report, api: BoundedApi, dataset: str | None) -> str:
    """The form of a dataset.

    Args:
        report: What would be published.
        api: Acts for the visitor.
        dataset: Where the result is published already.

    Raises:
        HubError: The Hub does not know who they are.
    """
    accounts = namespaces(api)
    mine = dataset is not None and dataset.split("/")[0] in accounts
    prompted = [side.upper() for side in SIDES if report.settings.get(f"system_prompt_{side}")]
    return _rendered(
        "push", accounts=accounts, dataset=dataset, endpoint=api.endpoint, prompted=prompted,
        name=dataset if mine else f"{accounts[0]}/{_dataset_name(report)}",
    )  # fmt: skip


def pushed(done: PushResult) -> str:
    """What became of it."""
    return _rendered("pushed", done=done, query=Address("diff", done.repo_id).query)


def card(report: Report, repositories: Mapping[str, Side], dataset: str | None) -> str:
    """The choice of a card.

    Args:
        report: The result.
        repositories: Those whose cards can tell of it.
        dataset: Where it is published.
    """
    same = report.model_a.id == report.model_b.id
    return _rendered("card", repositories=repositories, dataset=dataset, same=same)


def preview(proposal: Proposal, outcome: CardOutcome, *, moved: bool = False) -> str:
    """What would change in a card, and who may let it.

    Args:
        proposal: What was asked for.
        outcome: Of the dry run.
        moved: The card changed since it was shown; nothing was written.

    Raises:
        HubError: The Hub does not know who the visitor is.
    """
    if outcome.happened != "shown":
        return written(outcome)
    accounts = namespaces(proposal.visitor.api) if proposal.visitor.login else ()
    text = section(proposal.report, of=proposal.model, dataset=proposal.dataset)
    return _rendered(
        "preview", proposal=proposal, outcome=outcome, moved=moved, accounts=accounts,
        owner=proposal.model.split("/")[0] in accounts, lines=_lines(outcome.diff), reading=_reading(text), text=text,
        **_login(proposal.visitor, proposal.place),
    )  # fmt: skip


def written(outcome: CardOutcome) -> str:
    """What became of a card."""
    return _rendered("written", outcome=outcome)


def _again(report: Report) -> Address | None:
    """The same two models by name, without the addresses of servers; None where a name is that of files alone."""
    if any(_OF_FILES.search(info.id) for info in (report.model_a, report.model_b)):
        return None
    settings = public_report(replace(report, pairs=(), findings=(), judgements=(), tables={})).settings
    a, b = (str(settings.get(f"model_{side}") or "") for side in SIDES)
    return Address("pair", a or report.model_a.id, b or report.model_b.id)


def _dataset_name(report: Report) -> str:
    """A name that the Hub takes: no two hyphens or points in a row."""
    return re.sub(r"-{2,}", "-", safe_name(report))[:_LONGEST_NAME].strip(".-")


def _login(visitor: Visitor, place: Address) -> dict[str, object]:
    """How a visitor signs in, where they are not."""
    target = quote(f"/?{place.query}", safe="")
    return {"visitor": visitor, "login": f"/login/huggingface?_target_url={target}" if visitor.can_sign_in else None}


def _lines(diff: str) -> list[tuple[str, str, str]]:
    """The lines of a unified diff below its heading: what kind each is, its sign, its text."""
    kinds = {"+": "added", "-": "removed"}
    lines = diff.split("\n")[2:]
    shown = [
        ("place", "", line) if line.startswith("@@") else (kinds.get(line[:1], "same"), line[:1], line[1:_WIDEST])
        for line in lines[:_MOST_LINES]
    ]
    left = len(lines) - len(shown)
    return [*shown, ("place", "", f"… {left:,} more lines")] if left else shown


def _reading(text: str) -> Markup:
    """A section as readers of the card see it. HTML in it is shown as text; links of other kinds than http are none."""
    told = _NOT_FOR_READERS.sub(lambda found: f"**{found[1]}**" if found[1] else "", text)
    return Markup(_RENDERER.render(told))


def _rendered(name: str, /, **values: object) -> str:
    return environment(templates_of(__package__, "shown")).get_template(f"{name}.html.jinja").render(**values)
