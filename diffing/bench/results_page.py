"""Renders benchmark results as one Markdown page of tables and explanations, with all text escaped."""

import re
from collections.abc import Mapping, Sequence

from diffing.bench.results import BenchmarkResult, Kind, ResultColumn
from diffing.bench.table_cells import cell, columns_of, is_number, observations
from diffing.types import Row

TITLE = "How far diffing can be trusted"
HEADINGS: Mapping[Kind, str] = {
    "statistics": "Statistics by simulation",
    "planted": "Planted differences",
    "null": "Nulls: no difference to be found",
    "coverage": "How much the findings explain",
    "refusals": "Properties against human labels",
    "lineage": "Lineages: differences between related models",
    "compare": "The methods compared",
    "behaviours": "The list of behaviours",
    "crosscoder": "What a crosscoder finds",
    "adapters": "What adapters find",
    "speed": "Speed and size",
}
FOLDED = 28
"""A table with more rows than this is collapsed."""
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$#])")
_LINK = re.compile(r"(?i)(https?|ftp|www)(?=[:.])")


def render_markdown(results: Sequence[tuple[str, BenchmarkResult]], introduction: Sequence[str] = ()) -> str:
    """Renders all results on one page; the same results always give the same bytes.

    Args:
        results: The names and results, in the page's order.
        introduction: Blocks of Markdown between the title and the results.
    """
    parts = [f"# {_title_of(results)}", *introduction]
    kind = None
    for _, result in results:
        if result.kind != kind:
            kind = result.kind
            parts.append(f"## {HEADINGS[kind]}")
        parts += _section(result)
    return "\n\n".join(parts) + "\n"


def _title_of(results: Sequence[tuple[str, BenchmarkResult]]) -> str:
    kinds = {result.kind for _, result in results}
    return HEADINGS[kinds.pop()] if len(kinds) == 1 else TITLE


def _section(result: BenchmarkResult) -> list[str]:
    paragraphs = [escape(" ".join(part.split())) for part in result.about.split("\n\n") if part.strip()]
    settings = ", ".join(f"{escape(key)} {escape(str(value))}" for key, value in result.settings.items())
    parts = [f"### {escape(result.title)}", *paragraphs, _table(result), f"```bash\n{_fenced(result.command)}\n```"]
    return parts + ([f"Settings: {settings}."] if settings else [])


def _table(result: BenchmarkResult) -> str:
    columns = columns_of(result)
    if not result.rows:
        return "There are no rows."
    right = [is_number(result.rows[0], column) for column in columns]
    lines = [
        [escape(column.heading) for column in columns],
        ["---:" if each else "---" for each in right],
        *([_cell(row, column) for column in columns] for row in result.rows),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if len(result.rows) <= FOLDED:
        return table
    return f"<details><summary>{len(result.rows)} rows</summary>\n\n{table}\n\n</details>"


def _cell(row: Row, column: ResultColumn) -> str:
    n = observations(row, column)
    text = cell(row, column)
    if row[column.name] is None or n is None:
        return escape(text)
    return f"{escape(text)}, n {n}"


def escape(text: str) -> str:
    """Puts text on one line and escapes all Markdown in it, for prose or a cell of a table.

    Args:
        text: Any text.
    """
    line = "".join(c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else " " for c in text).strip()
    line = line.replace("&", "&amp;")
    return _LINK.sub(r"\1\\", _SPECIAL.sub(r"\\\1", line))


def _fenced(command: str) -> str:
    """Puts a command on one line and makes sure that it cannot end its code block."""
    return " ".join("".join(c if c.isprintable() else " " for c in command).split()).replace("```", "` ` `")
