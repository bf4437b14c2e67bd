"""Whether a report that strangers wrote can be opened here: found out in a process of its own, which may die of it.

A file of some kilobytes can hold a hundred million rows, and a document what takes minutes to read: the page's own
process would end of it, for all visitors.
"""

import sys
from pathlib import Path

from diffing.errors import DiffingError, LimitError
from diffing.jobs import keep_within_bounds
from diffing.view.report_size import excess_of
from diffing.view.sandbox import MEMORY, SECONDS, run_apart


def check_openable(folder: Path, name: str, *, memory: int = MEMORY, seconds: float = SECONDS) -> None:
    """Makes sure that a report can be opened without harm.

    Args:
        folder: Of the report.
        name: What it is called where it comes from.
        memory: Bytes that reading it may take.
        seconds: Time that reading it may take.

    Raises:
        LimitError: It takes more, or is damaged.
    """
    if run_apart(__name__, str(folder), memory=memory, seconds=seconds) is None:
        raise LimitError(
            f"The report in {name} cannot be opened here: it is damaged, holds more than a page can show to many "
            f"visitors, or reading it takes more than {seconds:g} seconds or {memory / 2**30:g} GB. Expected one that "
            "`diffing push` made: open another one, or this one on a machine of your own (diffing show)"
        )


def main(memory: str, seconds: str, folder: str) -> int:
    """Opens it and its tabs as the page does when somebody comes; gives the exit status."""
    keep_within_bounds(memory=int(memory), seconds=float(seconds))
    from diffing.report import load_report
    from diffing.view.result import result_html
    from diffing.view.result.entry_filter import Filter
    from diffing.view.result.report_cache import Opened

    try:
        report = load_report(Path(folder), token=False)
        if excess_of(report):
            return 1
        opened = Opened(report)
        result_html.overview(opened, "")
        result_html.listed(opened, Filter())
        _ = opened.index.judgements, opened.index.places
        for tab in (
            result_html.domains,
            result_html.sae_features,
            result_html.methods,
            result_html.how,
            result_html.forest_plot,
        ):
            tab(opened)
    except (DiffingError, MemoryError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
