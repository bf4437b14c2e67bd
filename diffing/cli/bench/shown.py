"""Prints a benchmark's result, keeps it in a file, and writes out the command that made it."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diffing.bench.results import Result
from diffing.config import DiffConfig, settings_of
from diffing.paths import path_of
from diffing.settings import flag

SaveTo = Annotated[
    Path | None,
    typer.Option(
        "--save",
        parser=path_of,
        metavar="PATH",
        help="Keep the result in this file.",
        show_default=False,
    ),
]


def show_result(result: Result, save: Path | None, json_: bool) -> None:
    """Prints a result as a table or as JSON, and keeps it where that was asked for.

    Args:
        result: What a benchmark found.
        save: The file; None keeps nothing.
        json_: For machines.
    """
    from diffing.bench.results import save_result
    from diffing.bench.table_cells import cell, columns_of, is_number

    if save is not None:
        save_result(result, save)
    if json_:
        print(json.dumps(asdict(result), indent=2, ensure_ascii=False, allow_nan=False))
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
        console.print(Text(f"Kept in {save}", style="dim"))


def show_planted(results: Mapping[str, Result], out: Path | None, name: str, markdown: bool) -> None:
    """Prints the tables of planted differences, and keeps them if a folder is given.

    Args:
        results: The tables by what is added to the file's name.
        out: The folder; None keeps nothing.
        name: How the files' names begin.
        markdown: Prints Markdown instead of tables for a terminal.
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


def as_typed(command: str, arguments: list[str], config: DiffConfig) -> str:
    """The command with every setting that is not the default; of files and folders only the name is told.

    Args:
        command: Such as `diffing bench null`.
        arguments: What stands behind it.
        config: The settings.
    """
    told = settings_of(config)
    parts: list[Any] = [*command.split(), *arguments]
    for field in fields(DiffConfig)[2:]:
        value = getattr(config, field.name)
        if value == field.default or field.name not in told:
            continue
        each = value if isinstance(value, tuple) else (told[field.name],)
        parts += [flag(field.name)] if value is True else [part for one in each for part in (flag(field.name), one)]
    return shlex.join(map(str, parts))
