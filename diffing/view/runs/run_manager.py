"""Takes runs from visitors, does several at a time, and finds them again after a restart.

Every run has a folder and a process of its own; all share the completions cache. What is on disk holds no token: a run
that was begun signed in goes on without as far as it can, and then waits for its visitor.
"""

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from diffing.config import DiffConfig, Limits
from diffing.errors import LimitError, SettingError
from diffing.view.runs.process import Ended, Live, RunProcess
from diffing.view.runs.run_process import Order
from diffing.view.runs.run_state import RunState
from diffing.view.runs.run_store import SHARED, Record, Records, digest
from diffing.view.runs.uploads import Uploads
from diffing.view.runs.visitor_rules import PUBLIC, Rules, allowed
from diffing.view.runs.waiting_for_gpu import Answers, Lent

_MOST_TRIES = 3
"""Restarts in the middle of one run after which it is given up: it may be what takes the machine down."""
_LOCK_SECONDS = 5.0
"""How long to wait for an app that is about to end."""


class Desk:
    """Runs of many visitors. Threads may share it; one process owns its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        rules: Rules = PUBLIC,
        lends: Callable[[DiffConfig], bool] = lambda config: False,
    ) -> None:
        """Goes on with the runs that were unfinished when the folder was last used.

        Args:
            folder: Where runs, reports and completions are kept; made where missing, for this account's eyes only.
            workers: Runs at a time.
            rules: Hard limits.
            lends: Whether a run computes on what is lent to its visitor alone: then it waits for `lend` before it
                stands in line.

        Raises:
            SettingError: Another process owns the folder, or it cannot be made.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingError(
                f"Runs cannot be kept in {folder} ({error.strerror}): expected a folder that can be written to. Give "
                "another one with --folder, or with DIFFING_SITE"
            ) from None
        self.folder = folder
        """Where everything is kept."""
        self._rules, self._lends = rules, lends
        # released by the system when this process ends, also when it is killed
        self._folder_lock = FileLock(folder / "desk.lock", thread_local=False)
        try:
            self._folder_lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise SettingError(f"Another app uses {folder}: end it, or give this one another folder") from None
        self._records = Records(folder / "runs.sqlite")
        self.uploads = Uploads(folder / "uploads")
        """Responses that visitors bring."""
        self._changed = threading.Condition()
        self._closed = False
        self._live: dict[str, Live] = {}
        self._lent = Lent(self._changed, self._records, self._enter)
        with self._changed:
            self._recover()
        self._threads = [threading.Thread(target=self._work, name="runs", daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def start(self, config: DiffConfig, limits: Limits | None = None, *, owner: str, token: str | None = None) -> str:
        """Puts a run in line.

        Args:
            config: What to do.
            limits: The visitor's own hard limits.
            owner: Who asks: an account, or an address, which begins with `SHARED`. Only a digest is kept.
            token: The visitor's own token of the Hub, which stays in memory while the run waits or runs.

        Returns:
            The run's id, which cannot be guessed: whoever has it, sees the run.

        Raises:
            SettingError: A setting that cannot be used, or not here.
            LimitError: More than one run or one visitor may take here.
        """
        hard = allowed(config, limits or Limits(), self._rules)
        if self._lends(config) and config.dtype == "auto":
            # as answers are lent: the run's own process has no GPU, and would look for those of another type
            config = replace(config, dtype="bfloat16")
        self.uploads.resolved(config)  # told before it stands in line
        run_id, who = secrets.token_urlsafe(18), digest(owner)
        with self._changed:
            self._check_room(who)
            self._clear_up()
            self._records.add(run_id, who, config, hard)
            self._admit(run_id, config, Live(who, token))
        return run_id

    def resume(self, run_id: str, *, owner: str | None = None, token: str | None = None) -> None:
        """Goes on with a run that was stopped, failed, or waits for its visitor; what was done is not done again.

        Args:
            run_id: The run.
            owner: Who asks now; None counts it among the runs of whoever began it.
            token: As for `start`; a run that waits in line without one, as after a restart, takes it too.

        Raises:
            SettingError: There is no such run.
            LimitError: More than one visitor may take here.
        """
        with self._changed:
            record = self._record(run_id)
            live = self._live.get(run_id) or self._lent.get(run_id)
            if live is not None:
                if live.process is None:
                    live.token = live.token or token
                return
            if record.state == "done":
                return
            who = record.owner if owner is None else digest(owner)
            self._check_room(who)
            self._records.requeue(run_id)
            self._admit(run_id, record.task.config, Live(who, token))

    def lend(self, run_id: str, answers: Answers) -> Iterator[None]:
        """Has the local models of a run answer, after which it stands in line and finds all of it in the cache.

        To be iterated within an event of the visitor, to whom the means are lent. Left before its end, everything that
        was answered is kept and another page can go on. Does nothing where the run waits for no answers, or another
        page has them given.

        Args:
            run_id: The run.
            answers: Who answers.
        """
        return self._lent.lend(run_id, answers)

    def state(self, run_id: str) -> RunState | None:
        """Where a run stands; None where there is none of that id. Cheap enough to be asked every second."""
        with self._changed:
            record, live = self._records.get(run_id), self._live.get(run_id)
            if record is None:
                return None
            if (lent := self._lent.state(run_id)) is not None:
                return lent
            if live is None:
                report = self.report_folder(run_id) if record.state == "done" else None
                told = record.told
                return RunState(record.state, reason=record.reason, report=report, stages=told.stages, found=told.found)
            if record.state == "queued":
                running, _ = self.busy
                return RunState("queued", place=self._records.place(run_id), ahead_running=running)
        return RunState("running", stages=live.watch.stages, found=live.watch.found)

    @property
    def busy(self) -> tuple[int, int]:
        """Runs of all visitors that are running, and that wait in line."""
        counts = self._records.counts()
        return counts["running"], counts["queued"]

    def config(self, run_id: str) -> DiffConfig | None:
        """What a run was asked to do; None where there is none of that id."""
        record = self._records.get(run_id)
        return None if record is None else record.task.config

    def cancel(self, run_id: str) -> None:
        """Stops a run at once, whatever it is doing; what was answered is kept, and `resume` goes on from there."""
        with self._changed:
            live = self._live.pop(run_id, None) or self._lent.pop(run_id)
            if live is None:
                return
            self._records.move(run_id, "stopped", told=live.watch.told)
            if live.process is not None:
                live.process.kill()

    def forget(self, run_id: str) -> None:
        """Stops a run and removes it with its report; completions stay in the cache, under keys that name nobody."""
        self.cancel(run_id)
        with self._changed:
            if self._records.get(run_id) is not None:
                self._remove(run_id)

    def removed(self, run_id: str) -> bool:
        """Whether there was a run of that id that was forgotten, by somebody or with time."""
        return self._records.removed(run_id)

    def report_folder(self, run_id: str) -> Path:
        """Where the report of a run is, or will be."""
        return self.folder / "runs" / run_id / "report"

    def close(self) -> None:
        """Ends all processes; a desk made on the same folder goes on with their runs."""
        with self._changed:
            self._closed = True
            self._lent.close()
            for live in self._live.values():
                if live.process is not None:
                    live.process.kill()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._records.close()
        self._folder_lock.release()

    def _recover(self) -> None:
        self._records.recover(_MOST_TRIES, "The app stopped in the middle of every try: go on to retry")
        for record in self._records.jobs("lending"):
            self._lent.add(record.key, Live(record.owner))
        for record in self._records.jobs("queued"):
            self._enter(record.key, Live(record.owner))

    def _record(self, run_id: str) -> Record:
        record = self._records.get(run_id)
        if record is None:
            raise SettingError("There is no such run: check the link, or begin a new one")
        return record

    def _check_room(self, owner: str) -> None:
        rules = self._rules
        own = sum(live.owner == owner for live in (*self._live.values(), *self._lent))
        shared = owner.startswith(SHARED)
        most = rules.per_address if shared else rules.per_owner
        if most is not None and own >= most:
            whose, what = ("runs of your network", "Sign in") if shared else ("of your runs", "Stop one")
            raise LimitError(f"{own} {whose} wait or run: expected at most {most}. {what}, or wait")
        _, waiting = self.busy
        if rules.max_waiting is not None and waiting >= rules.max_waiting:
            raise LimitError(f"{waiting} runs wait in line: no more are taken now. Come back later")

    def _clear_up(self) -> None:
        """A disk is finite."""
        for run_id in self._records.old(days=self._rules.keep_days, runs=self._rules.keep_runs):
            self._remove(run_id)

    def _remove(self, run_id: str) -> None:
        self._records.remove(run_id)
        shutil.rmtree(self.report_folder(run_id).parent, ignore_errors=True)

    def _admit(self, run_id: str, config: DiffConfig, live: Live) -> None:
        """In line, or first to where its answers are lent."""
        if not self._lends(config):
            return self._enter(run_id, live)
        self._records.move(run_id, "lending")
        return self._lent.add(run_id, live)

    def _enter(self, run_id: str, live: Live) -> None:
        self._live[run_id] = live
        self._changed.notify()

    def _work(self) -> None:
        """One worker: a run after another."""
        while (begun := self._begin()) is not None:
            run_id, live, process = begun
            ended = process.follow(live.watch)
            with self._changed:
                # a run that was cancelled is no longer there, or there again as another one
                if not self._closed and self._live.get(run_id) is live:
                    self._end(run_id, ended)

    def _begin(self) -> tuple[str, Live, RunProcess] | None:
        """Starts the first run in line as soon as there is one; None when the desk closes."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                record = self._records.claim()
                if record is None:
                    self._changed.wait()
                    continue
                run_id, live = record.key, self._live[record.key]
                out, cache = self.report_folder(run_id), self.folder / "completions"
                try:
                    task = replace(record.task, config=self.uploads.resolved(record.task.config))
                    # within the lock, so that a cancellation finds either a run in line or a process
                    order = Order(task, out, cache, self._rules.public, live.token, self._rules.max_hours)
                    live.process = RunProcess(order)
                except SettingError as error:
                    self._end(run_id, Ended("failed", str(error)))
                except OSError as error:
                    self._end(run_id, Ended("failed", f"It cannot be started ({error.strerror}): go on a little later"))
                else:
                    return run_id, live, live.process

    def _end(self, run_id: str, ended: Ended) -> None:
        """With the run, its token leaves the memory."""
        told = self._live.pop(run_id).watch.told
        self._records.move(run_id, ended.state, ended.reason, None if ended.state == "done" else told)
