"""How a Space is served follows from what the Hub sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.view.runs import OWN_MACHINE, PUBLIC
from diffing.view.site import in_space, settings_from
from tests.starter import Starter
from tests.view.served import free_port

ROOT = Path(__file__).parents[2]
SPACE = {"SYSTEM": "spaces", "SPACE_ID": "alice/diffing", "PATH": "/nowhere"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (SPACE, True),
        ({"SPACE_ID": "alice/diffing"}, False),
        ({"SYSTEM": "spaces"}, False),
        ({}, False),
    ],
)
def test_a_space_is_known_as_gradio_knows_it(environment: dict[str, str], expected: bool) -> None:
    assert in_space(environment) is expected


def test_strangers_are_served_by_public_rules_and_sign_in_where_the_space_offers_it(tmp_path: Path) -> None:
    plain = settings_from({**SPACE, "DIFFING_SITE": str(tmp_path)})
    assert (plain.rules, plain.sign_in, plain.workers, plain.folder) == (PUBLIC, False, 2, tmp_path)
    offered = {"OAUTH_CLIENT_ID": "x"}
    assert settings_from(SPACE | offered).sign_in
    assert not settings_from(offered | {"PATH": "/nowhere"}).sign_in


def test_one_run_at_a_time_has_the_gpu(tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert settings_from(SPACE | {"PATH": str(tmp_path)}).workers == 1
    assert settings_from(SPACE | {"PATH": str(tmp_path), "DIFFING_WORKERS": "3"}).workers == 3


def test_a_machine_of_ones_own_is_served_by_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cache = tmp_path / "home" / ".cache"
    plain = settings_from({"PATH": "/nowhere"})
    assert (plain.rules, plain.sign_in, plain.workers, plain.folder) == (OWN_MACHINE, False, 2, cache / "diffing-site")
    given = {"DIFFING_SITE": str(tmp_path / "site"), "DIFFING_WORKERS": "3"}
    told = settings_from(given)
    assert (told.rules, told.workers, told.folder) == (OWN_MACHINE, 3, tmp_path / "site")
    assert settings_from({"DIFFING_SITE": "~/site"}).folder == tmp_path / "home" / "site"
    flag = settings_from(given, folder=tmp_path / "flag")
    assert (flag.workers, flag.folder) == (3, tmp_path / "flag")
    # runs that were begun with this machine's login are not strangers' to see
    assert settings_from({}, public=True).folder == cache / "diffing-site-public"
    public = settings_from(given, public=True)
    assert (public.rules, public.workers, public.folder) == (PUBLIC, 3, tmp_path / "site-public")


@pytest.mark.parametrize("workers", ["0", "many", "65", "-1", "", "٣", "9" * 5000])
def test_workers_are_a_number_of_runs(workers: str) -> None:
    with pytest.raises(SettingError, match="expected a number of parallel runs from 1 to 64"):
        settings_from(SPACE | {"DIFFING_WORKERS": workers})
    with pytest.raises(
        SettingError, match=r"DIFFING_WORKERS is .{2,45}: expected a number of parallel runs from 1 to 64"
    ):
        settings_from({"DIFFING_WORKERS": workers})


def test_the_app_and_the_command_read_the_same_settings(starter: Starter, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    wrong = tmp_path / "file" / "site"
    wrong.parent.write_text("")
    own = {name: value for name, value in os.environ.items() if name not in ("SYSTEM", "SPACE_ID")}
    own |= {"DIFFING_SITE": str(wrong)}
    out, err = tmp_path / "out", tmp_path / "err"
    command = starter.start(["serve", "--port", str(free_port())], own, out, err)
    app = subprocess.run([sys.executable, "app.py"], env=own, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (command.wait(300), app.returncode) == (2, 2)
    for said in (app.stderr, err.read_text()):
        assert f"Runs cannot be stored in {wrong}" in " ".join(said.split())
        assert "Traceback" not in said
