"""The command `diffing export`: writes a report to one file, such as a zip, HTML, CSV or PNG file."""

from pathlib import Path
from typing import Annotated

import typer

from diffing import registry
from diffing.paths import path_of


def _known(ending: str) -> str:
    if ending not in registry.OUTPUTS:
        raise typer.BadParameter(f"{ending!r:.60} is not one of {', '.join(map(repr, registry.OUTPUTS))}.")
    return ending


def export(
    report: Annotated[str, typer.Argument(help="Folder of a report, or user/name on the Hub.", show_default=False)],
    *,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            parser=_known,
            metavar=f"[{'|'.join(registry.OUTPUTS)}]",
            help="What to write: everything, the page, a picture, a text, or the table of findings.",
        ),
    ] = "zip",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            parser=path_of,
            metavar="PATH",
            help="The file; an existing one is replaced.",
            show_default="<a>-vs-<b>.<format>",
        ),
    ] = None,
) -> None:
    """Write a report to one file: everything, the page, a picture, a text or the findings as a table.

    It leaves out the addresses of model servers.
    """
    from diffing.atomic_write import write_atomically
    from diffing.outputs.downloads import FORMATS
    from diffing.report import load_report

    chosen, found = FORMATS[format_], load_report(report)
    print(write_atomically(chosen.content(found), out) if out else chosen.write(found, Path()))
