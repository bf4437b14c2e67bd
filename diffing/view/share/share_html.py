"""Renders the actions above a result, and their panels, as HTML, with templates that escape every text."""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from markdown_it import MarkdownIt
from markupsafe import Markup

from diffing.hub import BoundedApi, namespaces
from diffing.model_ref import is_hub_name
from diffing.outputs.address_removal import public_report
from diffing.outputs.card import CardOutcome, section
from diffing.outputs.dataset import PushResult
from diffing.outputs.downloads import FORMATS
from diffing.outputs.figures import BADGE, badge, badge_words, rates_file
from diffing.outputs.files.markdown_summary import markdown_summary
from diffing.outputs.formats import safe_name
from diffing.outputs.headline import headline
from diffing.outputs.html import environment
from diffing.outputs.html.embedded_page import embed_title
from diffing.outputs.phrasing import one_line
from diffing.rendering import templates_of
from diffing.types import SIDES, Report, Side
from diffing.view.page_query import PageAddress
from diffing.view.result.report_cache import OpenedReport
from diffing.view.visitor import Visitor

_LONGEST_NAME = 96
"""Maximum number of characters of a dataset's name on the Hub."""
_MOST_LINES, _WIDEST = 1_000, 2_000
"""Maximum number of lines of a diff that are shown, and of characters per line. The old card is a stranger's text."""
_NOT_FOR_READERS = re.compile(r"^(?:<!--.*-->|</details>|<details><summary>(.*)</summary>)$", re.MULTILINE)
_PICTURE = re.compile(r'<img src="https://huggingface\.co/[^"]*"')
_OF_FILES = re.compile(r"@[0-9a-f]{12}(?![0-9a-f])")
"""A revision that is not a commit but a digest of files: that of models and responses read from this machine."""
_HERE = "https://here.invalid/"
"""Stands for the address of this app, which only the browser knows; the script puts it in."""
_FRAME = Markup(
    '<iframe src="{}" title="{}" width="720" height="480" loading="lazy" style="border:0;max-width:100%"></iframe>\n'
)
_RENDERER = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True)
class CardProposal:
    """A planned change of a model card."""

    report: Report
    """The result."""
    model: str
    """The repository of the card."""
    dataset: str | None
    """The dataset that the section links to."""
    visitor: Visitor
    """The visitor who wants to change it."""
    place: PageAddress
    """The address of the result."""


def actions(where: PageAddress, opened: OpenedReport | None) -> str:
    """Renders the row of actions; empty without a result.

    Args:
        where: The address of the result: its key and, if it is on the Hub, its dataset.
        opened: The result.
    """
    if opened is None:
        return ""
    again = None if where.what == "example" else _again(opened.report)
    return _rendered("actions", key=where.value, diff=where.other, again=again)


def share(place: PageAddress, report: Report, dataset: str | None, *, public: bool) -> str:
    """Renders the ways to share a result: links, picture, text, frame and badge.

    Args:
        place: The address of the result.
        report: The result.
        dataset: The dataset as which it was published.
        public: Whether others can reach this app.
    """
    space = os.environ.get("SPACE_ID")
    base = f"https://huggingface.co/spaces/{quote(space)}" if space else ""
    published = PageAddress("diff", dataset) if dataset and place.what != "diff" else None
    shown, words = published or place, badge_words(report)
    again = None if place.what == "example" else _again(report)
    picture, target = f"{_HERE}badge.svg?{shown.query}", f"{base or _HERE}?{shown.query}"
    if published and is_hub_name(published.value):
        picture = f"https://huggingface.co/datasets/{published.value}/resolve/main/{BADGE}"
    return _rendered(
        "share", base=base, place=place, published=published, shown=shown, again=again, public=public, badge=words,
        title=one_line(headline(report), 200), markdown=markdown_summary(report, target),
        frame=str(_FRAME.format(f"{_HERE}?embed=1&{shown.query}", embed_title(report))),  # escaped as code once more
        badge_code=f"[![diffing: {words}]({picture})]({target})\n",
    )  # fmt: skip


def download(report: Report) -> str:
    """Renders the choice of download formats.

    Args:
        report: The result.
    """
    return _rendered("download", formats=FORMATS.values(), name=safe_name(report))


def sign_in(title: str, visitor: Visitor, place: PageAddress) -> str:
    """Renders the panel for a visitor who must sign in first.

    Args:
        title: The title of the panel.
        visitor: The visitor.
        place: The address to return to after signing in.
    """
    return _rendered("sign_in", title=title, **_login(visitor, place))


def no_push(reason: str) -> str:
    """Renders the reason why a result cannot be published."""
    return _rendered("no_push", reason=reason)


def push(report: Report, api: BoundedApi, dataset: str | None) -> str:
    """Renders the form for publishing a result as a dataset.

    Args:
        report: The result to publish.
        api: The Hub client that acts for the visitor.
        dataset: The dataset as which the result is already published.

    Raises:
        HubError: The Hub does not recognize the visitor.
    """
    accounts = namespaces(api)
    mine = dataset is not None and dataset.split("/")[0] in accounts
    prompted = [side.upper() for side in SIDES if report.settings.get(f"system_prompt_{side}")]
    return _rendered(
        "push", accounts=accounts, dataset=dataset, endpoint=api.endpoint, prompted=prompted,
        name=dataset if mine else f"{accounts[0]}/{_dataset_name(report)}",
    )  # fmt: skip


def pushed(done: PushResult) -> str:
    """Renders the outcome of publishing."""
    return _rendered("pushed", done=done, query=PageAddress("diff", done.repo_id).query)


def card(report: Report, repositories: Mapping[str, Side], dataset: str | None) -> str:
    """Renders the choice of a model card.

    Args:
        report: The result.
        repositories: The repositories whose cards can describe the result, with their sides.
        dataset: The dataset as which the result is published.
    """
    same = report.model_a.id == report.model_b.id
    return _rendered("card", repositories=repositories, dataset=dataset, same=same)


def preview(proposal: CardProposal, outcome: CardOutcome, *, moved: bool = False) -> str:
    """Renders the change of a card, with buttons to apply it.

    Args:
        proposal: The planned change.
        outcome: The outcome of the dry run.
        moved: Whether the card has changed since it was shown, so that nothing was written.

    Raises:
        HubError: The Hub does not recognize the visitor.
    """
    if outcome.happened != "shown":
        return written(outcome)
    accounts = namespaces(proposal.visitor.api) if proposal.visitor.login else ()
    text = section(proposal.report, of=proposal.model, dataset=proposal.dataset)
    return _rendered(
        "preview", proposal=proposal, outcome=outcome, moved=moved, accounts=accounts,
        owner=proposal.model.split("/")[0] in accounts, lines=_lines(outcome.diff),
        reading=card_reading(text, proposal.report), text=text,
        **_login(proposal.visitor, proposal.place),
    )  # fmt: skip


def written(outcome: CardOutcome) -> str:
    """Renders the outcome of changing a card."""
    return _rendered("written", outcome=outcome)


def card_reading(text: str, report: Report) -> Markup:
    """Renders a section as readers of the card will see it. HTML is shown as text, and only http links work.

    The picture and the badge are drawn here, because the page loads nothing from the Hub.
    """
    markdown = _NOT_FOR_READERS.sub(lambda found: f"**{found[1]}**" if found[1] else "", text)

    def drawn(found: re.Match[str]) -> str:
        picture = badge(report) if f"/{BADGE}" in found[0] else rates_file(report) or b""
        return f'<img src="data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"'

    return Markup(_PICTURE.sub(drawn, _RENDERER.render(markdown)))


def _again(report: Report) -> PageAddress | None:
    """The address that compares the same two models again, without the addresses of servers.

    It is None if a model is known by its files only.
    """
    if any(_OF_FILES.search(info.id) for info in (report.model_a, report.model_b)):
        return None
    settings = public_report(replace(report, pairs=(), findings=(), judgements=(), tables={})).settings
    a, b = (str(settings.get(f"model_{side}") or "") for side in SIDES)
    return PageAddress("pair", a or report.model_a.id, b or report.model_b.id)


def _dataset_name(report: Report) -> str:
    """A dataset name that the Hub accepts, without repeated hyphens or dots."""
    return re.sub(r"-{2,}", "-", safe_name(report))[:_LONGEST_NAME].strip(".-")


def _login(visitor: Visitor, place: PageAddress) -> dict[str, object]:
    """Template values for the offer to sign in."""
    target = quote(f"/?{place.query}", safe="")
    return {"visitor": visitor, "login": f"/login/huggingface?_target_url={target}" if visitor.can_sign_in else None}


def _lines(diff: str) -> list[tuple[str, str, str]]:
    """The lines of a unified diff without its header: kind, sign and text of each."""
    kinds = {"+": "added", "-": "removed"}
    lines = diff.split("\n")[2:]
    shown = [
        ("place", "", line) if line.startswith("@@") else (kinds.get(line[:1], "same"), line[:1], line[1:_WIDEST])
        for line in lines[:_MOST_LINES]
    ]
    left = len(lines) - len(shown)
    return [*shown, ("place", "", f"… {left:,} more lines")] if left else shown


def _rendered(name: str, /, **values: object) -> str:
    return environment(templates_of(__package__, "templates")).get_template(f"{name}.html.jinja").render(**values)
