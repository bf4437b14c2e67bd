"""Registers the commands of `diffing bench`, each of which has a file of its own."""

import typer

from diffing.cli.bench.compare import compare
from diffing.cli.bench.null import null
from diffing.cli.bench.planted import planted

bench_app = typer.Typer(
    help="See how well the methods work on your models: nulls, planted differences, comparisons.", no_args_is_help=True
)
bench_app.command()(null)
bench_app.command()(compare)
bench_app.command()(planted)
