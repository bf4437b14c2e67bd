"""Measures what lies between a click on Compare and the answer: `python -m tests.benchmarks.bench_click` (Chromium).

The embedded pair is compared with the settings that the form offers. The seconds by the clock count only on a machine
that does nothing else; the processor seconds are those of the app and of every process that it starts. The aims are 40
seconds by the clock, and an estimate beside the button that is right within a factor of two.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from diffing.config import DiffConfig, Limits
from diffing.demo.config import FOLDER
from diffing.estimate import estimate
from diffing.view.start.start_html import SIZE, SIZES
from tests.benchmarks.bench_page import app, can_be_used, comes
from tests.benchmarks.speed import row, store
from tests.conftest import ARGUMENTS

ROUNDS = 2
LONGEST = 600_000
"""Milliseconds until an answer counts as never coming."""
_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds() -> float:
    """What the processes started from here have used, with those that they started and that have ended."""
    return sum(sum(_fields(pid)[13:17]) for pid in _family(os.getpid()) if _command(pid)) / _TICKS


def _family(pid: int) -> Iterator[int]:
    for each in Path("/proc").iterdir():
        if each.name.isdecimal() and (found := _fields(int(each.name))) and found[3] == pid:
            yield int(each.name)
            yield from _family(int(each.name))


def _fields(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat in their places; those of words are 0. Empty if the process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return []
    _, _, rest = stat.rpartition(")")
    return [pid, 0, 0, *(int(each) for each in rest.split()[1:])]


def _command(pid: int) -> bool:
    """Whether a process is Python's, so that the browser does not count."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").startswith(("python", "diffing"))
    except OSError:
        return False


def named(page: Any) -> str:
    """Names the pair; returns the estimate in words."""
    for name, label in (("base", "Model A"), ("tuned", "Model B")):
        field = page.get_by_role("combobox", name=label)
        field.fill(str(FOLDER / "models" / name))
        field.press("Tab")
    page.get_by_role("button", name="Compare", disabled=False).wait_for()
    said: str = page.locator("[data-said]").inner_text()
    return said


def answers(page: Any) -> tuple[float, float, str]:
    """Compares the pair; returns the seconds by the clock and of the processor, and the estimate in words."""
    said = named(page)
    time.sleep(10.0)  # by now the app has imported torch, as for anybody who fills in the form by hand
    used, began = processor_seconds(), time.perf_counter()
    page.get_by_role("button", name="Compare").click()
    page.locator("#headline").wait_for(timeout=LONGEST)
    return time.perf_counter() - began, processor_seconds() - used, said


def expected_seconds() -> float:
    """The estimate of the same run before it is put into words."""
    _, train, heldout, _ = SIZES[SIZE]
    base, tuned = (str(FOLDER / "models" / name) for name in ("base", "tuned"))
    total = estimate(DiffConfig(model_a=base, model_b=tuned, train=train, heldout=heldout), Limits()).total
    return 60 * (total.minutes or 0.0)


def main() -> None:
    """Prints and stores the medians, with the load of the machine."""
    clock, processor, said = [], [], ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as name, app(Path(name)) as url:
                page = browser.new_page()
                comes(page, url)
                can_be_used(page)
                seconds, used, said = answers(page)
                clock.append(seconds)
                processor.append(used)
                page.close()
        browser.close()
    rows = [
        row("the estimate of the run", expected_seconds(), "s", "half to twice of what it took"),
        row("from the click to the answer", statistics.median(clock), "s", "40 s"),
        row("the same, processor time", statistics.median(processor), "processor s", ""),
    ]
    about = f"Medians of {ROUNDS}. The page's estimate: {said}"
    store("click", "From Compare to the answer", about, rows, {"load": f"{os.getloadavg()[0]:.1f}"})


if __name__ == "__main__":
    main()
