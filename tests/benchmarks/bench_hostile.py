"""Measures how long the worst requests of one visitor delay the page for another visitor.

`python -m tests.benchmarks.bench_hostile [NAME ...]`, on a machine that does nothing else. For each request it gives
the longest time that the other visitor waits for the page, and how long the page takes without it. The aim is 1 s.
"""

import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from diffing.view.runs import PUBLIC
from tests.hub import LocalHub
from tests.view.journeys.world import environment
from tests.view.served import served
from tests.view.worst import Attacker, attacks, publish

SERVE, PULSE = "--serve", "--pulse"
BEFORE = 20
"""How often the page is requested while there is no other visitor."""


class Other(threading.Thread):
    """A visitor who requests the page again and again, and records how long it takes."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._ended = url, threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        with httpx2.Client(timeout=600.0) as client:
            while not (self.seconds and self._ended.is_set()):
                began = time.monotonic()
                client.get(self._url).raise_for_status()
                self.seconds.append(time.monotonic() - began)
                time.sleep(0.02)

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextmanager
def another(url: str) -> Iterator[Other]:
    other = Other(url)
    other.start()
    try:
        yield other
    finally:
        other.end()


def main(names: list[str]) -> None:
    def chosen(name: str) -> bool:
        return not names or any(name.startswith(each) for each in names)

    with tempfile.TemporaryDirectory() as name, LocalHub() as hub, environment(hub, Path(name)):
        publish(hub, Path(name) / "hub-files", chosen)
        # the server runs in its own process, like the visitors
        with served_apart(Path(name) / "site") as (url, computed):
            alone = Other(url)
            alone.start()
            while len(alone.seconds) < BEFORE:
                time.sleep(0.1)
            alone.end()
            print(f"alone: longest {1000 * max(alone.seconds[3:]):.0f} ms; load {os.getloadavg()[0]:.1f}")
            attacker, worst, most = Attacker(url), 0.0, 0.0
            for attack in attacks(attacker):
                if not chosen(attack.name):
                    continue
                computed()
                with another(url) as other:
                    began = time.monotonic()
                    said = attack.send()
                    took = time.monotonic() - began
                held, own = max(other.seconds), computed()
                most = max(most, own)
                worst = max(worst, held)
                print(
                    f"{attack.name}: took {took:.1f} s, held another visitor {1000 * held:.0f} ms, computed at one go "
                    f"{1000 * own:.0f} ms  ({said[:100]!r})",
                    flush=True,
                )
            print(f"longest: held {1000 * worst:.0f} ms, computed at one go {1000 * most:.0f} ms")


@contextmanager
def served_apart(folder: Path) -> Iterator[tuple[str, Callable[[], float]]]:
    """Runs the page in its own process; yields its address, and a function that returns the delays recorded since its
    last call."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_hostile", SERVE, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = next(line.split()[1] for line in process.stdout if line.startswith(SERVE))

        def computed() -> float:
            process.send_signal(signal.SIGUSR1)
            return float(next(line.split()[1] for line in process.stdout or () if line.startswith(PULSE)))

        yield url, computed
    finally:
        process.kill()
        process.wait()


class Pulse(threading.Thread):
    """Records for how long the server's process computed without another thread getting a turn.

    It counts processor time, so that other programs on the machine do not matter.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest = 0.0

    def run(self) -> None:
        while True:
            before = time.process_time()
            time.sleep(0.005)
            self.longest = max(self.longest, time.process_time() - before)

    def tell(self, *_: object) -> None:
        print(PULSE, self.longest, flush=True)
        self.longest = 0.0


def serve(folder: Path) -> None:
    pulse = Pulse()
    pulse.start()
    signal.signal(signal.SIGUSR1, pulse.tell)
    # as `warm_up` does while the first page is served
    for name in ("torch", "transformers"):
        importlib.import_module(name)
    with served(folder, rules=PUBLIC) as at:
        print(SERVE, at.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    serve(Path(sys.argv[2])) if sys.argv[1:2] == [SERVE] else main(sys.argv[1:])
