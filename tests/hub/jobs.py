"""Jobs: what was asked for, and a thread that runs it as the test says."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Runner = Callable[["Job"], None]


@dataclass
class Job:
    id: str
    owner: str
    created_at: str
    spec: dict[str, Any]
    """As sent: command, arguments, environment, secrets, flavor, timeoutSeconds, dockerImage, labels ..."""
    stage: str = "SCHEDULING"
    message: str | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def command(self) -> list[str]:
        return [*self.spec.get("command", []), *self.spec.get("arguments", [])]

    @property
    def environment(self) -> dict[str, str]:
        """What the process would see, secrets included."""
        return {**self.spec.get("environment", {}), **self.spec.get("secrets", {})}

    @property
    def finished(self) -> bool:
        return self.stage in ("COMPLETED", "ERROR", "CANCELED")

    def log(self, line: str) -> None:
        self.lines.append(line)

    def as_json(self) -> dict[str, Any]:
        """Without the values of secrets, as on the Hub."""
        shown = {key: value for key, value in self.spec.items() if key not in ("secrets", "attempts")}
        return {
            **shown,
            "id": self.id,
            "createdAt": self.created_at,
            "secrets": dict.fromkeys(self.spec.get("secrets", {}), ""),
            "owner": {"id": self.id, "name": self.owner, "type": "user"},
            "status": {"stage": self.stage, "message": self.message},
        }


class Jobs:
    def __init__(self) -> None:
        self.all: list[Job] = []
        self.runner: Runner | None = None
        """Does the work of a job, with `job.log(line)` for its output; what it raises makes the job fail. None: every
        job ends well at once."""
        self._threads: list[threading.Thread] = []

    def __iter__(self) -> Any:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, index: int) -> Job:
        return self.all[index]

    def submit(self, job: Job) -> None:
        self.all.append(job)
        thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        for thread in self._threads:
            thread.join(timeout=5.0)

    def _run(self, job: Job) -> None:
        job.stage = "RUNNING"
        try:
            if self.runner is not None:
                self.runner(job)
        except Exception as error:  # noqa: BLE001 - whatever the work raises, the job has failed
            job.message = f"Job failed: {error}"
            job.stage = "ERROR"
        if job.stage == "RUNNING":
            job.stage = "COMPLETED"
