"""Registers the commands of `diffing bench`; each command is in its own file."""

import typer

from diffing.cli.bench.compare import compare
from diffing.cli.bench.null import null
from diffing.cli.bench.planted import planted

bench_app = typer.Typer(
    help="Test how well the methods work on your models: false alarms, planted differences, comparisons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bench_app.command()(null)
bench_app.command()(compare)
bench_app.command()(planted)
