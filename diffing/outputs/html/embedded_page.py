"""Renders a small page with a report's headline and first differences, to be embedded in another web page.

It needs no script, asks nobody for anything, and follows the reader's light or dark theme.
"""

from diffing.outputs.claims import confirmed_leads
from diffing.outputs.headline import headline
from diffing.outputs.html import environment, figureless_stylesheet
from diffing.outputs.html.answer import claim_of
from diffing.outputs.html.page import ReportPage
from diffing.outputs.phrasing import count, prompts_in
from diffing.report.index import index_of
from diffing.types import Report

ROWS = 12
"""Maximum number of rows; the whole list is a link away."""


def embed(report: Report, page: ReportPage, address: str, finding: str = "") -> str:
    """Returns the page as HTML.

    Args:
        report: The report.
        page: The data of its page.
        address: The address of the whole result, to which the page links.
        finding: The id of one confirmed finding that is shown alone; any other text shows the whole answer.
    """
    from markupsafe import Markup

    rows = next((block.entries for block in page.blocks if block.key != "unconfirmed"), ())
    claims = page.answer.claims
    alone = [entry for entry in rows if entry.lead.finding.hypothesis.id == finding]
    if alone:
        claims, rows = (claim_of(alone[0].lead.finding, index_of(report)),), tuple(alone)
    return (
        environment()
        .get_template("embed.html.jinja")
        .render(
            page=page,
            claims=claims,
            rows=rows[:ROWS],
            headline=headline(report),
            address=address,
            total=count(len(confirmed_leads(index_of(report))), "confirmed difference") if claims else "",
            prompts=f"checked on {count(prompts_in(report, 'heldout'), 'prompt')} kept aside",
            style=Markup(figureless_stylesheet()),
        )
    )


def embed_title(report: Report) -> str:
    """The title of a frame that shows the page, such as "base and tuned: 13 confirmed differences"."""
    index = index_of(report)
    total = len(confirmed_leads(index))
    found = count(total, "confirmed difference") if total else "no confirmed difference"
    return f"{index.names.a} and {index.names.b}: {found}".replace("\u00a0", " ")
