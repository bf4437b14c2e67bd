"""Real deliveries over HTTP: a push is one job, whatever else arrives, and kill -9 neither loses nor repeats one."""

import asyncio
import json
import random
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request

from diffing.annotate.app import LARGEST, Webhook
from diffing.annotate.revision_queue import RevisionQueue
from diffing.annotate.settings import AnnotatorSettings
from diffing.errors import SettingError
from tests.annotate.service import ALLOWED, SECRET, Service, as_request, free_port, payload, send
from tests.waiting import DEADLINE, until

REAL = [(f"alice/model-{i % 4}", f"{i:040x}") for i in range(20)]
SENDERS = 8
OWN = ("alice/model-0", "f" * 40)


def traffic() -> list[tuple[object, str | None]]:
    """1,000 deliveries, of which 20 are real and the others must not count, in a fixed disorder."""
    real = [payload(*each) for each in REAL]
    others: list[tuple[object, str | None]] = [
        (payload(*OWN), SECRET),
        (payload("alice/model-1", "b" * 40, repo={"type": "dataset", "name": "alice/model-1"}), SECRET),
        (payload("mallory/model", "c" * 40), SECRET),
        (payload("alice/model-1", "d" * 40), "wrong"),
        (payload("alice/model-1", "d" * 40), None),
        (payload("alice/model-1", event={"action": "update", "scope": "discussion"}), SECRET),
        (payload("alice/model-1", event={"action": "explode", "scope": "repo.content"}), SECRET),
        (payload("alice/model-1", webhook={"id": "1", "version": 9}), SECRET),
        (payload("alice/model-1", updatedRefs=[{"ref": "refs/pr/3", "oldSha": None, "newSha": "e" * 40}]), SECRET),
        (payload("alice/model-1", updatedRefs=[{"ref": "refs/heads/dev", "newSha": "e" * 40}]), SECRET),
        (payload("alice/model-1", updatedRefs=[{"ref": "refs/heads/main", "newSha": "main"}]), SECRET),
        (b"{not json", SECRET),
        (b"\xff\xfe\x00", SECRET),
        (b"[" * 5000, SECRET),
        (b"", SECRET),
    ]
    mixed = [(each, SECRET) for each in real]
    chance = random.Random(5)
    while len(mixed) < 1000:
        mixed.append((chance.choice(real), SECRET) if chance.random() < 0.3 else chance.choice(others))
    chance.shuffle(mixed)
    return mixed


def rows(folder: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(folder / "queue.sqlite") as database:
        return database.execute("SELECT task ->> 'repository', task ->> 'commit', state FROM jobs").fetchall()


def test_a_thousand_deliveries_are_twenty_jobs_and_a_kill_loses_and_repeats_none(tmp_path: Path) -> None:
    """Killed while deliveries arrive and a job runs. What was not answered is delivered again.

    The third job goes on only after the kill, and so do the last deliveries, however busy the machine is.
    """
    hold = tmp_path / "hold"
    hold.touch()
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    queue.remember_own(*OWN)
    queue.close()
    port, mixed = free_port(), traffic()
    assert len(mixed) == 1000
    answers: dict[int, int] = {}
    at_work, killed_at = threading.Event(), threading.Event()
    service = Service(tmp_path, port)

    def deliver(numbers: list[int]) -> None:
        with httpx2.Client(timeout=DEADLINE) as client:
            for number in numbers:
                if number >= 500:
                    at_work.wait(DEADLINE)
                if number >= 800:
                    killed_at.wait(DEADLINE)
                body, secret = mixed[number]
                try:
                    answers[number] = send(client, service, body, secret).status_code
                except httpx2.TransportError:
                    return

    def deliver_all(numbers: list[int]) -> None:
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(deliver, [numbers[i::SENDERS] for i in range(SENDERS)]))

    def kill_in_the_middle() -> None:
        until(lambda: len(lines(tmp_path / "begun")) >= 3)
        at_work.set()
        until(lambda: len(answers) >= 600)
        service.kill()
        killed_at.set()

    try:
        service.wait()
        with ThreadPoolExecutor(1) as killer:
            killed = killer.submit(kill_in_the_middle)
            deliver_all(list(range(1000)))
            killed.result()
        first, deeds_before = len(answers), len(lines(tmp_path / "deeds"))
        hold.unlink()
        service = Service(tmp_path, port)
        service.wait()
        deliver_all([number for number in range(1000) if number not in answers])
        until(lambda: all(state == "done" for _, _, state in rows(tmp_path)))
        each_is_answered_by_what_is_wrong_with_it(service)
    finally:
        service.stop()

    assert len(answers) == 1000
    assert 600 <= first <= 800, "killed while deliveries arrived"
    assert deeds_before == 2, "and in the middle of the work"
    assert sorted((repository, commit) for repository, commit, _ in rows(tmp_path)) == sorted(REAL)
    assert sorted(lines(tmp_path / "deeds")) == sorted(commit for _, commit in REAL), "each once"
    assert len(lines(tmp_path / "begun")) <= 21, "only the job that was killed was begun twice"
    by_status = Counter(answers.values())
    assert set(by_status) == {200, 202, 400, 401, 403}
    assert 20 - SENDERS <= by_status[202] <= 20, "those under way at the kill may be queued without an answer"


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def each_is_answered_by_what_is_wrong_with_it(service: Service) -> None:
    known = payload(*REAL[0])
    with httpx2.Client(timeout=DEADLINE) as client:
        again = send(client, service, known)
        large = send(client, service, b" " * (LARGEST + 1))
        exact = send(client, service, json.dumps(known).encode().ljust(LARGEST))
        latin = client.post(service.address, content=b"{}", headers=[(b"x-webhook-secret", b"\xe9" * 20)])
        in_the_address = client.post(f"{service.address}?secret={SECRET}", content=b"{}")
        read = client.get(service.address)
    assert (again.status_code, again.json()) == (200, {"status": "ignored", "reason": "known already"})
    assert (large.status_code, exact.status_code, latin.status_code, read.status_code) == (413, 200, 403, 405)
    assert in_the_address.status_code == 401
    log = service.log.read_text()
    assert SECRET not in log
    assert "secret=" not in log, "no address is logged"


def test_what_is_queued_is_said_to_be(tmp_path: Path) -> None:
    webhook = Webhook(AnnotatorSettings(allow=(ALLOWED,)), SECRET, RevisionQueue(tmp_path / "queue.sqlite"))
    assert webhook.take(json.dumps(payload()).encode()) == (202, {"status": "queued"})


def test_what_cannot_be_queued_is_not_said_to_be(tmp_path: Path) -> None:
    """As with a full disk: the file is there and cannot be written."""
    queue = RevisionQueue(tmp_path / "queue.sqlite")
    with sqlite3.connect(queue.path) as database:
        database.execute("ALTER TABLE jobs RENAME TO gone")
    webhook = Webhook(AnnotatorSettings(allow=(ALLOWED,)), SECRET, queue)
    content, headers = as_request(payload())
    messages = [{"type": "http.request", "body": content}]
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, object]:
        return messages.pop()

    request = Request({"type": "http", "method": "POST", "headers": raw}, receive)
    assert asyncio.run(webhook.receive(request))[0] == 503
    assert webhook.rejected_deliveries() == {"the queue could not be written": 1}


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_a_secret_it_does_not_start(secret: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="secret is too short"):
        Webhook(AnnotatorSettings(), secret, RevisionQueue(tmp_path / "queue.sqlite"))
