"""Training: the masks hold, dead latents are revived, an interrupted training ends with the same bytes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from diffing.errors import SettingError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.latent_facts import latent_facts
from diffing.methods.crosscoder.normaliser import measure_normaliser
from diffing.methods.crosscoder.optimisation import DictionaryOptimisation
from diffing.methods.crosscoder.quality import quality
from diffing.methods.crosscoder.training import train, train_both, train_difference
from diffing.methods.crosscoder.training_settings import DictionaryTrainingSettings
from tests.methods.crosscoder.worlds import Rows, World, settings
from tests.waiting import DEADLINE

SIZES = {"width": 16, "shared": 16, "weak": 0, "exclusive": 4, "active": 2, "same_space": True, "total": 640}
SMALL = World(**SIZES)  # type: ignore[arg-type]


def small_settings(steps: int = 30) -> DictionaryTrainingSettings:
    return settings(SMALL, latents=32, own=4, k=2, steps=steps, batch_rows=64)


def begun(steps: int = 30, **changes: object) -> DictionaryOptimisation:
    normaliser = measure_normaliser(SMALL.batches(64), 640, Crosscoder.inputs)
    return DictionaryOptimisation(replace(small_settings(steps), **changes), SMALL.widths, normaliser)  # type: ignore[arg-type]


def moments(training: DictionaryOptimisation, name: str) -> torch.Tensor:
    """The encoders' and decoders' numbers of one kind: reads A, reads B, writes A, writes B."""
    tensors = training.state().tensors
    return torch.stack([tensors[f"{name}.{place}"] for place in range(1, 5)])


def test_the_masks_hold_in_the_weights_and_in_the_optimizer() -> None:
    training = begun()
    for batch in SMALL.batches(64):
        training.take((batch.a, batch.b), batch.place)
        if training.step == 20:
            break
    for name in ("parameter", "first_moment", "second_moment"):
        read_a, read_b, write_a, write_b = moments(training, name)
        for own_of_a in (read_b[:4], write_b[:4]):
            assert not own_of_a.any()
        for own_of_b in (read_a[4:8], write_a[4:8]):
            assert not own_of_b.any()
        assert read_a[:4].any()
        assert write_b[4:8].any()
        assert all(part[8:].any(1).all() for part in (read_a, read_b, write_a, write_b))


def test_the_masks_hold_in_the_forward_pass() -> None:
    training = begun()
    for parameter in training._parameters[1:5]:
        parameter.data.fill_(1.0)
    weights = training.weights()
    assert not weights.encoders[1][:4].any()
    assert not weights.decoders[0][4:8].any()
    assert weights.norms().tolist() == [4.0] * 8 + [8.0] * 24


def test_first_directions_have_norm_one_and_are_the_same_in_one_space() -> None:
    weights = begun().weights()
    assert torch.equal(weights.encoders[0], weights.decoders[0])
    assert torch.equal(weights.decoders[0][8:], weights.decoders[1][8:])
    assert torch.allclose(weights.decoders[0][8:].norm(dim=1), torch.ones(24))
    assert not weights.bias.any()
    two_spaces = begun(same_space=False).weights()
    assert not torch.equal(two_spaces.decoders[0][8:], two_spaces.decoders[1][8:])


def test_silent_latents_learn_what_is_left() -> None:
    """Latents whose directions are tiny lose every selection; without revival their gradients are exactly zero."""
    grown = []
    for silent_rows in (0, 10**6):
        training = begun()
        training.step = 20  # at first so much is kept that no latent loses
        for parameter in training._parameters[1:5]:
            parameter.data[20:] *= 1e-3
        training._silent[20:] = silent_rows
        before = moments(training, "parameter").clone()
        batch = next(SMALL.batches(64))
        training.take((batch.a, batch.b), batch.place)
        grown.append((moments(training, "parameter") - before)[:, 20:].abs().sum())
    assert grown[0] == 0
    assert grown[1] > 0


class Interrupted(World):
    """A stream that breaks off at a place."""

    breaks_at = 64 * 17

    def batches(self, rows: int, start: int = 0) -> Iterator[Rows]:
        for batch in super().batches(rows, start):
            if batch.place > self.breaks_at:
                raise InterruptedError
            yield batch


@pytest.mark.parametrize("trainer", [train, train_difference])
def test_an_interrupted_training_ends_with_the_same_bytes(tmp_path: Path, trainer: object) -> None:
    broken = Interrupted(**SIZES)  # type: ignore[arg-type]
    ticks = iter(range(0, 10**6, 100))
    with pytest.raises(InterruptedError):
        trainer(small_settings(), broken, tmp_path / "c", clock=lambda: next(ticks))  # type: ignore[operator]
    whole = trainer(small_settings(), SMALL, tmp_path / "whole")  # type: ignore[operator]
    resumed = trainer(small_settings(), SMALL, tmp_path / "c")  # type: ignore[operator]
    assert 0 < resumed.threshold == whole.threshold
    whole.save(tmp_path / "1")
    resumed.save(tmp_path / "2")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert (tmp_path / "c").read_bytes() == (tmp_path / "whole").read_bytes()


CHILD = """
import sys, time, torch
from pathlib import Path
from diffing.methods.crosscoder.training import train
from tests.methods.crosscoder.test_training import SMALL, small_settings
torch.set_num_threads(1)
def on_rows(done, total):
    if done == 64 * 15:
        print("there", flush=True)
        time.sleep(600)
ticks = iter(range(0, 10**6, 100))
train(small_settings(), SMALL, Path(sys.argv[1]), on_rows, clock=lambda: next(ticks))
"""


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_bytes(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path / "c")], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout
        assert child.stdout.readline() == "there\n"
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(DEADLINE) == -signal.SIGKILL
    finally:
        child.kill()
    assert (tmp_path / "c").is_file()
    told: list[int] = []
    resumed = train(small_settings(), SMALL, tmp_path / "c", lambda done, _: told.append(done))
    assert 0 < told[0] <= 64 * 15
    assert resumed.hash == train(small_settings(), SMALL, tmp_path / "whole").hash
    assert (tmp_path / "c").read_bytes() == (tmp_path / "whole").read_bytes()


def test_both_dictionaries_trained_at_once_have_the_same_bytes_also_after_a_stop(tmp_path: Path) -> None:
    def stop_after(steps: int) -> Callable[[int, int], None]:
        def on_rows(done: int, total: int) -> None:
            if done == 64 * steps:
                raise KeyboardInterrupt

        return on_rows

    def every_step() -> Callable[[], float]:
        ticks = iter(range(0, 10**6, 1000))
        return lambda: next(ticks)

    both = (tmp_path / "a", tmp_path / "b")
    train(small_settings(), SMALL, tmp_path / "crosscoder")
    train_difference(small_settings(), SMALL, tmp_path / "difference")
    with pytest.raises(KeyboardInterrupt):
        train_both(small_settings(), SMALL, both, stop_after(9), clock=every_step())
    with pytest.raises(KeyboardInterrupt):  # one goes on alone: now they are at different places
        train(small_settings(), SMALL, both[0], stop_after(15), clock=every_step())
    train_both(small_settings(), SMALL, both)
    assert both[0].read_bytes() == (tmp_path / "crosscoder").read_bytes()
    assert both[1].read_bytes() == (tmp_path / "difference").read_bytes()


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    done = train(small_settings(), SMALL, tmp_path / "c")
    told: list[int] = []
    again = train(small_settings(), SMALL, tmp_path / "c", lambda done, _: told.append(done))
    assert told == []
    assert again.hash == done.hash


def test_another_seed_gives_another_dictionary_and_refuses_the_checkpoint(tmp_path: Path) -> None:
    done = train(small_settings(), SMALL, tmp_path / "c")
    other = replace(small_settings(), seed=5)
    with pytest.raises(SettingError, match="belongs to another training"):
        train(other, SMALL, tmp_path / "c")
    with pytest.raises(SettingError, match="belongs to another training"):
        train_difference(small_settings(), SMALL, tmp_path / "c")
    assert train(other, SMALL, tmp_path / "other").hash != done.hash


def test_rows_that_end_too_early_are_told(tmp_path: Path) -> None:
    class Short(World):
        def batches(self, rows: int, start: int = 0) -> Iterator[Rows]:
            yield from [batch for batch, _ in zip(super().batches(rows, start), range(9), strict=False)]

    short = Short(**SIZES)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="The texts ended after 576 rows, expected 1,920: give more texts"):
        train(small_settings(), short, tmp_path / "c")


def test_progress_counts_rows(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    train(small_settings(3), SMALL, tmp_path / "c", lambda done, total: told.append((done, total)))
    assert told == [(0, 192), (64, 192), (128, 192), (192, 192)]


def test_a_difference_dictionary_needs_one_space(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="needs two models of one architecture"):
        train_difference(replace(small_settings(), same_space=False), SMALL, tmp_path / "c")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_trains_nearly_the_same_dictionary(tmp_path: Path) -> None:
    same_on("cuda", tmp_path)


def same_on(device: str, folder: Path) -> None:
    """Trains on the CPU and on a device, and compares; the training on the device is then opened again."""
    there = replace(small_settings(300), device=device)
    on_cpu, on_device = train(small_settings(300), SMALL, folder / "cpu"), train(there, SMALL, folder / "device")
    assert on_device.weights.bias.device.type == device
    expected, found = (quality(each, SMALL.held_back(64)) for each in (on_cpu, on_device))
    assert found.fve == pytest.approx(expected.fve, abs=0.03)
    facts = latent_facts(on_device, SMALL)
    assert facts.rows == latent_facts(on_cpu, SMALL).rows
    again = train(there, SMALL, folder / "device")
    assert again.hash == on_device.hash
