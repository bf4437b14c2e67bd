"""Queues the runs of visitors, does several at a time in child processes, and resumes them after a restart of the app.

Every run has a folder and a process of its own; all runs share the completions cache. No token is stored on disk. After
a restart, a run that was begun by a signed-in visitor continues without the token as far as it can, and then waits for
the visitor.
"""

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.view.runs.gpu_waiting import AnswerPrompts, RunsWaitingForGpu
from diffing.view.runs.run_child import RunOrder
from diffing.view.runs.run_state import RunState
from diffing.view.runs.run_store import SHARED, RunRecord, RunStore, digest, make_folder
from diffing.view.runs.run_supervisor import ActiveRun, RunOutcome, RunProcess
from diffing.view.runs.uploads import VisitorUploads
from diffing.view.runs.visitor_rules import PUBLIC, VisitorRules, allowed, check_room

_MOST_TRIES = 3
"""A run is given up after this many crashes of the app in the middle of it, because it may be what causes them."""
_LOCK_SECONDS = 5.0
"""How long to wait for another app that is just shutting down."""


class RunManager:
    """Manages the runs of all visitors. It is thread-safe; only one process may use its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        rules: VisitorRules = PUBLIC,
        lends: Callable[[DiffConfig], bool] = lambda config: False,
    ) -> None:
        """Resumes the runs that were unfinished when the folder was last used.

        Args:
            folder: Where runs, reports and completions are stored; created, readable for this account only, if it is
                missing.
            workers: Maximum number of runs at a time.
            rules: Hard limits.
            lends: Whether a run computes on a GPU that is lent to its visitor. Such a run waits for `lend` before it is
                queued.

        Raises:
            SettingError: Another process uses the folder, or it cannot be created.
        """
        make_folder(folder)
        self.folder = folder
        """The folder of everything that is stored."""
        self._rules, self._lends = rules, lends
        # the system releases it when this process ends, even if it is killed
        self._folder_lock = FileLock(folder / "desk.lock", thread_local=False)
        try:
            self._folder_lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise SettingError(f"Another app uses {folder}: stop it, or give this one another folder") from None
        self._store = RunStore(folder / "runs.sqlite")
        self.uploads = VisitorUploads(folder / "uploads")
        """Responses that visitors uploaded."""
        self._changed = threading.Condition()
        self._closed = False
        self._active: dict[str, ActiveRun] = {}
        self._gpu_waiting = RunsWaitingForGpu(self._changed, self._store, self._enter)
        with self._changed:
            self._recover()
        self._threads = [threading.Thread(target=self._work, name="runs", daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def start(self, config: DiffConfig, limits: Limits | None = None, *, owner: str, token: str | None = None) -> str:
        """Queues a new run.

        Args:
            config: The settings of the run.
            limits: The visitor's own hard limits.
            owner: Whose quota the run counts towards: an account, or an address, which begins with `SHARED`. Only a
                digest is stored.
            token: The visitor's own Hub token. It stays in memory while the run waits or runs.

        Returns:
            The run's id. It cannot be guessed, and everybody who has it can see the run.

        Raises:
            SettingError: A setting is invalid, or not allowed on this machine.
            LimitError: The run or the visitor exceeds a limit of this machine.
        """
        hard = allowed(config, limits or Limits(), self._rules)
        if self._lends(config) and config.dtype == "auto":
            # the type on a lent GPU; the run's own process has none, and would look for responses of another type
            config = replace(config, dtype="bfloat16")
        self.uploads.resolved(config)  # raises errors before the run is queued
        run_id, who = secrets.token_urlsafe(18), digest(owner)
        with self._changed:
            self._check_room(who)
            self._clear_up()
            self._store.add(run_id, who, config, hard)
            self._admit(run_id, config, ActiveRun(who, token))
        return run_id

    def resume(self, run_id: str, *, owner: str | None = None, token: str | None = None) -> None:
        """Resumes a run that was stopped, failed, or waits for its visitor. Completed work is not repeated.

        Args:
            run_id: The id of the run.
            owner: Whose quota the run counts towards from now on; None means that of the visitor who began it.
            token: As for `start`. A queued run that has lost its token in a restart takes it as well.

        Raises:
            SettingError: There is no such run.
            LimitError: The visitor exceeds a limit of this machine.
        """
        with self._changed:
            record = self._record(run_id)
            run = self._active.get(run_id) or self._gpu_waiting.get(run_id)
            if run is not None:
                if run.process is None:
                    run.token = run.token or token
                return
            if record.state == "done":
                return
            who = record.owner if owner is None else digest(owner)
            self._check_room(who)
            self._store.requeue(run_id)
            self._admit(run_id, record.task.config, ActiveRun(who, token))

    def lend(self, run_id: str, answers: AnswerPrompts) -> Iterator[None]:
        """Has the local models of a run answer its prompts on a lent GPU, and then queues the run.

        Iterate it within an event of the visitor to whom the GPU is lent. If the iteration ends early, the responses so
        far stay in the cache, and another page can continue. It does nothing if the run does not wait for a GPU, or if
        another page is already lending one.

        Args:
            run_id: The id of the run.
            answers: Has the models answer.
        """
        return self._gpu_waiting.lend(run_id, answers)

    def state(self, run_id: str) -> RunState | None:
        """The state of a run; None if no run has this id. It is cheap enough to be polled every second."""
        with self._changed:
            record, run = self._store.get(run_id), self._active.get(run_id)
            if record is None:
                return None
            if (lent := self._gpu_waiting.state(run_id)) is not None:
                return lent
            if run is None:
                return record.told.ended(record.state, record.reason, self.report_folder(run_id))
            if record.state == "queued":
                running, _ = self.busy
                return RunState("queued", place=self._store.place(run_id), ahead_running=running)
        progress = run.progress
        return RunState("running", stages=progress.stages, found=progress.found, latest=progress.latest)

    @property
    def busy(self) -> tuple[int, int]:
        """The number of all visitors' runs that are running, and of those that are queued."""
        counts = self._store.counts()
        return counts["running"], counts["queued"]

    def config(self, run_id: str) -> DiffConfig | None:
        """The settings of a run; None if no run has this id."""
        record = self._store.get(run_id)
        return None if record is None else record.task.config

    def cancel(self, run_id: str) -> None:
        """Stops a run at once. Completed responses are kept, and `resume` continues from there."""
        with self._changed:
            run = self._active.pop(run_id, None) or self._gpu_waiting.pop(run_id)
            if run is None:
                return
            self._store.move(run_id, "stopped", told=run.progress.snapshot)
            if run.process is not None:
                run.process.kill()

    def forget(self, run_id: str) -> None:
        """Stops a run and deletes it with its report. Its completions stay in the cache, whose keys name no visitor."""
        self.cancel(run_id)
        with self._changed:
            if self._store.get(run_id) is not None:
                self._remove(run_id)

    def removed(self, run_id: str) -> bool:
        """Whether a run of this id existed and was deleted by a visitor or because of its age."""
        return self._store.removed(run_id)

    def report_folder(self, run_id: str) -> Path:
        """The folder of a run's report, which may not exist yet."""
        return self.folder / "runs" / run_id / "report"

    def close(self) -> None:
        """Kills all processes. A run manager created later on the same folder resumes their runs."""
        with self._changed:
            self._closed = True
            self._gpu_waiting.close()
            for run in self._active.values():
                if run.process is not None:
                    run.process.kill()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._store.close()
        self._folder_lock.release()

    def _recover(self) -> None:
        self._store.recover(_MOST_TRIES, "The app stopped during every try: resume to retry")
        for record in self._store.jobs("lending"):
            self._gpu_waiting.add(record.key, ActiveRun(record.owner))
        for record in self._store.jobs("queued"):
            self._enter(record.key, ActiveRun(record.owner))

    def _record(self, run_id: str) -> RunRecord:
        record = self._store.get(run_id)
        if record is None:
            raise SettingError("There is no such run: check the link, or start a new one")
        return record

    def _check_room(self, owner: str) -> None:
        own = sum(run.owner == owner for run in (*self._active.values(), *self._gpu_waiting))
        _, waiting = self.busy
        check_room(self._rules, shared=owner.startswith(SHARED), own=own, waiting=waiting)

    def _clear_up(self) -> None:
        """Deletes old runs, because the disk is finite."""
        for run_id in self._store.old(days=self._rules.keep_days, runs=self._rules.keep_runs):
            self._remove(run_id)

    def _remove(self, run_id: str) -> None:
        self._store.remove(run_id)
        shutil.rmtree(self.report_folder(run_id).parent, ignore_errors=True)

    def _admit(self, run_id: str, config: DiffConfig, run: ActiveRun) -> None:
        """Queues a run, or has it wait for a lent GPU first."""
        if not self._lends(config):
            return self._enter(run_id, run)
        self._store.move(run_id, "lending")
        return self._gpu_waiting.add(run_id, run)

    def _enter(self, run_id: str, run: ActiveRun) -> None:
        self._active[run_id] = run
        self._changed.notify()

    def _work(self) -> None:
        """The loop of one worker thread: it does one run after another."""
        while (begun := self._begin()) is not None:
            run_id, run, process = begun
            outcome = process.follow(run.progress)
            with self._changed:
                # a cancelled run is not active any more, or was resumed as another object
                if not self._closed and self._active.get(run_id) is run:
                    self._end(run_id, outcome)

    def _begin(self) -> tuple[str, ActiveRun, RunProcess] | None:
        """Waits for a queued run and starts the first; None if the run manager is closing."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                record = self._store.claim()
                if record is None:
                    self._changed.wait()
                    continue
                run_id, run = record.key, self._active[record.key]
                out, cache = self.report_folder(run_id), self.folder / "completions"
                try:
                    task = replace(record.task, config=self.uploads.resolved(record.task.config))
                    # within the lock, so that a cancellation finds either a queued run or a process
                    order = RunOrder(task, out, cache, self._rules.public, run.token, self._rules.max_hours)
                    run.process = RunProcess(order)
                except SettingError as error:
                    self._end(run_id, RunOutcome("failed", str(error)))
                except OSError as error:
                    self._end(
                        run_id,
                        RunOutcome("failed", f"It cannot be started ({error.strerror}): resume a little later"),
                    )
                else:
                    return run_id, run, run.process

    def _end(self, run_id: str, outcome: RunOutcome) -> None:
        """Stores how a run ended. The token is dropped from memory with the run."""
        snapshot = replace(self._active.pop(run_id).progress.snapshot, by_setting=outcome.by_setting)
        self._store.move(run_id, outcome.state, outcome.reason, None if outcome.state == "done" else snapshot)
