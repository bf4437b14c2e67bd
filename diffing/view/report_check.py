"""Checks in a sandboxed process whether a report from a stranger can be opened without harming the page.

A file of a few kilobytes can hold a hundred million rows, and a document can take minutes to parse. In the page's own
process, either would bring the page down for all visitors.
"""

import sys
from pathlib import Path

from diffing.errors import DiffingError, LimitError
from diffing.jobs import keep_within_bounds
from diffing.view.report_size import excess_of
from diffing.view.sandbox import MEMORY, SECONDS, run_sandboxed


def check_openable(folder: Path, name: str, *, memory: int = MEMORY, seconds: float = SECONDS) -> None:
    """Makes sure that a report can be opened within limits of memory and time.

    Args:
        folder: The folder of the report.
        name: The name of the report in error messages.
        memory: Maximum number of bytes of memory.
        seconds: Maximum computing time.

    Raises:
        LimitError: The report exceeds a limit, or is damaged.
    """
    if run_sandboxed(__name__, str(folder), memory=memory, seconds=seconds) is None:
        raise LimitError(
            f"The report in {name} cannot be opened here: it is damaged, holds more than a page can show to many "
            f"visitors, or reading it takes more than {seconds:g} seconds or {memory / 2**30:g} GB. Expected one that "
            "`diffing push` made: open another one, or open this one on your own machine (diffing show)"
        )


def main(memory: str, seconds: str, folder: str) -> int:
    """Opens the report and renders its tabs as the page would; returns the exit status."""
    keep_within_bounds(memory=int(memory), seconds=float(seconds))
    from diffing.report import load_report
    from diffing.view.result import result_html
    from diffing.view.result.entry_filter import EntryFilter
    from diffing.view.result.report_cache import OpenedReport

    try:
        report = load_report(Path(folder), token=False)
        if excess_of(report):
            return 1
        opened = OpenedReport(report)
        result_html.overview(opened, "")
        result_html.listed(opened, EntryFilter())
        _ = opened.index.judgements, opened.index.places
        for tab in (
            result_html.sae_features,
            result_html.methods,
            result_html.how,
        ):
            tab(opened)
    except (DiffingError, MemoryError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
