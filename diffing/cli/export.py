"""`diffing export`: a report as one file to take away."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from diffing.paths import path_of


def export(
    report: Annotated[str, typer.Argument(help="Folder of a report, or user/name on the Hub.", show_default=False)],
    *,
    format_: Annotated[
        Literal["zip", "html", "png", "md", "csv", "parquet"],
        typer.Option("--format", help="All of it, its page, a picture, a text, or the table of findings."),
    ] = "zip",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", parser=path_of, metavar="PATH", help="The file; replaced.", show_default="<a>-vs-<b>.<format>"
        ),
    ] = None,
) -> None:
    """Write a report to one file: everything, the page, a picture, a text or the findings as a table.

    Addresses of servers that models ran on are left out.
    """
    from diffing.outputs.formats import FORMATS
    from diffing.report import load_report
    from diffing.writing import write_whole

    chosen, found = FORMATS[format_], load_report(report)
    print(write_whole(chosen.content(found), out) if out else chosen.write(found, Path()))
