"""The file of runs: of this version, or refused in one line; settings that are gone are left out."""

import json
import sqlite3
from dataclasses import asdict
from pathlib import Path

import pytest

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.view.runs.records import Records, read_config


def test_a_file_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    records = Records(path)
    records.add("one", "owner", DiffConfig("a", "b"), Limits())
    records.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 0")
    with pytest.raises(SettingError, match="made by another version of diffing"):
        Records(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 1")
    again = Records(path)
    found = again.get("one")
    again.close()
    assert found is not None
    assert found.config == DiffConfig("a", "b")


def test_settings_that_this_version_no_longer_has_are_left_out() -> None:
    config = DiffConfig("a", "b", domain=("cooking", "travel"))
    assert read_config(json.dumps(asdict(config) | {"gone": 1})) == config


def test_what_waits_for_its_visitor_is_kept_for_days_however_many_are_over(tmp_path: Path) -> None:
    records = Records(tmp_path / "runs.sqlite")
    for name in ("over", "later", "waits", "queued"):
        records.add(name, "owner", DiffConfig("a", "b"), Limits())
    records.move("over", "failed")
    records.move("later", "done")
    records.move("waits", "waiting", "Sign in")
    assert records.old(days=1, runs=1) == ("over",)
    assert records.old(days=1, runs=None) == ()
    assert set(records.old(days=-1, runs=1)) == {"over", "later", "waits"}
    records.close()
