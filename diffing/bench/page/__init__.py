"""The results page: every benchmark's stored result as Markdown and as one HTML page. Knows no benchmark."""

from pathlib import Path

from diffing.bench.page.html import render_html
from diffing.bench.page.markdown import render_markdown
from diffing.bench.page.sheet import render_csv
from diffing.bench.results import Result, load_results
from diffing.writing import write_whole

__all__ = ["MARKDOWN", "PAGE", "render_csv", "render_html", "render_markdown", "write_csv", "write_page"]

MARKDOWN = "RESULTS.md"
"""Name of the Markdown page."""
PAGE = "results.html"
"""Name of the HTML page."""


def write_page(folder: Path, out: Path) -> tuple[Path, Path]:
    """Writes the Markdown and the HTML page; the same results give the same bytes.

    Args:
        folder: Holds the results.
        out: The pages' folder; made where it is missing.

    Returns:
        The two files.

    Raises:
        SettingError: There are no results, one cannot be read, or the pages cannot be written.
    """
    from plotly.offline import get_plotlyjs

    results = load_results(folder)
    pages = {MARKDOWN: render_markdown(results), PAGE: render_html(results, get_plotlyjs())}
    for name, content in pages.items():
        write_whole(content.encode(), out / name, make_folder=True)
    return out / MARKDOWN, out / PAGE


def write_csv(result: Result, path: Path) -> Path:
    """Writes one result as CSV.

    Args:
        result: Any.
        path: The file; its folder is made where it is missing.

    Raises:
        SettingError: The file cannot be written.
    """
    return write_whole(render_csv(result).encode(), path, make_folder=True)
