"""Prints and saves the results of benchmarks, and builds the command that reproduces one."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diffing.bench.results import BenchmarkResult
from diffing.cli.terminal_text import plain_json
from diffing.config import DiffConfig, settings_of
from diffing.paths import path_of
from diffing.settings import flag

SaveTo = Annotated[
    Path | None,
    typer.Option(
        "--save",
        parser=path_of,
        metavar="PATH",
        help="Save the result to this file.",
        show_default=False,
    ),
]


def show_result(result: BenchmarkResult, save: Path | None, json_: bool) -> None:
    """Prints a result as a table or as JSON, and saves it if a file is given.

    Args:
        result: The result of a benchmark.
        save: The file; None saves nothing.
        json_: Whether to print JSON.
    """
    from diffing.bench.results import save_result
    from diffing.bench.table_cells import cell, columns_of, is_number

    if save is not None:
        save_result(result, save)
    if json_:
        print(plain_json(asdict(result)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = columns_of(result)
    for column in columns:
        numbers = bool(result.rows) and is_number(result.rows[0], column)
        table.add_column(Text(column.heading), justify="right" if numbers else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(Text(cell(row, column)) for column in columns))
    console = Console()
    console.print(Text(result.title, style="bold"))
    console.print(table)
    if save is not None:
        console.print(Text(f"Saved to {save}", style="dim"))


def show_planted(results: Mapping[str, BenchmarkResult], out: Path | None, name: str, markdown: bool) -> None:
    """Prints the tables of planted differences, and saves them if a folder is given.

    Args:
        results: The tables, by the suffix of their file names.
        out: The folder; None saves nothing.
        name: Prefix of the file names.
        markdown: Whether to print Markdown instead of terminal tables.
    """
    from diffing.bench.planted.recall_tables import as_markdown
    from diffing.bench.results import save_result

    for part, result in results.items():
        path = out / f"{name}{part}.json" if out else None
        if not markdown:
            show_result(result, path, False)
            continue
        if path is not None:
            save_result(result, path)
        print(f"**{result.title}** (`{result.command}`)\n\n{as_markdown(result)}\n")


def reproducing_command(command: str, arguments: list[str], config: DiffConfig) -> str:
    """Returns the command with every non-default setting; paths are reduced to their last part.

    Args:
        command: The command, such as `diffing bench null`.
        arguments: Its arguments.
        config: The settings of the run.
    """
    stored = settings_of(config)
    parts: list[Any] = [*command.split(), *arguments]
    for field in fields(DiffConfig)[2:]:
        value = getattr(config, field.name)
        if value == field.default or field.name not in stored:
            continue
        each = value if isinstance(value, tuple) else (stored[field.name],)
        parts += [flag(field.name)] if value is True else [part for one in each for part in (flag(field.name), one)]
    return shlex.join(map(str, parts))
