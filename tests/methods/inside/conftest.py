"""A pair of tiny models, written once per session and opened once per module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diffing.methods.inside.pair_reading import InsidePair
from tests.methods.inside import tiny_pair


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of a tiny Llama and a tiny GPT-2 with different tokenizers."""
    return tiny_pair.save_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def pair(folders: tuple[Path, Path]) -> Iterator[InsidePair]:
    """Both, calibrated."""
    with tiny_pair.open_pair(folders) as opened:
        opened.calibrate(tiny_pair.exchanges(20))
        yield opened
