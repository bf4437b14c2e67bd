"""Responses that visitors upload: read apart from the page, named, compared; never more than there is room for."""

import base64
import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffing.errors import LimitError, SettingError
from diffing.models.recorded import RecordedModel
from diffing.view.runs import PUBLIC, uploads
from diffing.view.runs.uploads import VisitorUploads
from diffing.view.site import Site, SiteSettings
from diffing.view.start.start_handlers import StartHandlers
from diffing.view.visitor import Visitor
from tests.cli import recordings
from tests.models.written import SHAPES
from tests.waiting import DEADLINE

NOBODY = Visitor(rules=PUBLIC, address="192.0.2.1")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A Space; nothing runs, so that what was asked for can be looked at."""
    site = Site(SiteSettings(tmp_path / "site", rules=PUBLIC, workers=0))
    yield site
    site.close()


def upload(
    answers: StartHandlers, *files: tuple[str, bytes], piece: int = 256 << 10, **asked: object
) -> dict[str, object]:
    """As the page's script does it."""
    answer: dict[str, object] = {}
    for number, (name, content) in enumerate(files):
        for at in range(0, max(1, len(content)), piece):
            data = base64.b64encode(content[at : at + piece]).decode()
            last = number == len(files) - 1 and at + piece >= len(content)
            question = {"about": "upload", "key": answer.get("key", ""), "number": number, "name": name, "at": at}
            answer = answers.answer({**question, "data": data, "last": last, **asked}, NOBODY)
            if "problem" in answer:
                return answer
    return answer


def jsonl(model: str, opening: str) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in recordings.rows(model, opening)).encode()


def test_two_uploads_are_compared(site: Site) -> None:
    answers = StartHandlers(site)
    a = upload(answers, ("../../etc/a b.jsonl", jsonl("lab/plain", "")), piece=1000)
    b = upload(answers, ("b.jsonl.gz", gzip.compress(jsonl("lab/<b>", "Great question! "))))
    assert a["told"] == "a_b.jsonl: 60 responses of lab/plain, read as rows with a prompt and a response."
    assert b["told"] == "b.jsonl.gz: 60 responses of lab/<b>, read as rows with a prompt and a response."
    form = {"model_a": a["model"], "model_b": b["model"], "method": "lexical", "train": 40, "heldout": 20}
    estimate = answers.answer({"about": "estimate", "form": form}, NOBODY)
    assert estimate["ready"] is True, estimate
    assert str(site.settings.folder) not in json.dumps(estimate)
    run = str(answers.answer({"about": "begin", "form": form}, NOBODY)["go"]).removeprefix("run=")
    asked = site.run_manager.config(run)
    assert asked is not None
    assert asked.model_a == a["model"]
    config = site.run_manager.uploads.resolved(asked)
    there = RecordedModel.open(config.model_a.removeprefix("recorded:"))
    assert (there.id, len(there)) == ("lab/plain", 60)


@pytest.mark.usefixtures("quick_runs")
def test_an_upload_runs_to_its_report(tmp_path: Path) -> None:
    site = Site(SiteSettings(tmp_path / "site", rules=PUBLIC, workers=1))
    try:
        answers = StartHandlers(site)
        files = [("a.jsonl", jsonl("lab/plain", "")), ("b.jsonl", jsonl("lab/praises", "Great question! "))]
        a, b = (upload(answers, file) for file in files)
        form = {"model_a": a["model"], "model_b": b["model"], "method": "lexical", "train": 12, "heldout": 6}
        run = str(answers.answer({"about": "begin", "form": form}, NOBODY)["go"]).removeprefix("run=")
        deadline = time.monotonic() + DEADLINE
        while (state := site.run_manager.state(run)) and state.state not in ("done", "failed"):
            assert time.monotonic() < deadline, state
            time.sleep(0.2)
        assert state is not None
        assert state.state == "done", state.reason
        report = (site.run_manager.report_folder(run) / "report.json").read_text()
        assert '"recorded:a.jsonl"' in report
        assert str(tmp_path) not in report
    finally:
        site.close()


def test_answers_come_with_the_file_of_their_prompts_in_either_order(site: Site, tmp_path: Path) -> None:
    row = {"id": "q1", "prompt": "p", "response": "r", "model": "m", "domain": "d"}
    answered = Path(SHAPES["FastChat"].write(tmp_path, [row]))
    files = [(path.name, path.read_bytes()) for path in (answered, tmp_path / "question.jsonl")]
    for each in (files, files[::-1]):
        told = upload(StartHandlers(site), *each)["told"]
        assert told == "r.jsonl: 1 response of m, read as FastChat answers."
    problem = upload(StartHandlers(site), files[0])["problem"]
    assert problem == "r.jsonl holds no prompts. Choose a second file with it: the questions file"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("r.jsonl", b"{", "r.jsonl, line 1: not JSON"),
        ("r.jsonl", b"", "r.jsonl is empty"),
        (
            "r.jsonl",
            b'{"frage": "p", "antwort": "r"}',
            "Other names can be given, for example “Columns” prompt=question",
        ),
        ("r.exe", b"x", "Files of responses end in .jsonl, "),
        ("r.jsonl.gz", gzip.compress(b" " * (30 << 20)), "holds more than 20 MB"),
        ("r.jsonl", b'{"prompt": "p", "response": ' + b"[" * 100_000, "line 1: not JSON"),
    ],
)
def test_what_cannot_be_read_is_one_line_without_paths(site: Site, name: str, content: bytes, problem: str) -> None:
    told = str(upload(StartHandlers(site), (name, content))["problem"])
    assert problem in told
    assert "\n" not in told
    assert str(site.settings.folder) not in told


def test_columns_are_named_with_the_upload(site: Site) -> None:
    content = b'{"frage": "p", "antwort": "r"}'
    told = upload(StartHandlers(site), ("r.jsonl", content), columns="prompt=frage,response=antwort")
    assert told["told"] == "r.jsonl: 1 response, read as rows with the columns given."


@pytest.mark.parametrize(
    "asked",
    [
        {"key": 5}, {"key": "../../x"}, {"key": "A" * 24}, {"name": ""}, {"name": "x" * 301}, {"data": "%"}, {"at": -1},
        {"data": "A" * 400_000}, {"at": True}, {"at": 1}, {"number": 2}, {"number": "0"}, {"columns": ["x"]},
        {"name": "..jsonl"},
    ],
)  # fmt: skip
def test_pieces_that_no_page_sends_are_refused(site: Site, asked: dict[str, object]) -> None:
    question = {"about": "upload", "key": "", "number": 0, "name": "r.jsonl", "at": 0, "data": "YQ==", "last": False}
    assert "problem" in StartHandlers(site).answer({**question, **asked}, NOBODY)


def test_an_upload_is_named_by_its_key_alone(site: Site) -> None:
    answers = StartHandlers(site)
    for spec in ("recorded:upload:r.jsonl/AAAAAAAAAAAAAAAAAAAAAAAA", f"recorded:{site.settings.folder}/uploads"):
        form = {"model_a": spec, "model_b": spec, "method": "lexical"}
        assert answers.answer({"about": "estimate", "form": form}, NOBODY)["ready"] is False
        assert "problem" in answers.answer({"about": "begin", "form": form}, NOBODY)
    begun = answers.answer({"about": "upload", "name": "r.jsonl", "data": "YQ==", "last": False}, NOBODY)["key"]
    form = {"model_a": f"recorded:upload:r.jsonl/{begun}", "model_b": "org/b", "method": "lexical"}
    assert "was not finished" in str(answers.answer({"about": "begin", "form": form}, NOBODY)["problem"])


def test_uploads_take_no_more_room_than_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = VisitorUploads(tmp_path)
    first = kept.begin("one")
    with pytest.raises(LimitError, match="larger than 20 MB"):
        kept.add(first, 0, "r.jsonl", 0, bytes((20 << 20) + 1))
    own = [first, *(kept.begin("one") for _ in range(6))]
    assert {path.name for path in tmp_path.iterdir()} == set(own[1:])  # the visitor's own oldest made room
    monkeypatch.setattr(uploads, "_MOST_KEPT", 7)
    kept.begin("two")
    with pytest.raises(LimitError, match="Too many uploads"):
        kept.begin("three")
    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert {path.name for path in tmp_path.iterdir() if kept.begin("three")} >= set()
    assert len(list(tmp_path.iterdir())) <= 6
    with pytest.raises(SettingError, match="removed after a week"):
        kept.add(own[1], 0, "r.jsonl", 0, b"x")


def test_nobody_waits_for_files_that_are_being_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, over = threading.Barrier(3), threading.Event()

    def slow(*_: object) -> dict[str, object]:
        reading.wait(timeout=DEADLINE)
        over.wait(timeout=DEADLINE)
        return {"problem": "slow"}

    monkeypatch.setattr(VisitorUploads, "_opened", slow)
    answers = StartHandlers(site)
    readers = [threading.Thread(target=upload, args=(answers, ("r.jsonl", jsonl("m", "")))) for _ in range(2)]
    for reader in readers:
        reader.start()
    reading.wait(timeout=DEADLINE)
    for _ in range(30):
        assert "html" in answers.answer({"about": "estimate", "form": {}}, NOBODY)
    over.set()
    for reader in readers:
        reader.join(timeout=DEADLINE)


def test_a_file_that_takes_too_long_ends_its_reader_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_OPENING_SECONDS", 0)
    assert "more memory or time" in str(upload(StartHandlers(site), ("r.jsonl", jsonl("m", "")))["problem"])


def test_the_reader_of_an_upload_is_held_to_its_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five megabytes of empty lists, which become two hundred; what is small passes under the same limit."""
    monkeypatch.setattr(uploads, "_OPENING_MEMORY", 192 << 20)
    assert "told" in upload(StartHandlers(site), ("r.jsonl", jsonl("m", "")))
    content = b"[" + b'{"a":[]},' * 600_000 + b"{}]"
    assert "more memory or time" in str(upload(StartHandlers(site), ("r.json", content))["problem"])
