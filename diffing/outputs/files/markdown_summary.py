"""Writes the answer of a report as a few lines of Markdown, for pasting into an issue, a wiki or a chat."""

from itertools import zip_longest

from diffing.outputs.claims import confirmed_leads
from diffing.outputs.headline import findings_in_card, statement_notes, statements
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import count, one_line, prompts_in
from diffing.outputs.rate_bars import bars, row_pieces
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import Finding, Report

ROWS = 12
"""Maximum number of rows of the table."""
_TEXT, _NAME = 200, 60


def markdown_summary(report: Report, address: str) -> str:
    """Returns the statements of the headline, a table of the first differences, and a link to the whole result.

    Text from models and users is escaped, so that none of it becomes markup, a link or a mention.

    Args:
        report: The report.
        address: The address of the result. It is not escaped.
    """
    index = index_of(report)
    names, leads = index.names, confirmed_leads(index)
    prompts = f"{count(prompts_in(report, 'heldout'), 'prompt')} kept aside for checking"
    found = count(len(leads), "confirmed difference") if leads else "no confirmed difference"
    head = f"**{prose(names.a, _NAME)}** and **{prose(names.b, _NAME)}**, {prompts}: {found}."
    noted = zip_longest(statements(report), statement_notes(report), fillvalue="")
    said = "\n".join(f"- {_prose(f'{each}.')} {_prose(note)}".rstrip() for each, note in noted)
    table = _table(leads, names) if findings_in_card(report) else []
    parts = [head, said, *table, f"[The whole result, with examples]({address})"]
    return "\n\n".join(parts).replace("\u00a0", " ") + "\n"


def _prose(text: str) -> str:
    return prose(one_line(text, 400), 400)


def _table(leads: tuple[Finding, ...], names: ModelNames) -> list[str]:
    head = ("difference", prose(names.a, _NAME), prose(names.b, _NAME))
    rows = [head, ("---", "---:", "---:"), *(_row(each, names) for each in leads[:ROWS])]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    left = len(leads) - ROWS
    return [lines, *([f"… and {count(left, 'more difference')}."] if left > 0 else [])]


def _row(finding: Finding, names: ModelNames) -> tuple[str, str, str]:
    said = "".join(names.of(side) if side else text for text, side in row_pieces(finding))
    a, b = (prose(bar.value, _NAME) for bar in bars(finding, names))
    return prose(said, _TEXT), a, b
