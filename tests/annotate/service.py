"""The real service, without its page, in a process of its own; and what a test sends it.

Its work is a small real deed: a file per revision, made slowly enough to be killed in the middle. A second deed of the
same revision would leave a second line in `deeds`.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from tests.waiting import DEADLINE, until

SECRET = "correct horse battery staple"
ALLOWED = "alice"


def payload(repository: str = "alice/tuned", commit: str = "a" * 40, **changes: object) -> dict[str, object]:
    """A delivery of the Hub about a push to main; `changes` replace parts of it."""
    return {
        "event": {"action": "update", "scope": "repo.content"},
        "repo": {"type": "model", "name": repository, "id": "1", "private": False, "headSha": commit},
        "updatedRefs": [{"ref": "refs/heads/main", "oldSha": "0" * 39 + "1", "newSha": commit}],
        "webhook": {"id": "2", "version": 3},
        **changes,
    }


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


class Service:
    """A running service."""

    def __init__(self, folder: Path, port: int, *arguments: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.address = f"{self.url}/webhooks/model-diff"
        self.log = folder / "service.log"
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tests.annotate.service", str(folder), str(port), *arguments]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[2])

    def wait(self) -> None:
        """Until it answers."""
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        time.sleep(0.1)  # asking takes as much time as the start
        try:
            httpx2.get(f"{self.url}/webhooks/model-diff", timeout=DEADLINE)
        except httpx2.TransportError:
            return False
        return True

    def kill(self) -> None:
        """As a machine that loses its power."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.kill()


def as_request(body: object, secret: str | None = SECRET) -> tuple[bytes, dict[str, str]]:
    """The content and the headers of a delivery."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return content, {"content-type": "application/json"} | ({} if secret is None else {"x-webhook-secret": secret})


def send(client: httpx2.Client, service: Service, body: object, secret: str | None = SECRET) -> httpx2.Response:
    content, headers = as_request(body, secret)
    return client.post(service.address, content=content, headers=headers)


def work_forever(folder: Path) -> None:
    """What the worker's process does; from the third job on it waits while there is a file `hold`."""
    from diffing.annotate.revision_queue import QUEUE, RevisionJob, RevisionQueue
    from diffing.annotate.worker import FinishedJob, Worker
    from diffing.types import OnProgress

    def work(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
        on_progress("responses a", 1, 2)
        with (folder / "begun").open("a") as begun:
            begun.write(f"{job.task.repository} {job.task.commit}\n")
        until(lambda: not (folder / "hold").exists() or len((folder / "begun").read_text().splitlines()) < 3)
        effect = folder / "effects" / job.task.commit
        effect.parent.mkdir(exist_ok=True)
        if not effect.exists():  # as a dataset that is the same already is not committed again
            with (folder / "deeds").open("a") as deeds:
                deeds.write(f"{job.task.commit}\n")
            effect.touch()
        return FinishedJob(dataset=f"https://hub.example/datasets/bot/{job.task.commit}")

    Worker(RevisionQueue(folder / QUEUE), work).run()


def main(folder: Path, port: int) -> None:
    import uvicorn

    from diffing.annotate.app import Webhook
    from diffing.annotate.revision_queue import QUEUE, RevisionQueue
    from diffing.annotate.settings import AnnotatorSettings
    from diffing.jobs import Supervisor
    from tests.annotate import service  # this module by the name by which the other process finds it

    settings = AnnotatorSettings(allow=(ALLOWED,), folder=str(folder))
    app = Webhook(settings, SECRET, RevisionQueue(folder / QUEUE)).serve(Supervisor(service.work_forever, folder))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
