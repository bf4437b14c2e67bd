"""Whether a report that strangers wrote can be opened here: found out in a process of its own, which may die of it.

A file of some kilobytes can hold a hundred million rows, and a document what takes minutes to read: the page's own
process would end of it, for all visitors.
"""

import os
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from diffing.errors import DiffingError, LimitError
from diffing.view.excess import excess_of

MEMORY = 4 * 2**30
"""Bytes of address space, libraries included; a report of 10,000 prompts takes a third of it."""
SECONDS = 30.0
"""Of computing, and of waiting."""
_AT_ONCE = threading.BoundedSemaphore(2)
_POLITE = 10
"""Lower priority than the page's."""


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
    # hostile bytes meet libraries there: nothing of this process's environment that could be a secret
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "OMP_NUM_THREADS": "1"}
    environment |= {each: os.environ[each] for each in ("PATH", "HOME", "LD_LIBRARY_PATH") if each in os.environ}
    command = [sys.executable, "-P", "-m", __name__, str(folder), str(memory), str(seconds)]
    quiet = subprocess.DEVNULL
    try:
        with _AT_ONCE:
            done = subprocess.run(
                command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, timeout=seconds, check=False
            )
        opened = done.returncode == 0
    except subprocess.TimeoutExpired:
        opened = False
    if not opened:
        raise LimitError(
            f"The report in {name} cannot be opened here: it is damaged, holds more than a page can show to many "
            f"visitors, or reading it takes more than {seconds:g} seconds or {memory / 2**30:g} GB. Expected one that "
            "`diffing push` made: open another one, or this one on a machine of your own (diffing show)"
        )


def main(folder: str, memory: str, seconds: str) -> int:
    """Opens it and its tabs as the page does when somebody comes; gives the exit status."""
    for limit, most in ((resource.RLIMIT_AS, int(memory)), (resource.RLIMIT_CPU, max(int(float(seconds)), 1))):
        with suppress(ValueError, OSError):  # some systems have no such limit
            resource.setrlimit(limit, (most, most))
    os.nice(_POLITE)
    from diffing.report import load_report
    from diffing.view.result import made
    from diffing.view.result.choice import Filter
    from diffing.view.result.shelf import Opened

    try:
        report = load_report(Path(folder), token=False)
        if excess_of(report):
            return 1
        opened = Opened(report)
        made.overview(opened, "")
        made.listed(opened, Filter())
        _ = opened.judgements, opened.places
        for tab in (made.domains, made.sae_features, made.methods, made.how, made.forest_text):
            tab(opened)
    except (DiffingError, MemoryError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
