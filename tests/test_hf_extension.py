"""What `hf extensions install OWNER/hf-diffing` needs of this repository, as huggingface_hub reads it.

It installs the repository's archive with pip, looks for the console script `hf-diffing`, and shows the description of
`manifest.json` or, without one, that of `pyproject.toml`. `tests/deploy/test_hf_extension.py` installs it.
"""

import importlib.metadata
import tomllib
from importlib import import_module
from pathlib import Path

import httpx2
import pytest
from huggingface_hub.cli import extensions
from huggingface_hub.cli.hf import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_console_script_is_that_of_the_extension() -> None:
    _, repo, short_name = extensions._normalize_repo_id("somebody/hf-diffing")
    assert (repo, short_name) == ("hf-diffing", "diffing")
    scripts = PROJECT["scripts"]
    assert scripts[f"hf-{short_name}"] == scripts["diffing"]
    module, _, name = scripts["hf-diffing"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_hf_has_no_command_of_this_name() -> None:
    assert "download" in app.commands
    assert not any("diffing" in name for name in app.commands)


def test_the_description_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of GitHub only the transport is missing: files are read from this checkout."""

    def from_checkout(method: str, url: str) -> httpx2.Response:
        path = ROOT / url.removeprefix("https://raw.githubusercontent.com/somebody/hf-diffing/HEAD/")
        request = httpx2.Request(method, url)
        found = httpx2.Response(200 if path.is_file() else 404, content=path.read_bytes() if path.is_file() else b"")
        found.request = request
        return found.raise_for_status()

    monkeypatch.setattr(extensions, "_github_request", from_checkout)
    told = extensions._try_fetch_remote_description(owner="somebody", repo_name="hf-diffing")
    assert told == PROJECT["description"] == importlib.metadata.metadata("diffing")["Summary"]
