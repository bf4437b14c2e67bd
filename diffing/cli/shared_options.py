"""Command-line options that several commands have in common: `--json` and `--cache`."""

from pathlib import Path
from typing import Annotated

import typer

from diffing.paths import path_of

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        parser=path_of,
        metavar="PATH",
        help="Folder of the completion cache.",
        show_default="$DIFFING_CACHE or ~/.cache/diffing",
    ),
]
