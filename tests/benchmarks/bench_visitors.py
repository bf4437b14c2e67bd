"""Measures how long eight simultaneous visitors wait for the page while two comparisons of the demo models run.

`python -m tests.benchmarks.bench_visitors`, on a machine that does nothing else. The aim is 1 s.
"""

import os
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from diffing.view.runs import PUBLIC
from tests.view.progress.test_visitors import comes_and_looks, started
from tests.view.progress.visits import Visit
from tests.view.served import served

VISITORS = 8


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "site", rules=PUBLIC) as at,
        ExitStack() as all_,
    ):
        visits = [all_.enter_context(Visit(at.url, f"session{number}")) for number in range(VISITORS)]
        ids = [started(at, number) for number in range(VISITORS)]
        with ThreadPoolExecutor(VISITORS) as pool:
            list(pool.map(comes_and_looks, visits, ids))
        running, _ = at.site.run_manager.busy
        print(f"{running} comparisons running at the end; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for what in ("page", "load", "state"):
            seconds = [each for visit in visits for each in visit.seconds[what]]
            p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
            print(f"{what}: {len(seconds)} times, median {1000 * p50:.0f} ms, 99% within {1000 * p99:.0f} ms")
        for run_id in ids:
            at.site.run_manager.cancel(run_id)


if __name__ == "__main__":
    main()
