"""`diffing card`, as a user runs it against a Hub on loopback."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from diffing.report import save_report
from diffing.types import ModelInfo
from tests.cli.conftest import Run
from tests.cli.test_wrong_input import assert_one_line
from tests.hub import LocalHub
from tests.outputs.samples import medium_report

MODEL = "bob/tuned"
CARD = b"---\nlicense: mit\n---\n# Tuned \x1b[31m\n"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as local:
        yield local


@pytest.fixture
def tokens(hub: LocalHub) -> dict[str, str]:
    tokens = {name: hub.add_user(name) for name in ("bob", "alice")}
    bob = HfApi(endpoint=hub.endpoint, token=tokens["bob"])
    bob.create_repo(MODEL)
    bob.create_commit(MODEL, [CommitOperationAdd("README.md", CARD)], commit_message="Card")
    return tokens


@pytest.fixture
def report(tmp_path: Path) -> Path:
    models = ModelInfo(f"acme/base@{'a' * 40}", "model_a"), ModelInfo(f"{MODEL}@{'b' * 40}", "model_b")
    some = replace(medium_report(train=40, heldout=60), model_a=models[0], model_b=models[1])
    return save_report(some, tmp_path / "report")


@pytest.fixture
def card(run_cli: Run, hub: LocalHub, tokens: dict[str, str], report: Path) -> Run:
    def run(*flags: str, who: str | None = "alice", model: str = MODEL) -> subprocess.CompletedProcess[str]:
        env = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        result = run_cli("card", report, model, *flags, env=env | ({"HF_TOKEN": tokens[who]} if who else {}))
        assert not any(token in result.stdout + result.stderr for token in tokens.values())
        return result

    return run


def readme(hub: LocalHub, revision: str = "main") -> bytes:
    return hub.repo(MODEL).files(revision)["README.md"]


def test_without_a_flag_it_only_shows(card: Run, hub: LocalHub) -> None:
    result = card(who=None)
    assert result.returncode == 0
    assert "+## Behavioral differences" in result.stdout
    assert "\x1b" not in result.stdout  # the card is somebody else's text
    assert result.stderr == "Nothing was written: this is what would change in bob/tuned.\n"
    assert readme(hub) == CARD
    assert hub.repo(MODEL).pulls == []


def test_it_commits_for_the_owner_and_proposes_to_others(card: Run, hub: LocalHub) -> None:
    refused = card("--commit")
    assert refused.returncode == 2
    assert refused.stdout.startswith("<!-- model-diff:begin ")  # to be copied
    assert "may not write to bob/tuned (403" in refused.stderr
    proposed = card("--pr")
    assert proposed.stderr == f"A pull request to bob/tuned was opened. {hub.endpoint}/bob/tuned/discussions/1\n"
    committed = card("--commit", who="bob")
    assert "The section was written to the card of bob/tuned." in committed.stderr
    assert readme(hub) == readme(hub, "refs/pr/1") != CARD
    again = card("--pr")
    assert again.stderr == "The card of bob/tuned has this section already.\n"


def test_pull_requests_switched_off_leave_the_section_to_copy(card: Run, hub: LocalHub) -> None:
    hub.disable_discussions(MODEL)
    result = card("--pr")
    assert result.returncode == 2
    assert "\n## Behavioral differences\n" in result.stdout
    assert "copy the section by hand" in result.stderr


@pytest.mark.parametrize(
    ("flags", "model", "expected"),
    [
        (("--commit", "--pr"), MODEL, "--commit, --pr and --dry-run exclude each other"),
        ((), "acme/base", "acme/base does not exist on the Hub"),
    ],
)
def test_what_is_wrong_is_one_line(card: Run, flags: tuple[str, ...], model: str, expected: str) -> None:
    assert_one_line(card(*flags, model=model), expected)
