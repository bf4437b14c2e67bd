"""`diffing bench page`: the stored results as a page."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from diffing.paths import path_of


def page(
    results: Annotated[
        Path | None,
        typer.Argument(
            parser=path_of, metavar="PATH", help="Folder of results.", show_default="those that come with diffing"
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", parser=path_of, metavar="PATH", help="Folder of the pages.")] = Path(
        "runs/results"
    ),
) -> None:
    """Make the results page, as Markdown and as HTML, from stored results alone."""
    from diffing.bench.page import write_page
    from diffing.bench.results import RESULTS

    for path in write_page(results or RESULTS, out):
        Console(stderr=True).print(f"Page: {path}", highlight=False, markup=False, soft_wrap=True)
