"""Checkpoints: whole or not there, of one training only."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diffing.errors import SettingError
from diffing.methods.inside.checkpoint import TrainingCheckpoint, TrainingState

STATE = TrainingState({"w": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(7)}, {"step": 3, "scale": 1 / 3})


def test_a_checkpoint_gives_back_the_same_numbers(tmp_path: Path) -> None:
    file = tmp_path / "new" / "training.safetensors"
    assert TrainingCheckpoint(file, "one").load() is None
    TrainingCheckpoint(file, "one").save(STATE)
    state = TrainingCheckpoint(file, "one").load()
    assert state is not None
    assert state.numbers == STATE.numbers
    assert {name: each.tolist() for name, each in state.tensors.items()} == {"w": [[0, 1, 2], [3, 4, 5]], "n": 7}
    assert list(file.parent.iterdir()) == [file]
    first = file.read_bytes()
    TrainingCheckpoint(file, "one").save(state)
    assert file.read_bytes() == first


def test_a_checkpoint_of_another_training_is_refused_in_one_line(tmp_path: Path) -> None:
    TrainingCheckpoint(tmp_path / "c", "one").save(STATE)
    with pytest.raises(
        SettingError, match=r"belongs to another training .* are one, expected two\): delete it"
    ) as told:
        TrainingCheckpoint(tmp_path / "c", "two").load()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", [b"", b"no tensors", (10**12).to_bytes(8, "little") + b"{}"])
def test_a_damaged_checkpoint_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(SettingError, match="is damaged: delete it, and the training starts anew"):
        TrainingCheckpoint(tmp_path / "c", "one").load()


@pytest.mark.parametrize("header", [None, "[]", json.dumps({"identity": "one"}), "[" * 100_000])
def test_a_file_that_is_no_checkpoint_is_told_in_one_line(tmp_path: Path, header: str | None) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "c", metadata={"checkpoint": header} if header else None)
    with pytest.raises(SettingError, match="is damaged"):
        TrainingCheckpoint(tmp_path / "c", "one").load()


def test_checkpoints_are_written_every_five_minutes(tmp_path: Path) -> None:
    now = [0.0]
    checkpoint = TrainingCheckpoint(tmp_path / "c", "one", clock=lambda: now[0])
    saved = []
    for now[0] in (0, 299, 300, 301, 599, 600, 1_200):
        saved.append(checkpoint.save_if_due(lambda: STATE))
    assert saved == [False, False, True, False, False, True, True]


def test_a_failed_write_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    TrainingCheckpoint(tmp_path / "c", "one").save(STATE)
    with pytest.raises(ValueError, match="not JSON compliant"):
        TrainingCheckpoint(tmp_path / "c", "one").save(TrainingState({}, {"loss": float("nan")}))
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match=r"Cannot write the checkpoint .*: .* Give a folder"):
        TrainingCheckpoint(tmp_path / "file" / "c", "one").save(STATE)
    assert TrainingCheckpoint(tmp_path / "c", "one").load() is not None


def test_a_deleted_checkpoint_is_gone(tmp_path: Path) -> None:
    checkpoint = TrainingCheckpoint(tmp_path / "c", "one")
    checkpoint.delete()
    checkpoint.save(STATE)
    checkpoint.delete()
    assert checkpoint.load() is None
