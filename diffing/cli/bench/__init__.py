"""`diffing bench`: one file per command, each adds itself to `bench_app`."""

import typer

bench_app = typer.Typer(help="Show how well the methods work: planted truth, nulls, comparisons.", no_args_is_help=True)
