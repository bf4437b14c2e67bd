"""Tiny models, one folder each per session."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.models.local import tiny


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`model_folder("llama")`: a folder with a tiny model of that architecture."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny.save(tmp_path_factory.mktemp("models") / f"tiny-{kind}", kind)
        return made[kind]

    return folder


@pytest.fixture
def copied(model_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """The folder of a tiny llama, to change or break."""
    return Path(shutil.copytree(model_folder("llama"), tmp_path / "copied"))
