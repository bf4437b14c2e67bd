"""How a Space is served follows from what the Hub sets."""

from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.view.runs import PUBLIC
from diffing.view.site import in_space, settings_from

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


@pytest.mark.parametrize("workers", ["0", "many", "65", "-1", ""])
def test_workers_are_a_number_of_runs(workers: str) -> None:
    with pytest.raises(SettingError, match="expected runs at a time, 1 to 64"):
        settings_from(SPACE | {"DIFFING_WORKERS": workers})
