"""A revision is one job; a killed process loses none; what fails is tried again, later and not for ever."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diffing.annotate.revision_queue import Revision, RevisionJob, RevisionQueue
from diffing.annotate.webhook_payload import IgnoredPush, ModelPush
from diffing.annotate.worker import FinishedJob, PostponedJob, RetryPolicy, Worker
from diffing.errors import HubError, LimitError, SettingError
from diffing.types import OnProgress
from tests.waiting import DEADLINE, until

STOPPED = "the service was stopped in the middle of every try"


def push(number: int, repository: str = "alice/tuned") -> ModelPush:
    return ModelPush(repository, f"{number:040x}", None)


@pytest.fixture
def queue(tmp_path: Path) -> RevisionQueue:
    return RevisionQueue(tmp_path / "state" / "queue.sqlite")


def done(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
    return FinishedJob(dataset="https://hub.example/d", card="https://hub.example/c", remark="a remark")


def unreachable(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
    raise HubError("Cannot reach\nthe Hub")


def settled(queue: RevisionQueue) -> list[tuple[str, str]]:
    return [(job.state, job.reason) for state in ("done", "ignored", "failed") for job in queue.jobs(state)]


def test_a_revision_is_queued_once(queue: RevisionQueue) -> None:
    assert [queue.add(push(1)), queue.add(push(1)), queue.add(push(2)), queue.add(push(1, "alice/other"))] == [
        True,
        False,
        True,
        True,
    ]
    assert queue.counts() == {"queued": 3}
    claimed = [queue.claim() for _ in range(4)]
    assert [job and (job.task.repository, job.task.commit[-1], job.tries) for job in claimed] == [
        ("alice/tuned", "1", 1),
        ("alice/tuned", "2", 1),
        ("alice/other", "1", 1),
        None,
    ]


def test_two_processes_share_the_file(queue: RevisionQueue) -> None:
    other = RevisionQueue(queue.path)
    assert queue.add(push(1))
    assert not other.add(push(1))
    other.remember_own("alice/tuned", "f" * 40)
    assert queue.is_own("alice/tuned", "f" * 40)
    assert not queue.is_own("alice/other", "f" * 40)


def test_what_came_of_a_job_is_kept(queue: RevisionQueue) -> None:
    queue.add(push(1))
    worker = Worker(queue, done)
    assert [worker.run_one(), worker.run_one()] == [True, False]
    (job,) = queue.jobs("done")
    assert (job.told.dataset, job.told.card, job.reason) == (
        "https://hub.example/d",
        "https://hub.example/c",
        "a remark",
    )
    assert not queue.add(push(1), failed_before=time.time() + 60.0)


def test_ignored_with_the_reason(queue: RevisionQueue) -> None:
    queue.add(push(1))
    Worker(queue, lambda job, on_progress: IgnoredPush("the card names no base_model")).run_one()
    assert settled(queue) == [("ignored", "the card names no base_model")]


def test_failures_are_tried_again_with_longer_waits_and_then_given_up(queue: RevisionQueue) -> None:
    queue.add(push(1))
    tries = RetryPolicy(most=3, first_wait=100.0, longest_wait=150.0)
    waits = []
    worker = Worker(queue, unreachable, tries=tries)
    for _ in range(2):
        before = time.time()
        assert worker.run_one()
        after = time.time()
        assert not worker.run_one(), "not before its time"
        (job,) = queue.jobs("queued")
        waits.append((job.next_try - after - 0.01, job.next_try - before + 0.01))
        assert job.reason == "Cannot reach the Hub"
        queue.retry(job.key, job.reason, 0.0)
    assert [least <= wait <= most for wait, (least, most) in zip((100.0, 150.0), waits, strict=True)] == [True, True]
    assert worker.run_one()
    assert settled(queue) == [("failed", "Cannot reach the Hub")]
    assert not worker.run_one()
    assert not queue.add(push(1)), "a delivery that comes again does not start it again"
    assert queue.add(push(1), failed_before=time.time() + 1.0), "a start of the service does"
    (job,) = queue.jobs("queued")
    assert job.tries == 0


def test_what_no_other_try_mends_is_given_up_at_once(queue: RevisionQueue) -> None:
    def limited(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
        raise LimitError("--max-usd 2 is reached")

    queue.add(push(1))
    Worker(queue, limited).run_one()
    assert settled(queue) == [("failed", "--max-usd 2 is reached")]


def test_a_bug_in_one_job_does_not_end_the_service(queue: RevisionQueue, caplog: pytest.LogCaptureFixture) -> None:
    def broken(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
        if job.task.commit.endswith("1"):
            raise KeyError("a bug")
        return FinishedJob()

    queue.add(push(1))
    queue.add(push(2))
    worker = Worker(queue, broken, tries=RetryPolicy(most=1))
    worker.run_one()
    worker.run_one()
    assert settled(queue) == [("done", ""), ("failed", "internal error (KeyError), see the log")]
    assert "this is a bug" in caplog.text


def test_jobs_of_a_killed_process_are_taken_back_but_not_for_ever(queue: RevisionQueue) -> None:
    queue.add(push(1))
    for tries in (1, 2, 3):
        job = queue.claim()
        assert job is not None
        assert job.tries == tries
        queue.recover(3, STOPPED)
    assert settled(queue) == [("failed", STOPPED)]


def test_what_takes_the_process_down_at_every_try_is_not_taken_up_again_by_the_next_process(
    queue: RevisionQueue,
) -> None:
    """Each new process of the worker takes up what failed, but only what failed before the service began."""
    service_started, begun = time.time(), 0
    for _ in range(12):
        queue.recover(3, STOPPED)
        queue.add(push(1), failed_before=service_started)
        begun += queue.claim() is not None  # and the process is no more
    assert begun == 3
    assert queue.add(push(1), failed_before=time.time() + 1.0), "the next start of the service tries once more"


def test_names_ignore_case_as_the_hubs_do(queue: RevisionQueue) -> None:
    assert queue.add(push(1, "Alice/Tuned"))
    assert not queue.add(push(1, "alice/tuned"))
    queue.remember_own("alice/tuned", "f" * 40)
    assert queue.is_own("Alice/Tuned", "f" * 40)


def test_a_clock_that_is_put_back_does_not_keep_a_job_waiting(queue: RevisionQueue) -> None:
    queue.add(push(1))
    job = queue.claim()
    assert job is not None
    queue.retry(job.key, "the Hub is away", 3600.0)
    assert queue.claim() is None
    with sqlite3.connect(queue.path) as database:  # as if that had been noted by a clock a year ahead
        database.execute("UPDATE jobs SET changed = changed + 3e7, next_try = next_try + 3e7")
    assert queue.claim() is not None


def test_a_job_that_may_not_begin_yet_waits_without_a_try(queue: RevisionQueue) -> None:
    queue.add(push(1))
    before = time.time()
    Worker(queue, lambda job, on_progress: PostponedJob("20 diffs were begun within a day", 600.0)).run_one()
    after = time.time()
    (job,) = queue.jobs("queued")
    assert (job.tries, job.reason) == (0, "20 diffs were begun within a day")
    assert before - 0.01 <= job.next_try - 600.0 <= after + 0.01
    assert queue.begun(60.0) == 0
    queue.decide(job, "org/a@1", "org/b@2")
    assert (queue.begun(60.0), queue.begun(-60.0)) == (1, 0)


def test_a_damaged_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    path.write_bytes(b"no database " * 500)
    with pytest.raises(SettingError, match="move it away"):
        RevisionQueue(path)
    with pytest.raises(SettingError, match="writable folder"):
        RevisionQueue(path / "queue.sqlite")


def test_progress_is_told(queue: RevisionQueue) -> None:
    seen = []

    def work(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
        for i in range(1000):
            on_progress("responses a", i, 1000)
        (running,) = queue.jobs("running")
        seen.append((running.told.stage, running.told.done, running.told.total))
        return FinishedJob()

    queue.add(push(1))
    Worker(queue, work).run_one()
    assert seen == [("responses a", 0, 1000)], "noted at the start of a stage, then once a second"


@contextmanager
def at_work(worker: Worker) -> Iterator[None]:
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(DEADLINE)


def test_only_one_worker_works_and_the_next_takes_over(queue: RevisionQueue) -> None:
    first, second = [], []

    def working(found: list[str]) -> Worker:
        def work(job: RevisionJob, on_progress: OnProgress) -> FinishedJob:
            found.append(job.task.commit)
            return FinishedJob()

        return Worker(queue, work)

    queue.add(push(1))
    one, two = working(first), working(second)
    with at_work(one):
        until(lambda: len(first) == 1)
        with at_work(two):
            queue.add(push(2))
            until(lambda: len(first) == 2)
            assert second == []
            one.stop()
            until(lambda: not queue.add(push(3)) and len(second) == 1)
    assert [len(first), len(second)] == [2, 1]


def test_what_was_missed_is_asked_for_until_the_hub_answers(queue: RevisionQueue) -> None:
    asked = []

    def catch_up() -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            raise HubError("Cannot reach the Hub")
        queue.add(push(7))

    with at_work(Worker(queue, done, tries=RetryPolicy(first_wait=0.0), catch_up=catch_up)):
        until(lambda: queue.counts()["done"] == 1)
    assert len(asked) == 2


def test_an_older_revision_is_superseded_by_a_later_one_that_is_done(queue: RevisionQueue) -> None:
    queue.add(push(1))
    queue.add(push(2))
    older, newer = queue.claim(), queue.claim()
    assert older is not None and newer is not None  # noqa: PT018
    assert not queue.superseded(older)
    queue.move(newer.key, "done")
    assert queue.superseded(older)
    assert not queue.superseded(newer)


def test_a_clock_that_jumps_lifts_no_limit(queue: RevisionQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    queue.add(push(1))
    job = queue.claim()
    assert job is not None
    queue.decide(job, "a", "b")
    for days in (31, -31):
        monkeypatch.setattr(time, "time", lambda days=days: real() + 86400 * days)
        assert queue.begun(86400) == 1
    queue.retry(job.key, "later", 3600.0)
    monkeypatch.setattr(time, "time", lambda: real() + 86400 * 31)
    assert queue.claim() is None


OF_THE_VERSION_BEFORE = """
CREATE TABLE jobs (
    position INTEGER PRIMARY KEY AUTOINCREMENT, repository TEXT COLLATE NOCASE, revision TEXT, parent TEXT, state TEXT,
    reason TEXT, tries INTEGER, next_try REAL, model_a TEXT, model_b TEXT, stage TEXT, stage_done INTEGER,
    stage_total INTEGER, dataset TEXT, card TEXT, begun REAL, changed REAL
);
CREATE INDEX jobs_by_state ON jobs (state, next_try);
CREATE TABLE own_commits (repository TEXT, revision TEXT, PRIMARY KEY (repository, revision)) WITHOUT ROWID;
INSERT INTO jobs VALUES
    (3, 'Alice/Tuned', 'c1', NULL, 'queued', 'away', 2, 0, 'a', 'b', 's', 1, 2, '', '', 9, 8);
INSERT INTO own_commits VALUES ('Alice/Tuned', 'c2');
"""


def test_a_queue_of_the_version_before_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(OF_THE_VERSION_BEFORE)
    for _ in range(2):
        queue = RevisionQueue(path)
        (job,) = queue.jobs("queued")
        assert (job.position, job.reason, job.tries) == (3, "away", 2)
        assert job.task == Revision("Alice/Tuned", "c1", None, "a", "b")
        assert queue.is_own("alice/tuned", "c2")
        assert not queue.add(ModelPush("alice/tuned", "c1", None))
        queue.close()
