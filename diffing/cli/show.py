"""Prints the differences that a report confirms, for `diffing show` and at the end of a run."""

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from diffing.cli.ask import print_asked
from diffing.cli.terminal_text import plain, plain_json

if TYPE_CHECKING:
    from diffing.types import Report

NOTE_LENGTH = 2_000
"""Maximum number of characters of a note in the terminal."""


def show_report(report: "Report", json_: bool, most: int | None = None, *, everything: bool = False) -> None:
    """Prints the differences that a report confirms, its explanation and its notes.

    Args:
        report: The report.
        json_: Whether to print JSON.
        most: Maximum number of differences; None for all.
        everything: Whether to print also words and phrases, internal features and what was not confirmed.
    """
    from diffing.cli.terminal_tables import findings_list
    from diffing.outputs.headline import statement_notes, statements
    from diffing.outputs.phrasing import explanation, one_line
    from diffing.report import report_summary
    from diffing.report.index import index_of
    from diffing.responses import cut_note

    if json_:
        print(plain_json(report_summary(report)))
        return
    console = Console()
    if cut := cut_note(report.pairs):  # readers must know this before they believe a finding
        console.print(Text(cut, style="yellow"))
    for statement, note in zip_longest(statements(report), statement_notes(report)):
        console.print(Text(plain(f"{statement}."), style="bold"))
        if note:
            console.print(Padding(Text(one_line(note, NOTE_LENGTH)), (0, 0, 0, 2)))
    console.print(Text(explanation(report)))
    for note in (each for each in report.notes if each != cut):
        console.print(Text(one_line(f"Note: {note}", NOTE_LENGTH), style="dim"))
    console.print(findings_list(report, console.width, most=most, everything=everything))
    if asked := index_of(report).asked:
        print_asked(list(asked), asked, report)
