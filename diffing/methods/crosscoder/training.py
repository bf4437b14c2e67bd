"""Trains crosscoders and difference dictionaries; a killed training goes on from its checkpoint with the same bytes."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from torch import Tensor  # noqa: TID253 - only training a dictionary imports this module

from diffing.errors import SettingError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.normaliser import NORMALISER_ROWS, measure_normaliser
from diffing.methods.crosscoder.optimisation import DictionaryOptimisation
from diffing.methods.crosscoder.sparse_dictionary import Inputs, Normaliser
from diffing.methods.crosscoder.training_settings import HIGHEST_RATE, DictionaryTrainingSettings
from diffing.methods.inside.checkpoint import TrainingCheckpoint
from diffing.methods.inside.row_batches import RowStream

OnRows: TypeAlias = Callable[[int, int], None]
"""Callback `on_rows(done, total)`: rows that were trained on."""


def _ignore(done: int, total: int) -> None:
    """A callback that does nothing."""


def train(
    settings: DictionaryTrainingSettings,
    rows: RowStream,
    checkpoint: Path,
    on_rows: OnRows = _ignore,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Crosscoder:
    """Trains a crosscoder, or goes on with a training that was interrupted.

    The same settings and rows give the same bytes on a CPU, also after an interruption.

    Args:
        settings: What is trained, and on what.
        rows: The activations; they must be those that `settings.source` names.
        checkpoint: The file of the training's state; it is kept afterwards.
        on_rows: Told after every step how many rows were trained on.
        clock: Tells the time in seconds; a checkpoint is written every five minutes.

    Raises:
        SettingError: The checkpoint is damaged, belongs to another training or cannot be written; the rows end too
            early, or are all the same.
    """
    (trained,) = _train([_crosscoder_task(settings, rows, checkpoint)], rows, on_rows, clock)
    return _crosscoder(settings, trained)


def train_both(
    settings: DictionaryTrainingSettings,
    rows: RowStream,
    checkpoints: tuple[Path, Path],
    on_rows: OnRows = _ignore,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Crosscoder, DifferenceDictionary]:
    """Trains a crosscoder and a difference dictionary on the same batches, so that the models read only once.

    Both have the same bytes as if they were trained one after the other; see `train` and `train_difference`.

    Args:
        settings: The settings of the crosscoder.
        rows: The activations of two models of one space.
        checkpoints: The files of both trainings' states.
        on_rows: Told after every step how many rows both were trained on.
        clock: Tells the time in seconds.

    Raises:
        SettingError: As `train_difference`.
    """
    tasks = [_crosscoder_task(settings, rows, checkpoints[0]), _difference_task(settings, rows, checkpoints[1])]
    crosscoder, difference = _train(tasks, rows, on_rows, clock)
    return _crosscoder(settings, crosscoder), _difference(settings, difference)


def train_difference(
    settings: DictionaryTrainingSettings,
    rows: RowStream,
    checkpoint: Path,
    on_rows: OnRows = _ignore,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> DifferenceDictionary:
    """Trains a difference dictionary with half the latents and half the k of a crosscoder's settings; see `train`.

    Args:
        settings: The settings of the crosscoder.
        rows: The activations of two models of one space.
        checkpoint: The file of the training's state, another one than the crosscoder's.
        on_rows: Told after every step how many rows were trained on.
        clock: Tells the time in seconds.

    Raises:
        SettingError: As `train`, or the models have no common space.
    """
    (trained,) = _train([_difference_task(settings, rows, checkpoint)], rows, on_rows, clock)
    return _difference(settings, trained)


def difference_settings(settings: DictionaryTrainingSettings) -> DictionaryTrainingSettings:
    """Returns the settings of the difference dictionary that belongs to a crosscoder's settings."""
    return replace(
        settings,
        latents=settings.latents // 2,
        k=max(settings.k // 2, 1),
        partition=(0, 0),
        rate=min(settings.rate * 2**0.5, HIGHEST_RATE),
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """What is trained."""

    settings: DictionaryTrainingSettings
    kind: str
    widths: tuple[int, ...]
    inputs_of: Callable[[Tensor, Tensor], Inputs]
    path: Path
    """The file of its state."""

    @property
    def identity(self) -> str:
        """A hash of everything that decides the result."""
        return hashlib.sha256(f"{self.kind} {self.widths} {self.settings.identity}".encode()).hexdigest()


def _crosscoder_task(settings: DictionaryTrainingSettings, rows: RowStream, path: Path) -> _Task:
    return _Task(settings, "crosscoder", rows.widths, Crosscoder.inputs, path)


def _difference_task(settings: DictionaryTrainingSettings, rows: RowStream, path: Path) -> _Task:
    if not settings.same_space:
        raise SettingError(
            "A difference dictionary needs two models of one architecture, with the same shapes and tokenizer: "
            "leave it out for these two"
        )
    half = difference_settings(settings)
    return _Task(half, "difference", rows.widths[:1], DifferenceDictionary.inputs, path)


def _crosscoder(settings: DictionaryTrainingSettings, trained: DictionaryOptimisation) -> Crosscoder:
    return Crosscoder(
        trained.weights().to(settings.device),
        trained.normaliser,
        threshold=float(trained.threshold.value),
        k=settings.k,
        partition=settings.partition,
        same_space=settings.same_space,
        source=settings.source,
    )


def _difference(settings: DictionaryTrainingSettings, trained: DictionaryOptimisation) -> DifferenceDictionary:
    return DifferenceDictionary(
        trained.weights().to(settings.device),
        trained.normaliser,
        threshold=float(trained.threshold.value),
        k=difference_settings(settings).k,
        source=settings.source,
    )


def _train(
    tasks: Sequence[_Task], rows: RowStream, on_rows: OnRows, clock: Callable[[], float]
) -> list[DictionaryOptimisation]:
    """Trains all tasks on the same batches; their settings have the same rows per step and the same steps."""
    settings = tasks[0].settings
    steps, total = settings.steps, settings.steps * settings.batch_rows
    checkpoints = [TrainingCheckpoint(task.path, task.identity, clock=clock) for task in tasks]
    trainings = _begun(tasks, rows, checkpoints, lambda: on_rows(0, total))
    if any(training.step < steps for training in trainings):
        start = min(training.place for training in trainings)
        for batch in rows.batches(settings.batch_rows, start):
            for task, training in zip(tasks, trainings, strict=True):
                if training.place < batch.place:  # one may have been saved later than the other
                    training.take(task.inputs_of(batch.a, batch.b), batch.place)
            done = min(training.step for training in trainings)
            on_rows(done * settings.batch_rows, total)
            if done == steps:
                break
            for checkpoint, training in zip(checkpoints, trainings, strict=True):
                checkpoint.save_if_due(training.state)
        for checkpoint, training in zip(checkpoints, trainings, strict=True):
            checkpoint.save(training.state())
    behind = min(trainings, key=lambda training: training.step)
    if behind.step < steps:
        raise SettingError(
            f"The texts ended after {behind.place:,} rows, expected {settings.rows:,}: give more texts with --corpus "
            "or train on fewer rows"
        )
    return trainings


def _begun(
    tasks: Sequence[_Task], rows: RowStream, checkpoints: Sequence[TrainingCheckpoint], on_new: Callable[[], None]
) -> list[DictionaryOptimisation]:
    """Returns the trainings as their checkpoints have them, or new ones, whose normalisers take a pass over rows."""
    states = [checkpoint.load() for checkpoint in checkpoints]
    new = [task for task, state in zip(tasks, states, strict=True) if state is None]
    if new:
        on_new()
    normalisers = iter(_normalisers(new, rows))
    return [
        DictionaryOptimisation(task.settings, task.widths, next(normalisers))
        if state is None
        else DictionaryOptimisation.restore(task.settings, task.widths, state)
        for task, state in zip(tasks, states, strict=True)
    ]


def _normalisers(tasks: Sequence[_Task], rows: RowStream) -> Iterator[Normaliser]:
    """Measures the normalisers of all tasks in one pass over the rows."""
    if not tasks:
        return

    def inputs_of(a: Tensor, b: Tensor) -> Inputs:
        return tuple(each for task in tasks for each in task.inputs_of(a, b))

    measured = min(NORMALISER_ROWS, rows.total)
    both = measure_normaliser(rows.batches(tasks[0].settings.batch_rows), measured, inputs_of)
    done = 0
    for task in tasks:
        own = slice(done, done + len(task.widths))
        yield Normaliser(both.means[own], both.scales[own])
        done += len(task.widths)
