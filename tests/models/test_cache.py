"""The cache: what decides a key, what is kept, what happens to damaged and full files."""

import dataclasses
import json
import logging
import sqlite3
import subprocess
import sys

import pytest

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.cache import CachedModel, Store, default_store
from diffing.models.scripted import ScriptedModel
from diffing.types import Completion, Message
from tests.models.questions import user


def echo(name="echo"):
    return ScriptedModel(name, lambda conversation, sampling: f"re: {conversation[-1].content}")


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "cache" / "completions.sqlite")
    yield made
    made.close()


def test_what_was_answered_is_not_asked_again_not_even_by_another_store(store):
    first = CachedModel(echo(), store).generate([user("a"), user("b")], Sampling())
    again = echo()
    second = CachedModel(again, Store(store.path)).generate([user("b"), user("c"), user("a")], Sampling())
    assert [conversation for conversation, _ in again.requests] == [user("c")]
    assert second == [first[1], Completion("re: c", "stop"), first[0]]


def test_every_field_of_a_completion_comes_back(store):
    whole = Completion("té\ud83dxt\x00", "length", "thought", 3, 4, "detail")
    model = ScriptedModel("m", lambda conversation, sampling: whole)
    CachedModel(model, store).generate([user("a")], Sampling())
    assert CachedModel(echo("m"), store).generate([user("a")], Sampling()) == [whole]


CHANGES = [
    {"max_new_tokens": 1},
    {"temperature": 0.5},
    {"top_p": 0.5},
    {"seed": 1},
    {"sample": 1},
    {"json_schema": "{}"},
]


def test_all_that_decides_a_completion_is_in_its_key(store):
    assert {next(iter(change)) for change in CHANGES} == {field.name for field in dataclasses.fields(Sampling)}
    inner = echo()
    model = CachedModel(inner, store)
    model.generate([user("a")], Sampling())
    for change in CHANGES:
        model.generate([user("a")], Sampling(**change))
    for conversation in [
        (Message("system", "a"),),
        (Message("user", "a"), Message("user", "")),
        (Message("system", ""), Message("user", "a")),
        user("a "),
        user("A"),
    ]:
        model.generate([conversation], Sampling())
    assert len(inner.requests) == 1 + len(CHANGES) + 5
    other = echo("other")
    CachedModel(other, store).generate([user("a")], Sampling())
    assert len(other.requests) == 1


def test_equal_conversations_of_one_call_are_asked_once_and_all_told(store):
    inner, told = echo(), []
    model = CachedModel(inner, store)
    made = model.generate(
        [user("a"), user("b"), user("a")], Sampling(), on_completion=lambda index, each: told.append((index, each.text))
    )
    assert len(inner.requests) == 2
    assert [each.text for each in made] == ["re: a", "re: b", "re: a"]
    assert sorted(told) == [(0, "re: a"), (1, "re: b"), (2, "re: a")]


def test_failures_are_not_kept_and_everything_else_is(store):
    finishes = {"s": "stop", "l": "length", "r": "refused", "x": "rejected", "e": "error"}
    inner = ScriptedModel("m", lambda conversation, sampling: Completion("", finishes[conversation[0].content]))
    model = CachedModel(inner, store)
    for _ in range(2):
        made = model.generate([user(each) for each in finishes], Sampling())
        assert [each.finish for each in made] == list(finishes.values())
    assert [conversation[0].content for conversation, _ in inner.requests] == ["s", "l", "r", "x", "e", "e"]


def test_what_was_answered_before_an_error_is_kept(store):
    def answer(conversation, sampling):
        if conversation == user("c"):
            raise ModelError("gone")
        return "fine"

    with pytest.raises(ModelError, match="gone"):
        CachedModel(ScriptedModel("m", answer), store).generate([user("a"), user("b"), user("c")], Sampling())
    again = echo("m")
    CachedModel(again, store).generate([user("a"), user("b"), user("c")], Sampling())
    assert [conversation for conversation, _ in again.requests] == [user("c")]


def test_ten_thousand_completions_are_read_again(store):
    count = 10_000
    conversations = [user(f"question number {i} " + "word " * 50) for i in range(count)]
    text = "An answer of some length. " * 40
    CachedModel(ScriptedModel("m", lambda conversation, sampling: text), store).generate(conversations, Sampling())
    again = echo("m")
    model = CachedModel(again, Store(store.path))
    made = model.generate(conversations, Sampling())
    assert again.requests == []
    assert [each.text for each in made] == [text] * count


def test_two_processes_may_write_at_once(store):
    script = (
        "import sys; from pathlib import Path; from diffing.models.cache import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "[store.put(f'{sys.argv[2]}-{i}', 'x' * 500) for i in range(300)]"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(store.path), name], stderr=subprocess.PIPE, text=True)
        for name in ("p", "q")
    ]
    for i in range(100):
        store.put(f"here-{i}", "y")
    errors = [each.communicate()[1] for each in both]
    assert errors == ["", ""]
    keys = [f"{name}-{i}" for name in ("p", "q") for i in range(300)] + [f"here-{i}" for i in range(100)]
    assert store.get_many(keys).keys() == set(keys)


def test_a_file_that_is_no_database_is_moved_aside(tmp_path, caplog):
    path = tmp_path / "completions.sqlite"
    path.write_text("this is not a database, " * 100)
    with caplog.at_level(logging.WARNING):
        store = Store(path)
    store.put("k", "v")
    assert store.get_many(["k"]) == {"k": "v"}
    assert (tmp_path / "completions.sqlite.corrupt").read_text().startswith("this is not")
    [record] = caplog.records
    assert "is corrupt (file is not a database). It was moved to" in record.message


def test_a_file_that_is_damaged_later_is_moved_aside(tmp_path, caplog):
    path = tmp_path / "completions.sqlite"
    store = Store(path)
    for i in range(2000):
        store.put(f"{i}", "v" * 200)
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 8192))
    damaged = Store(path)
    with caplog.at_level(logging.WARNING):
        found = damaged.get_many([f"{i}" for i in range(2000)])
        damaged.put("new", "value")
    assert len(found) < 2000
    assert damaged.get_many(["new"]) == {"new": "value"}
    assert (tmp_path / "completions.sqlite.corrupt").exists()
    assert [record.message.split(" (")[0] for record in caplog.records] == [f"The cache {path} is corrupt"]


@pytest.mark.parametrize(
    "value",
    ["not JSON", "[]", '{"text": "x"}', '{"text": 5, "finish": "stop"}', '{"text": "x", "finish": "odd"}', b"\xff\xfe"],
)
def test_a_damaged_row_is_reported_and_asked_again(store, value, caplog):
    inner = echo()
    model = CachedModel(inner, store)
    model.generate([user("a"), user("b")], Sampling())
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE texts SET value = CAST(? AS TEXT) WHERE value LIKE '%re: a%'", (value,))
    with caplog.at_level(logging.WARNING):
        made = model.generate([user("a"), user("b")], Sampling())
    assert [each.text for each in made] == ["re: a", "re: b"]
    assert [conversation for conversation, _ in inner.requests] == [user("a"), user("b"), user("a")]
    assert [record.message for record in caplog.records] == [
        f"The cache {store.path} holds 1 answers that cannot be read; they are asked for again."
    ]
    model.generate([user("a")], Sampling())
    assert len(inner.requests) == 3


def test_a_full_disk_is_reported_once_and_the_run_goes_on(tmp_path):
    """A limit of the file's size stands in for a full disk: SQLite's writes fail for real."""
    script = """
import logging, resource, signal, sys
from pathlib import Path
from diffing.models.base import Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.scripted import ScriptedModel
from diffing.types import Message
logging.basicConfig(format="%(message)s")
store = Store(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
model = CachedModel(ScriptedModel("m", lambda conversation, sampling: "x" * 5000), store)
made = model.generate([(Message("user", str(i)),) for i in range(200)], Sampling())
assert len(made) == 200
"""
    path = tmp_path / "completions.sqlite"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"The cache {path} cannot be written (")
    assert "nothing is stored from now on" in lines[0]
    again = ScriptedModel("m", lambda conversation, sampling: "x" * 5000)
    CachedModel(again, Store(path)).generate([(Message("user", str(i)),) for i in range(200)], Sampling())
    assert 0 < len(again.requests) < 200


def test_a_folder_that_cannot_be_made_is_reported_and_the_run_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        store = Store(tmp_path / "file" / "completions.sqlite")
        made = CachedModel(echo(), store).generate([user("a")], Sampling())
    assert made == [Completion("re: a", "stop")]
    assert ["cannot be written" in record.message for record in caplog.records] == [True]


def test_the_users_store_is_in_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("DIFFING_CACHE", raising=False)
    assert default_store().path == tmp_path / "xdg" / "diffing" / "completions.sqlite"
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "own"))
    assert default_store().path == tmp_path / "own" / "completions.sqlite"


def test_values_are_plain_json(store):
    CachedModel(echo(), store).generate([user("a")], Sampling())
    with sqlite3.connect(store.path) as database:
        [(key, value)] = database.execute("SELECT key, value FROM texts")
    assert len(key) == 64
    assert json.loads(value)["text"] == "re: a"
