"""Trains crosscoders and difference dictionaries; a killed training goes on from its checkpoint with the same bytes."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from torch import Tensor  # noqa: TID253 - only training a dictionary imports this module

from diffing.errors import SettingError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.normaliser import NORMALISER_ROWS, measure_normaliser
from diffing.methods.crosscoder.optimisation import Optimisation
from diffing.methods.crosscoder.sparse_dictionary import Inputs
from diffing.methods.crosscoder.training_settings import HIGHEST_RATE, TrainingSettings
from diffing.methods.inside.checkpoint import Checkpoint
from diffing.methods.inside.rows import RowStream

OnRows: TypeAlias = Callable[[int, int], None]
"""Callback `on_rows(done, total)`: rows that were trained on."""


def _ignore(done: int, total: int) -> None:
    """A callback that does nothing."""


def train(
    settings: TrainingSettings,
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
    trained = _train(_Task(settings, "crosscoder", rows.widths, Crosscoder.inputs), rows, checkpoint, on_rows, clock)
    return Crosscoder(
        trained.weights().to(settings.device),
        trained.normaliser,
        threshold=float(trained.threshold.value),
        k=settings.k,
        partition=settings.partition,
        same_space=settings.same_space,
        source=settings.source,
    )


def train_difference(
    settings: TrainingSettings,
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
    if not settings.same_space:
        raise SettingError(
            "A difference dictionary needs two models of one architecture, with the same shapes and tokenizer: "
            "leave it out for these two"
        )
    half = difference_settings(settings)
    trained = _train(
        _Task(half, "difference", rows.widths[:1], DifferenceDictionary.inputs), rows, checkpoint, on_rows, clock
    )
    return DifferenceDictionary(
        trained.weights().to(settings.device),
        trained.normaliser,
        threshold=float(trained.threshold.value),
        k=half.k,
        source=settings.source,
    )


def difference_settings(settings: TrainingSettings) -> TrainingSettings:
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

    settings: TrainingSettings
    kind: str
    widths: tuple[int, ...]
    inputs_of: Callable[[Tensor, Tensor], Inputs]

    @property
    def identity(self) -> str:
        """A hash of everything that decides the result."""
        return hashlib.sha256(f"{self.kind} {self.widths} {self.settings.identity}".encode()).hexdigest()


def _train(task: _Task, rows: RowStream, path: Path, on_rows: OnRows, clock: Callable[[], float]) -> Optimisation:
    settings = task.settings
    checkpoint = Checkpoint(path, task.identity, clock=clock)
    total = settings.steps * settings.batch_rows
    training = _begun(task, rows, checkpoint, lambda: on_rows(0, total))
    if training.step < settings.steps:
        for batch in rows.batches(settings.batch_rows, training.place):
            training.take(task.inputs_of(batch.a, batch.b), batch.place)
            on_rows(training.step * settings.batch_rows, total)
            if training.step == settings.steps:
                break
            checkpoint.save_if_due(training.state)
        checkpoint.save(training.state())
    if training.step < settings.steps:
        raise SettingError(
            f"The texts ended after {training.place:,} rows, expected {settings.rows:,}: give more texts with --corpus "
            "or train on fewer rows"
        )
    return training


def _begun(task: _Task, rows: RowStream, checkpoint: Checkpoint, on_new: Callable[[], None]) -> Optimisation:
    """Returns the training as the checkpoint has it, or a new one, whose normaliser takes a pass over the rows."""
    state = checkpoint.load()
    if state is not None:
        return Optimisation.restore(task.settings, task.widths, state)
    on_new()
    measured = min(NORMALISER_ROWS, rows.total)
    normaliser = measure_normaliser(rows.batches(task.settings.batch_rows), measured, task.inputs_of)
    return Optimisation(task.settings, task.widths, normaliser)
