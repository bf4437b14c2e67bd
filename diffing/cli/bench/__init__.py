"""`diffing bench`: one file per command, registered here."""

import typer

from diffing.cli.bench.compare import compare
from diffing.cli.bench.lineage import lineage
from diffing.cli.bench.null import null
from diffing.cli.bench.page import page
from diffing.cli.bench.planted import planted
from diffing.cli.bench.statistics import statistics

bench_app = typer.Typer(help="Show how well the methods work: planted truth, nulls, comparisons.", no_args_is_help=True)
bench_app.command()(null)
bench_app.command()(lineage)
bench_app.command()(page)
bench_app.command()(compare)
bench_app.command()(statistics)
bench_app.command()(planted)
