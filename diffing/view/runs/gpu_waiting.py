"""Keeps the runs that wait until a visitor's page lends them a GPU (on ZeroGPU), before they are queued.

ZeroGPU lends a GPU to an event of the visitor's page. So a page event first has the local models answer all prompts,
and the run's own process later finds the responses in the completions cache.
"""

import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

from diffing.config import DiffConfig
from diffing.errors import DiffingError
from diffing.view.runs.access import SignInError
from diffing.view.runs.run_state import RunState
from diffing.view.runs.run_store import RunStore
from diffing.view.runs.run_supervisor import ActiveRun, RunOutcome

AnswerPrompts: TypeAlias = Callable[[DiffConfig], Iterator[tuple[str, int, int]]]
"""Has the local models of a run answer its prompts into the completions cache; yields stage, items done, and total."""
_UNEXPECTED = "Generating responses ended unexpectedly. Answers so far are saved: resume to try again"

_UNATTENDED = (
    "Its models need a GPU that is lent to a visitor: open its link in a browser, and keep the page open for a while"
)


class RunsWaitingForGpu:
    """The waiting runs of a `RunManager`, guarded by its lock."""

    def __init__(self, changed: threading.Condition, store: RunStore, enter: Callable[[str, ActiveRun], None]) -> None:
        self._changed = changed
        self._store = store
        self._enter = enter
        self._runs: dict[str, ActiveRun] = {}
        self._attended: set[str] = set()

    def __iter__(self) -> Iterator[ActiveRun]:
        return iter(self._runs.values())

    def add(self, run_id: str, run: ActiveRun) -> None:
        """Adds a run."""
        self._runs[run_id] = run

    def get(self, run_id: str) -> ActiveRun | None:
        """The run, if it waits for a GPU."""
        return self._runs.get(run_id)

    def pop(self, run_id: str) -> ActiveRun | None:
        """Removes the run and returns it, if it waits for a GPU."""
        return self._runs.pop(run_id, None)

    def state(self, run_id: str) -> RunState | None:
        """The state of the run, if it waits for a GPU."""
        run = self._runs.get(run_id)
        if run is None:
            return None
        attended = run_id in self._attended
        return RunState(
            "lending", attended=attended, stages=run.progress.stages, reason="" if attended else _UNATTENDED
        )

    def close(self) -> None:
        """Forgets all runs, so that pages that are still lending a GPU change nothing.

        A later run manager resumes the runs.
        """
        self._runs.clear()

    def lend(self, run_id: str, answers: AnswerPrompts) -> Iterator[None]:
        """See `RunManager.lend`."""
        with self._changed:
            run, record = self._runs.get(run_id), self._store.get(run_id)
            if run is None or record is None or run_id in self._attended:
                return
            self._attended.add(run_id)
        outcome: RunOutcome | None = RunOutcome("failed", _UNEXPECTED)
        try:
            for stage, done, total in answers(record.task.config):
                run.progress.update(stage, done, total)
                yield
                if self._runs.get(run_id) is not run:  # it was stopped
                    return
            outcome = RunOutcome("queued")
        except GeneratorExit:
            outcome = None
            raise
        except SignInError as error:
            outcome = RunOutcome("waiting", " ".join(str(error).split()))
        except DiffingError as error:
            outcome = RunOutcome("failed", " ".join(str(error).split()))
        finally:
            with self._changed:
                self._attended.discard(run_id)
                if outcome is not None and self._runs.get(run_id) is run:
                    self._end(run_id, run, outcome)

    def _end(self, run_id: str, run: ActiveRun, outcome: RunOutcome) -> None:
        del self._runs[run_id]
        if outcome.state == "queued":
            self._store.requeue(run_id)
            self._enter(run_id, ActiveRun(run.owner, run.token))
        else:
            self._store.move(run_id, outcome.state, outcome.reason, run.progress.snapshot)
