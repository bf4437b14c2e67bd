"""A damaged cache gives no other answers and loses no whole ones: flipped bits, damaged pages, the older layout."""

import hashlib
import json
import logging
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from diffing.models.base import Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.scripted import ScriptedModel
from diffing.types import Message

ROWS = 300
PAGE = 4096


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def value_of(number: int) -> str:
    return f"answer {number} " + "word " * (number % 7 * 60)


WANTED = {key_of(number): value_of(number) for number in range(ROWS)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a cache with texts of up to half a page."""
    path = tmp_path_factory.mktemp("whole") / "completions.sqlite"
    store = Store(path)
    for key, value in WANTED.items():
        store.put(key, value)
    store.close()
    return path.read_bytes()


def opened(content: bytes, folder: Path) -> Store:
    path = folder / "completions.sqlite"
    path.write_bytes(content)
    return Store(path)


def with_flip(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def test_no_flipped_bit_gives_another_text(whole: bytes, tmp_path: Path) -> None:
    draw = random.Random(9)
    lost = []
    for number in range(60):
        folder = tmp_path / str(number)
        folder.mkdir()
        store = opened(with_flip(whole, draw.randrange(PAGE, len(whole)), draw.randrange(8)), folder)
        found = store.get_many(list(WANTED))
        assert found.items() <= WANTED.items()
        lost.append(ROWS - len(found))
        store.put("new", "text")
        assert store.get_many(["new"]) == {"new": "text"}
        store.close()
    # a page of the table has at most 40 rows, of the index's top a share of the keys
    assert sorted(lost)[len(lost) // 2] <= 1
    assert sum(lost) / len(lost) < 5


def test_a_damaged_page_hides_its_own_rows_only(whole: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = whole.index(value_of(150).encode()) // PAGE * PAGE
    with caplog.at_level(logging.WARNING):
        store = opened(whole[:page] + b"\xff" * PAGE + whole[page + PAGE :], tmp_path)
        found = store.get_many(list(WANTED))
    assert found.items() <= WANTED.items()
    inside = [number for number in range(ROWS) if key_of(number) not in found]
    assert 150 in inside
    assert inside == list(range(inside[0], inside[-1] + 1))  # all that lay on one page
    assert len(inside) < 40
    [line] = [record.message for record in caplog.records]
    assert f"replaced by a new one with its {len(found)} intact answers" in line
    assert (tmp_path / "completions.sqlite.corrupt").exists()


def test_a_file_that_was_cut_off_keeps_what_came_before(whole: bytes, tmp_path: Path) -> None:
    found = opened(whole[: len(whole) // 2 // PAGE * PAGE], tmp_path).get_many(list(WANTED))
    assert found.items() <= WANTED.items()
    assert len(found) > ROWS // 4


def test_rows_of_a_killed_process_outlive_a_damaged_page(whole: bytes, tmp_path: Path) -> None:
    """The last rows are in the log beside the file."""
    path = tmp_path / "completions.sqlite"
    page = whole.index(value_of(150).encode()) // PAGE * PAGE
    path.write_bytes(whole[:page] + b"\xff" * PAGE + whole[page + PAGE :])
    script = (
        "import os, sys; from pathlib import Path; from diffing.models.cache import Store\n"
        "store = Store(Path(sys.argv[1])); store.put('late', 'text'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    store = Store(path)
    assert len(store.get_many(list(WANTED))) < ROWS
    assert store.get_many(["late"]) == {"late": "text"}


def test_an_answer_moved_to_another_question_is_asked_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "completions.sqlite")
    store.put("one", "text")
    store.put("two", "other")
    with sqlite3.connect(store.path) as database:
        database.execute(
            "UPDATE texts SET (value, checksum) = (SELECT value, checksum FROM texts WHERE key = 'one') "
            "WHERE key = 'two'"
        )
    assert store.get_many(["one", "two"]) == {"one": "text"}


def older(path: Path, rows: dict[str, str]) -> Path:
    """A file as it was before checksums."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE texts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    database.executemany("INSERT INTO texts VALUES (?, ?)", rows.items())
    database.commit()
    database.close()
    return path


def test_a_file_of_the_older_layout_keeps_its_answers_and_gets_checksums(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = older(tmp_path / "completions.sqlite", WANTED)
    with caplog.at_level(logging.WARNING):
        store = Store(path)
        assert store.get_many(list(WANTED)) == WANTED
    assert caplog.records == []
    with sqlite3.connect(path) as database:
        database.execute("UPDATE texts SET value = 'other' WHERE key = ?", (key_of(7),))
    assert store.get_many([key_of(7), key_of(8)]) == {key_of(8): value_of(8)}


def test_completions_of_the_older_layout_are_not_asked_again(tmp_path: Path) -> None:
    conversations = [(Message("user", str(number)),) for number in range(5)]
    first = CachedModel(ScriptedModel("m", lambda *_: "text"), Store(tmp_path / "new.sqlite"))
    completions = first.generate(conversations, Sampling())
    with sqlite3.connect(tmp_path / "new.sqlite") as database:
        rows = dict(database.execute("SELECT key, value FROM texts"))
    again = ScriptedModel("m", lambda *_: "other")
    store = Store(older(tmp_path / "old.sqlite", rows))
    assert CachedModel(again, store).generate(conversations, Sampling()) == completions
    assert again.requests == []


def test_what_an_earlier_version_may_have_misread_is_asked_again(tmp_path: Path) -> None:
    """It stored `null` as an empty answer, and thinking in some notations as a part of the answer."""
    answers = {"0": "text", "1": "", "2": "[THINK]so[/THINK]text", "3": "<b>text</b>"}
    conversations = [(Message("user", number),) for number in answers]
    store = Store(tmp_path / "completions.sqlite")
    asked = ScriptedModel("m", lambda conversation, _: answers[conversation[0].content])
    CachedModel(asked, store).generate(conversations, Sampling())
    again = ScriptedModel("m", lambda *_: "other")
    CachedModel(again, store).generate(conversations, Sampling())
    assert again.requests == [], "what this version stored is known to be right"
    with sqlite3.connect(store.path) as database:
        rows = dict(database.execute("SELECT key, value FROM texts"))
    before = {key: json.loads(row) for key, row in rows.items()}
    for row in before.values():
        del row["served"], row["declined"]
        if row["thinking"]:
            row["text"], row["thinking"] = answers["2"], None
    old = Store(older(tmp_path / "old.sqlite", {key: json.dumps(row) for key, row in before.items()}))
    made = CachedModel(again, old).generate(conversations, Sampling())
    assert [each.text for each in made] == ["text", "other", "other", "<b>text</b>"]


def test_two_processes_bring_an_older_file_to_the_new_layout(tmp_path: Path) -> None:
    path = older(tmp_path / "completions.sqlite", WANTED)
    script = (
        "import json, sys; from pathlib import Path; from diffing.models.cache import Store\n"
        "print(len(Store(Path(sys.argv[1])).get_many(json.load(sys.stdin))))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1, stderr=-1, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(str(list(WANTED)).replace("'", '"')) for process in both]
    assert told == [(f"{ROWS}\n", "")] * 2


def test_a_corrupt_file_that_another_process_replaced_is_left_to_it(whole: bytes, tmp_path: Path) -> None:
    page = whole.index(value_of(150).encode()) // PAGE * PAGE
    damaged = whole[:page] + b"\xff" * PAGE + whole[page + PAGE :]
    slow, quick = opened(damaged, tmp_path), Store(tmp_path / "completions.sqlite")
    kept = quick.get_many(list(WANTED))
    quick.put("new", "text")
    assert slow.get_many([*WANTED, "new"]) == kept | {"new": "text"}
    assert quick.get_many(["new"]) == {"new": "text"}
