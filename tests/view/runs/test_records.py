"""The file of runs: of this version, or refused in one line; settings that are gone are left out."""

import json
import sqlite3
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.view.runs.run_store import RunStore, RunTask, digest, read_config


def test_a_file_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    records = RunStore(path)
    records.add("one", "owner", DiffConfig("a", "b"), Limits())
    records.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 0")
    with pytest.raises(SettingError, match="made by another version of diffing"):
        RunStore(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    again = RunStore(path)
    found = again.get("one")
    again.close()
    assert found is not None
    assert found.task.config == DiffConfig("a", "b")


def test_settings_that_this_version_no_longer_has_are_left_out() -> None:
    config = DiffConfig("a", "b", domain=("cooking", "travel"))
    assert read_config(json.dumps(asdict(config) | {"gone": 1})) == config


def test_a_run_stored_before_the_bundled_set_had_versions_draws_the_prompts_of_then() -> None:
    config = DiffConfig("a", "b", train=30)
    stored = {key: value for key, value in asdict(config).items() if key != "balance"}
    assert read_config(json.dumps(stored)) == replace(config, prompts="bundled@1", balance="none")
    own = stored | {"prompts": "org/chats"}
    assert read_config(json.dumps(own)) == replace(config, prompts="org/chats", balance="none")


def test_what_waits_for_its_visitor_is_kept_for_days_however_many_are_over(tmp_path: Path) -> None:
    records = RunStore(tmp_path / "runs.sqlite")
    for name in ("over", "later", "waits", "queued"):
        records.add(name, "owner", DiffConfig("a", "b"), Limits())
    records.move("over", "failed")
    records.move("later", "done")
    records.move("waits", "waiting", "Sign in")
    assert records.old(days=1, runs=1) == ("over",)
    assert records.old(days=1, runs=None) == ()
    assert set(records.old(days=-1, runs=1)) == {"over", "later", "waits"}
    records.close()


@pytest.mark.parametrize("days", [31, -31, 20_000])
def test_a_clock_that_jumps_makes_no_run_old_and_none_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    path, real, jump = tmp_path / "runs.sqlite", time.time, 0.0
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    records = RunStore(path)
    for name in ("first", "second", "third"):
        records.add(name, "owner", DiffConfig("a", "b"), Limits())
        records.move(name, "done")
        jump += 86400 * days
    assert records.old(days=30, runs=None) == ()
    assert records.old(days=None, runs=2) == ("first",)
    records.close()
    jump += 86400 * days
    again = RunStore(path)  # nor where the machine starts with another time
    assert again.old(days=30, runs=2) == ("first",)
    again.close()


def test_days_are_those_in_which_an_app_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real, ran = tmp_path / "runs.sqlite", time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: real() + ran)
    records = RunStore(path)
    records.add("one", "owner", DiffConfig("a", "b"), Limits())
    records.move("one", "done")
    ran += 86400 * 29
    assert records.get("one") is not None  # whatever is asked saves the time, so a kill loses minutes
    again = RunStore(path)
    assert again.old(days=30, runs=None) == ()
    ran += 86400 * 1.5
    assert again.old(days=30, runs=None) == ("one",)
    again.close()
    records.close()


def test_runs_of_before_the_time_was_counted_age_from_the_latest_of_them(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    records = RunStore(path)
    for name in ("old", "new"):
        records.add(name, "owner", DiffConfig("a", "b"), Limits())
        records.move(name, "done")
    records.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE ran")
        database.execute("UPDATE jobs SET changed = CASE key WHEN 'old' THEN 1.7e9 ELSE 1.7e9 + 86400 * 40 END")
    again = RunStore(path)
    assert again.old(days=30, runs=None) == ("old",)
    again.close()


def test_runs_of_the_version_before_go_on(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    config = DiffConfig("a", "b", domain=("cooking",))
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE runs (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT, "
            "config TEXT, limits TEXT, state TEXT, reason TEXT, tries INTEGER, changed REAL, told TEXT);"
            "CREATE TABLE removed (id TEXT PRIMARY KEY) WITHOUT ROWID; CREATE TABLE ran (seconds REAL NOT NULL);"
            "INSERT INTO ran VALUES (90.0); PRAGMA user_version = 1;"
        )
        row = ("one", "somebody", json.dumps(asdict(config)), json.dumps(asdict(Limits(max_calls=7))))
        database.execute(
            "INSERT INTO runs VALUES (5, ?, ?, ?, ?, 'waiting', 'Sign in', 1, 80.0, '{\"found\": []}')", row
        )
        database.execute("INSERT INTO removed VALUES (?)", (digest("gone"),))
    for _ in range(2):
        records = RunStore(path)
        assert records.now >= 90.0
        (run,) = records.jobs("waiting")
        assert (run.key, run.owner, run.reason, run.tries, run.changed) == ("one", "somebody", "Sign in", 1, 80.0)
        assert run.task == RunTask(config, Limits(max_calls=7))
        assert records.removed("gone")
        records.close()
