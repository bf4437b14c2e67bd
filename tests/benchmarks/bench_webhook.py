"""Measures how long webhook deliveries wait for an answer, while the worker is idle and while it runs a comparison.

`python -m tests.benchmarks.bench_webhook` sends 1,000 deliveries, of which 21 are new revisions, in a steady stream
over HTTP on loopback. First the worker runs in its own process, as always, and then in a thread of the server, to show
why it does not. The aim is 100 ms.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx2

from tests.annotate.service import ALLOWED, SECRET, as_request, free_port
from tests.annotate.test_service import traffic

PAUSE = 0.02
"""Seconds between two deliveries."""


def work_forever(folder: Path, computing: bool) -> None:
    """The worker's task: a comparison of the demo models for every job, or nothing."""
    from diffing.annotate.revision_queue import QUEUE, RevisionJob, RevisionQueue
    from diffing.annotate.worker import FinishedJob, Worker
    from diffing.demo.config import demo_config
    from diffing.models.cache import Store
    from diffing.run import run
    from diffing.types import OnProgress

    def work(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
        if computing:
            run(demo_config(), store=Store(folder / job.task.commit), on_progress=on_progress)
        return FinishedJob()

    Worker(RevisionQueue(folder / QUEUE), work).run()


class WorkerThread:
    """Runs the worker like `Supervisor` does, but within the server's process."""

    def __init__(self, live: Callable[..., None], *arguments: object) -> None:
        self._thread = threading.Thread(target=live, args=arguments, daemon=True)

    def start(self) -> None:
        """Starts the worker's thread."""
        self._thread.start()

    def stop(self) -> None:
        """Does nothing, because the thread ends with the process."""


def serve(folder: Path, port: int, how: str) -> None:
    """Runs the service without its status page."""
    import uvicorn

    from diffing.annotate.app import Webhook
    from diffing.annotate.revision_queue import QUEUE, RevisionQueue
    from diffing.annotate.settings import AnnotatorSettings
    from diffing.jobs import Supervisor

    kind = WorkerThread if how == "thread" else Supervisor
    from tests.benchmarks import bench_webhook  # the other process imports this module by this name

    worker = kind(bench_webhook.work_forever, folder, how != "rest")
    app = Webhook(AnnotatorSettings(allow=(ALLOWED,)), SECRET, RevisionQueue(folder / QUEUE)).serve(worker)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def measure(how: str) -> list[float]:
    """Sends deliveries, and returns how long each one took in seconds."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        port = free_port()
        server = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bench_webhook", folder, str(port), how])
        try:
            return deliver(f"http://127.0.0.1:{port}/webhooks/model-diff")
        finally:
            server.kill()
            server.wait()


def deliver(address: str) -> list[float]:
    """Sends all deliveries, one after another."""
    taken = []
    with httpx2.Client(timeout=30.0) as client:
        while True:
            try:
                client.get(address)
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        for body, secret in traffic():
            content, headers = as_request(body, secret)
            begun = time.perf_counter()
            client.post(address, content=content, headers=headers)
            taken.append(time.perf_counter() - begun)
            time.sleep(PAUSE)
    return taken


def summary(name: str, taken: Sequence[float]) -> str:
    """Formats the times as one line, in milliseconds."""
    cuts = statistics.quantiles(taken, n=100)
    figures = {"median": cuts[49], "95%": cuts[94], "99%": cuts[98], "longest": max(taken)}
    return f"{name}: " + ", ".join(f"{key} {1000 * value:.1f} ms" for key, value in figures.items())


def main() -> None:
    """Measures and prints all three cases."""
    print(summary("at rest", measure("rest")))
    print(summary("while a comparison runs", measure("process")))
    print(summary("the same in a thread", measure("thread")))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    else:
        main()
