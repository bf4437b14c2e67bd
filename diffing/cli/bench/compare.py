"""The command `diffing bench compare`: compares the methods of stored reports with each other."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from diffing.cli.bench.printing import show_result
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache, Json
from diffing.paths import path_of

if TYPE_CHECKING:
    from diffing.models.base import Model


def compare(
    report: Annotated[
        list[Path], typer.Argument(parser=path_of, metavar="PATH", help="Folders of reports.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", parser=path_of, metavar="PATH", help="Folder for the tables and the page.")
    ] = Path("runs/compared"),
    llm: Annotated[
        str | None, typer.Option("--llm", help="An LLM that decides whether two sentences mean the same.")
    ] = None,
    cache: Cache = None,
    json_: Json = False,
) -> None:
    """Compare the methods of stored reports, and write the result as Markdown and CSV.

    For reports on the same responses, it also finds out which hypotheses say the same.
    """
    from diffing.atomic_write import write_atomically
    from diffing.bench.compare import category_result, group_reports, method_result, overlap_result, same_result
    from diffing.bench.results import load_results, save_result
    from diffing.bench.results_page import render_markdown
    from diffing.outputs.files.csv_table import rows_as_csv
    from diffing.report import load_report

    reports = [(folder.name, load_report(folder)) for folder in report]
    with progress_bars(Console(stderr=True)) as on_progress:
        groups = group_reports(reports, judge=_judge(llm, cache), on_progress=on_progress)
    typed = shlex.join(
        ["diffing", "bench", "compare", *(folder.name for folder in report), *(("--llm", llm) if llm else ())]
    )
    settings = {"reports": ", ".join(folder.name for folder in report), "llm": llm}
    makers = {
        "compare-1-methods": method_result,
        "compare-2-overlap": overlap_result,
        "compare-3-same": same_result,
        "compare-4-categories": category_result,
    }
    for name, maker in makers.items():
        result = maker(groups, command=typed, settings={key: value for key, value in settings.items() if value})
        path = save_result(result, out / f"{name}.json")
        columns = list(result.rows[0]) if result.rows else []
        write_atomically(rows_as_csv(columns, [list(row.values()) for row in result.rows]), path.with_suffix(".csv"))
        show_result(result, None, json_)
    page = write_atomically(render_markdown(load_results(out)).encode(), out / "RESULTS.md")
    Console(stderr=True).print(f"Page: {page}", highlight=False, markup=False, soft_wrap=True)


def _judge(spec: str | None, cache: Path | None) -> "Model | None":
    from diffing.models import load_model
    from diffing.models.cache import Store

    if spec is None:
        return None
    return load_model(spec, cache=Store.in_folder(cache) if cache else "default")
