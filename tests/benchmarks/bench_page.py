"""Measures how long a visitor waits for the start page, for a finished comparison, and for its evidence.

`python -m tests.benchmarks.bench_page`, with Chromium, on a machine that does nothing else. The aims are 2.5 s
from `python app.py` to a page that can be read, 3 s to a comparison on 1,000 prompts, and 1 s to the evidence of one
finding.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from diffing.report import save_report
from diffing.types import Report
from tests.conftest import ARGUMENTS
from tests.outputs.samples import medium_report
from tests.view.journeys.world import keep

REPEATED = 5
COPIES = 5
"""The number of copies of each finding in the large result, so that its findings fill more than one page."""
ROOT = Path(__file__).parents[2]


def large() -> Report:
    """Saves a report of 10,000 prompts, 72 findings and 180,000 verdicts; a copy of a finding has every tenth of its
    verdicts."""
    report = medium_report(train=6000, heldout=4000)
    findings, judgements = list(report.findings), list(report.judgements)
    for number in range(COPIES):
        findings += [
            replace(each, hypothesis=replace(each.hypothesis, id=f"{each.hypothesis.id}-{number}"))
            for each in report.findings
        ]
        judgements += [
            replace(each, hypothesis_id=f"{each.hypothesis_id}-{number}")
            for place, each in enumerate(report.judgements)
            if place % 10 == number
        ]
    return replace(report, findings=tuple(findings), judgements=tuple(judgements))


@contextmanager
def app(folder: Path) -> Iterator[str]:
    """Runs `python app.py` with its own home folder; yields the address before the server answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"HOME": str(folder), "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "0"}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=os.environ | own, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)


def comes(page: Any, url: str) -> None:
    """Opens the page as soon as the server answers."""
    port = int(url.rsplit(":", 1)[1].strip("/"))
    while True:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.01)
    page.goto(url, wait_until="commit")
    page.get_by_role("heading", level=1).first.wait_for()


def can_be_used(page: Any) -> None:
    """Waits until Gradio's page has taken the place of the first one."""
    page.locator(".block.site-address").wait_for(state="attached")
    page.get_by_role("heading", level=1).first.wait_for()


def opens(page: Any, url: str, run_id: str, took: dict[str, list[float]], size: str) -> None:
    """Opens a result, the evidence of two findings, the next pair and the next page of the list."""

    def timed(what: str, act: Any, shown: Any) -> None:
        began = time.perf_counter()
        act()
        shown.wait_for()
        took[f"{size}: {what}"].append(time.perf_counter() - began)

    timed("headline", lambda: page.goto(f"{url}?run={run_id}", wait_until="commit"), page.locator("#headline"))
    page.locator("[data-list] [data-shown]").wait_for()
    first = page.locator("#f1 > details")
    timed("evidence", lambda: first.locator("summary").first.click(), page.locator("#f1 .example").first)
    following = page.locator("#f1 [data-focus=next]").first
    timed("next pair", following.click, page.locator("#f1 .pager").get_by_text("2 of").first)
    further = page.locator("[data-part=differences] > .pager [data-focus=next]")
    if further.count():
        timed("next findings", further.click, page.locator("[data-part=differences] > .pager").get_by_text("page 2 of"))
        last = page.locator("[data-list] details[data-finding]").last
        timed("evidence of the last", last.locator("summary").first.click, last.locator(".example").first)


def main() -> None:
    """Prints the median and the longest times, with the load of the machine."""
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        site = folder / ".cache" / "diffing-site"
        save_report(medium_report(train=600, heldout=400), folder / "thousand")
        save_report(large(), folder / "large")
        for number in range(REPEATED):
            for size in ("thousand", "large"):
                keep(site, f"{size}-{number}", "done")
                shutil.copytree(folder / size, site / "runs" / f"{size}-{number}" / "report")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for _ in range(REPEATED):
            page = browser.new_page()
            began = time.perf_counter()
            with app(folder) as url:
                comes(page, url)
                took["python app.py to a page that can be read"].append(time.perf_counter() - began)
                can_be_used(page)
                took["python app.py to a page that can be used"].append(time.perf_counter() - began)
            page.close()
        with app(folder) as url:
            for number in range(REPEATED):
                page = browser.new_page()
                page.set_default_timeout(60_000)
                comes(page, url)
                can_be_used(page)
                for size in ("thousand", "large"):
                    opens(page, url, f"{size}-{number}", took, size)
                page.close()
        browser.close()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for what, seconds in took.items():
        print(f"{what}: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
