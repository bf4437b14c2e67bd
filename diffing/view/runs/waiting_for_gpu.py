"""Runs whose local models answer on what is lent to a visitor alone, before they stand in line: on ZeroGPU a GPU.

What is lent, is lent to an event of the visitor's page. So a page has the answers given; the run's own process then
finds them in the completions cache.
"""

import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

from diffing.config import DiffConfig
from diffing.errors import DiffingError
from diffing.view.runs.access import SignInError
from diffing.view.runs.process import Ended, Live
from diffing.view.runs.run_state import RunState
from diffing.view.runs.run_store import Records

Answers: TypeAlias = Callable[[DiffConfig], Iterator[tuple[str, int, int]]]
"""Has the local models of a run answer, into the completions cache; tells stage, how many, of how many."""
_UNEXPECTED = "The answers ended unexpectedly. What was answered is kept: go on to try again"

_UNATTENDED = (
    "Its models answer on a GPU lent to who opens its link: open it in a browser, and leave it open for a while"
)


class Lent:
    """Part of a desk, under its lock."""

    def __init__(self, changed: threading.Condition, records: Records, enter: Callable[[str, Live], None]) -> None:
        self._changed = changed
        self._records = records
        self._enter = enter
        self._lives: dict[str, Live] = {}
        self._attended: set[str] = set()

    def __iter__(self) -> Iterator[Live]:
        return iter(self._lives.values())

    def add(self, run_id: str, live: Live) -> None:
        """A run that waits for its answers."""
        self._lives[run_id] = live

    def get(self, run_id: str) -> Live | None:
        """The run, where it waits for its answers."""
        return self._lives.get(run_id)

    def pop(self, run_id: str) -> Live | None:
        """The run, which then waits no more."""
        return self._lives.pop(run_id, None)

    def state(self, run_id: str) -> RunState | None:
        """Where the run stands, where it waits for its answers."""
        live = self._lives.get(run_id)
        if live is None:
            return None
        attended = run_id in self._attended
        return RunState("lending", attended=attended, stages=live.watch.stages, reason="" if attended else _UNATTENDED)

    def close(self) -> None:
        """Pages that still have answers given end nothing any more; another desk takes the runs on."""
        self._lives.clear()

    def lend(self, run_id: str, answers: Answers) -> Iterator[None]:
        """See `Desk.lend`."""
        with self._changed:
            live, record = self._lives.get(run_id), self._records.get(run_id)
            if live is None or record is None or run_id in self._attended:
                return
            self._attended.add(run_id)
        ended: Ended | None = Ended("failed", _UNEXPECTED)
        try:
            for stage, done, total in answers(record.task.config):
                live.watch.tell(stage, done, total)
                yield
                if self._lives.get(run_id) is not live:  # it was stopped
                    return
            ended = Ended("queued")
        except GeneratorExit:
            ended = None
            raise
        except SignInError as error:
            ended = Ended("waiting", " ".join(str(error).split()))
        except DiffingError as error:
            ended = Ended("failed", " ".join(str(error).split()))
        finally:
            with self._changed:
                self._attended.discard(run_id)
                if ended is not None and self._lives.get(run_id) is live:
                    self._end(run_id, live, ended)

    def _end(self, run_id: str, live: Live, ended: Ended) -> None:
        del self._lives[run_id]
        if ended.state == "queued":
            self._records.requeue(run_id)
            self._enter(run_id, Live(live.owner, live.token))
        else:
            self._records.move(run_id, ended.state, ended.reason, live.watch.told)
