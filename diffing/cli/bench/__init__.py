"""`diffing bench`: one file per command, registered here."""

import typer

from diffing.cli.bench.lineage import lineage
from diffing.cli.bench.null import null

bench_app = typer.Typer(help="Show how well the methods work: planted truth, nulls, comparisons.", no_args_is_help=True)
bench_app.command()(null)
bench_app.command()(lineage)
