"""The real service on the Hub on loopback: a push becomes a dataset and one pull request, and that is the end of it."""

import json
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Self

import httpx2
import pytest
import uvicorn
from huggingface_hub import HfApi

from diffing.annotate.annotator import Annotator
from diffing.annotate.app import create_app
from diffing.annotate.revision_queue import RevisionQueue
from diffing.annotate.settings import AnnotatorSettings, load_settings
from diffing.cli import main
from diffing.demo.config import FOLDER
from diffing.hub import hub_api
from tests.annotate.service import SECRET
from tests.hub import LocalHub
from tests.starter import Starter
from tests.waiting import DEADLINE, until

CARD = b"---\nbase_model: alice/base # the start\nlicense: apache-2.0\n---\n# Tuned\n"


class Annotating:
    """`diffing annotate`, in a thread."""

    def __init__(self, settings: AnnotatorSettings) -> None:
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)  # as in tests.servers.serving
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(create_app(settings, SECRET), log_level="info", access_log=False, log_config=None)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True  # not forced: that would leave the worker behind
        self._thread.join(timeout=DEADLINE)
        assert not self._thread.is_alive()
        self._socket.close()


def write_settings(folder: Path) -> Path:
    settings = folder / "settings.json"
    drawn = {"train": 20, "heldout": 20, "temperature": 0.8, "max_new_tokens": 16, "dtype": "float32"}
    values = {"watch": ["alice/tuned"], "folder": str(folder / "state"), "run": drawn}
    settings.write_text(json.dumps(values), encoding="utf-8")
    return settings


def push_models(hub: LocalHub, folder: Path) -> None:
    hub.push_folder("alice/base", FOLDER / "models" / "base")
    tuned = folder / "tuned"
    tuned.mkdir()
    for file in (FOLDER / "models" / "tuned").iterdir():
        (tuned / file.name).symlink_to(file)
    (tuned / "README.md").write_bytes(CARD)
    hub.push_folder("alice/tuned", tuned)


def test_a_push_is_annotated_once_and_the_loop_ends(
    hub: LocalHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    starter: Starter,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("diffing.jobs.process.subprocess", starter.in_place_of_subprocess())
    alice, bot = hub.add_user("alice"), hub.add_user("bot")
    monkeypatch.setenv("HF_TOKEN", bot)
    monkeypatch.setenv("ANNOTATOR_SECRET", SECRET)
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "0")
    settings = load_settings(write_settings(tmp_path))
    queue = RevisionQueue(tmp_path / "state" / "queue.sqlite")
    with Annotating(settings) as service:
        with pytest.raises(SystemExit, match="0"):
            main(["annotate", "--watch", "alice/tuned", "--url", service.url])
        push_models(hub, tmp_path)
        until(lambda: queue.counts()["done"] or queue.counts()["failed"])
        assert queue.jobs("failed") == ()
        (job,) = queue.jobs("done")
        (pull,) = hub.repo("alice/tuned").pulls
        assert pull.author == "bot"
        # our own pull request has fired the webhook; so does its merge, by the owner
        HfApi(endpoint=hub.endpoint, token=alice).merge_pull_request("alice/tuned", pull.num)
        hub.courier.settle()
        until(lambda: queue.counts()["ignored"])
        page = httpx2.get(service.url, timeout=DEADLINE)
        upload = {"files": ("notes.txt", b"x" * 4096)}
        assert httpx2.post(f"{service.url}/gradio_api/upload", files=upload, timeout=DEADLINE).status_code == 413

    readme = hub.repo("alice/tuned").files()["README.md"]
    assert readme.startswith(CARD), "nothing outside the section changed"
    assert b"alice/base" in readme[len(CARD) :]
    assert job.told.dataset == f"{hub.endpoint}/datasets/bot/alice__tuned-diff"
    assert any(path.startswith("findings/") for path in hub.repo("bot/alice__tuned-diff", "dataset").files())
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'self' "), "no browser asks anybody else"
    assert len(hub.repo("alice/tuned").pulls) == 1
    assert queue.counts() == {"done": 1, "ignored": 1}
    assert queue.jobs("ignored")[0].reason == "nothing but README.md changed"
    pushes = [each for each in hub.deliveries if "updatedRefs" in each.payload]
    assert ("refs/pr/1", 200) in [(each.payload["updatedRefs"][0]["ref"], each.status) for each in pushes]
    assert [each.status for each in hub.deliveries].count(202) == 2, "the push, and the merge"
    assert {each.status for each in hub.deliveries} == {200, 202}

    a_restart_finds_nothing(hub, settings, queue, job.task.commit, bot)
    shown = capfd.readouterr()
    no_token_was_written(tmp_path, hub, caplog.text + shown.out + shown.err, (alice, bot, SECRET))


def a_restart_finds_nothing(
    hub: LocalHub, settings: AnnotatorSettings, queue: RevisionQueue, commit: str, bot: str
) -> None:
    """Nothing was missed; where the queue was lost, it is the revision itself and not its merged card that is taken up.

    And a job that was killed after its deeds does them again without a trace, and without computing anything: what
    was published of this very diff is taken for it.
    """
    api = hub_api(bot, hub.endpoint)
    Annotator(settings, queue, api).catch_up(time.time())
    assert queue.counts()["queued"] == 0
    lost = RevisionQueue(queue.path.with_name("lost.sqlite"))
    annotator = Annotator(settings, lost, api)
    annotator.catch_up(time.time())
    job = lost.claim()
    assert job is not None
    assert job.task.commit == commit
    assert state_of_repositories(hub) == (2, 3, 1)
    (queue.path.parent / "completions.sqlite").unlink()
    stages: list[str] = []
    annotator(job, lambda stage, done, total: stages.append(stage))
    assert stages == [], "nothing was computed"
    assert state_of_repositories(hub) == (2, 3, 1)


def state_of_repositories(hub: LocalHub) -> tuple[int, int, int]:
    """Commits of the dataset and of the model, the Hub's first ones included; pull requests."""
    model = hub.repo("alice/tuned")
    return len(hub.repo("bot/alice__tuned-diff", "dataset").commits()), len(model.commits()), len(model.pulls)


def no_token_was_written(folder: Path, hub: LocalHub, shown: str, secrets: tuple[str, ...]) -> None:
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    written += hub.repo("alice/tuned").files().values()
    written += hub.repo("bot/alice__tuned-diff", "dataset").files().values()
    written += [request.path.encode() for request in hub.requests]
    written.append(shown.encode())
    assert len(written) > 20
    assert "alice/tuned@" in shown
    for secret in secrets:
        assert not any(secret.encode() in content for content in written)
