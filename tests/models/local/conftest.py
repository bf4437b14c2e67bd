"""Tiny models, one folder each per session."""

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
