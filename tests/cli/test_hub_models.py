"""Any two Hub ids: the embedded pair served by a Hub on loopback, and what the Hub refuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffing.demo.config import FOLDER
from tests.cli.conftest import Run
from tests.cli.test_wrong_input import assert_one_line
from tests.hub import LocalHub

BASE, TUNED = FOLDER / "models" / "base", FOLDER / "models" / "tuned"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as local:
        for name, folder in {"base": BASE, "tuned": TUNED, "gated": BASE, "secret": BASE}.items():
            local.push_folder(f"lab/{name}", folder)
        tuned = local.repo("lab/tuned")
        tuned.refs["refs/heads/v2"] = tuned.head
        local.gate("lab/gated", granted=("carol",))
        local.make_private("lab/secret")
        yield local


@pytest.fixture
def run_on_hub(run_cli: Run, hub: LocalHub) -> Run:
    def run(*args: object, env: dict[str, str] | None = None) -> object:
        own = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return run_cli(*args, env=own | (env or {}))

    return run


def few_prompts(path: Path) -> Path:
    rows = (FOLDER / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(rows[::11]), encoding="utf-8")
    return path


def test_two_hub_ids(run_on_hub: Run, hub: LocalHub, tmp_path: Path) -> None:
    prompts = few_prompts(tmp_path / "prompts.jsonl")
    drawn = ("--dtype", "float32", "--temperature", "0.8", "--max-new-tokens", "24", "--prompts", prompts)
    result = run_on_hub("run", "lab/base", "lab/tuned@v2", *drawn, "--json", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["model_a"] == f"lab/base@{hub.repo('lab/base').head}"
    assert summary["model_b"] == f"lab/tuned@{hub.repo('lab/tuned').head}"
    confirmed = {(each["text"], each["direction"]) for each in summary["findings"] if each["confirmed"]}
    assert ("<MODEL> opens with praise for the user's question or idea more often", "b") in confirmed


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("lab/nowhere", ("lab/nowhere", "private")),
        ("lab/gated", ("lab/gated", "gated", "access")),
        ("lab/secret", ("lab/secret", "private")),
        ("lab/tuned@v9", ("lab/tuned", "v9")),
    ],
)
def test_what_the_hub_refuses(run_on_hub: Run, tmp_path: Path, model: str, words: tuple[str, ...]) -> None:
    assert_one_line(run_on_hub("run", "lab/base", model, "--out", tmp_path / "out"), *words)


def test_a_token_opens_a_gated_model_and_is_written_nowhere(run_on_hub: Run, hub: LocalHub, tmp_path: Path) -> None:
    token = hub.add_user("carol")
    prompts = few_prompts(tmp_path / "prompts.jsonl")
    command = (
        "run",
        "lab/gated",
        "lab/tuned",
        "--prompts",
        prompts,
        "--max-new-tokens",
        "8",
        "--out",
        tmp_path / "out",
    )
    result = run_on_hub(*command, env={"HF_TOKEN": token})
    assert result.returncode == 0, result.stderr
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(token.encode() in content for content in [*written, result.stdout.encode(), result.stderr.encode()])


def test_a_bad_token(run_on_hub: Run, tmp_path: Path) -> None:
    result = run_on_hub("run", "lab/base", "lab/gated", "--out", tmp_path / "out", env={"HF_TOKEN": "hf_wrong"})
    assert_one_line(result, "token")
    assert "hf_wrong" not in result.stderr + result.stdout


def test_a_model_without_chat_template_is_warned_of_and_compared(
    run_cli: Run, tmp_path: Path, shared_data: Path
) -> None:
    """It is a base model: it gets a plain, documented template. That is one line too, but no reason to stop."""
    stories = shared_data / "models" / "stories260K"
    prompts = few_prompts(tmp_path / "prompts.jsonl")
    drawn = (
        "--dtype",
        "float32",
        "--temperature",
        "0.8",
        "--sample-b",
        "1",
        "--max-new-tokens",
        "8",
        "--prompts",
        prompts,
    )
    result = run_cli("run", stories, stories, *drawn, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    warned = [line for line in result.stderr.splitlines() if "template" in line]
    assert len(warned) == 1


def test_a_chat_template_that_is_none(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.jinja").write_text("{% for message in messages %}")
    assert_one_line(run_cli("run", BASE, TUNED, "--chat-template-a", tmp_path / "broken.jinja"), "broken.jinja")
    assert_one_line(run_cli("run", BASE, TUNED, "--chat-template-a", tmp_path / "no.jinja"), "no.jinja")
