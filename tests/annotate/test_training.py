"""A real Trainer pushes to the Hub on loopback, and the section is in the card afterwards."""

import os
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd

from diffing.annotate.trainer_integration import _log_failures, _wait_for_commit
from diffing.demo.config import FOLDER
from diffing.errors import HubError
from diffing.hub import hub_api
from tests.hub import LocalHub
from tests.starter import Starter

pytest.importorskip("transformers", reason="needs the extra local")

CARD = b"---\nbase_model: alice/base\n---\n# Trained\n"


def test_a_push_of_an_earlier_training_is_not_taken_for_the_last_one(hub: LocalHub) -> None:
    api = hub_api(hub.add_user("alice"), hub.endpoint)
    api.create_repo("alice/tuned")

    def push(title: str) -> str:
        operations = [CommitOperationAdd("model.safetensors", title.encode() + os.urandom(8))]
        return api.create_commit("alice/tuned", operations, commit_message=title).oid

    title = "Training in progress, step 50"
    push("Training in progress, step 500")
    earlier = push(title)
    with pytest.raises(HubError, match="did not arrive"):
        _wait_for_commit(api, "alice/tuned", title, earlier, -1.0)
    push("Training in progress, step 500")
    with pytest.raises(HubError, match="did not arrive"):
        _wait_for_commit(api, "alice/tuned", title, earlier, -1.0)
    last = push(title)
    assert _wait_for_commit(api, "alice/tuned", title, earlier, -1.0) == last


def test_no_error_of_any_kind_breaks_a_training(caplog: pytest.LogCaptureFixture) -> None:
    with _log_failures():
        raise MemoryError("the trained model holds it")
    assert "diffing: no section" in caplog.text


@pytest.mark.slow
def test_a_trainer_that_pushes(hub: LocalHub, starter: Starter, tmp_path: Path) -> None:
    token = hub.add_user("alice")
    hub.add_user("mallory")
    hub.push_folder("alice/base", FOLDER / "models" / "base")
    started = tmp_path / "started"
    started.mkdir()
    (started / "README.md").write_bytes(CARD)
    for name in ("trained", "refused"):  # the Trainer itself writes a card with its last push only
        hub.push_folder(f"alice/{name}", started)
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("\n".join((FOLDER / "prompts.jsonl").read_text(encoding="utf-8").splitlines()[::30]))
    result = starter.run(
        ["-m", "tests.annotate.trains", str(tmp_path), str(prompts)],
        {**os.environ, "HF_TOKEN": token, "HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"},
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    assert "the training went on" in result.stdout

    pushed = hub.repo("alice/pushed").files()["README.md"].decode()
    assert "base_model: alice/base" in pushed, "written by the Trainer"
    assert "## Behavioral differences" in pushed
    trained = hub.repo("alice/trained").files()["README.md"]
    assert trained.startswith(CARD)
    assert b"## Behavioral differences" in trained
    assert hub.repo("alice/refused").files()["README.md"] == CARD
    lines = [line for line in result.stderr.splitlines() if "diffing: no section" in line]
    assert len(lines) == 1, "what went wrong is one line"
    assert "mallory" in lines[0]
    assert "Traceback" not in result.stderr
    for name in ("pushed", "trained"):
        assert f"datasets/alice/alice__{name}-diff" in hub.repo(f"alice/{name}").files()["README.md"].decode()
    assert token not in result.stdout + result.stderr
