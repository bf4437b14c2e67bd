"""Trains all dictionaries of a run, resuming an interrupted training, and computes facts about their latents."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch  # noqa: TID253 - only training a dictionary imports this module

from diffing.methods.crosscoder.dictionaries import Dictionaries, latent_use
from diffing.methods.crosscoder.latent_facts import latent_facts
from diffing.methods.crosscoder.stages import TRAIN, TRAIN_DIFFERENCE, TRAIN_NULL
from diffing.methods.crosscoder.training import train, train_difference
from diffing.methods.crosscoder.training_settings import TrainingSettings
from diffing.methods.inside.rows import RowBatch, RowStream
from diffing.types import OnProgress

_BATCH_ROWS = 2_048


def train_dictionaries(
    settings: TrainingSettings, rows: RowStream, folder: Path, on_progress: OnProgress
) -> Dictionaries:
    """Trains a crosscoder and, for two models of one space, a dictionary of their differences.

    Args:
        settings: What is trained, and on what.
        rows: The activations.
        folder: Where the states of the trainings are kept.
        on_progress: Told how many rows were trained on.

    Raises:
        SettingError: A state is damaged or cannot be written, or the rows do not suffice.
    """
    states = folder / settings.identity[:16]
    states.mkdir(parents=True, exist_ok=True)
    crosscoder = train(
        settings, rows, states / "crosscoder.safetensors", lambda done, total: on_progress(TRAIN, done, total)
    )
    difference = None
    if settings.same_space and _differ(rows):
        difference = train_difference(
            settings,
            rows,
            states / "difference.safetensors",
            lambda done, total: on_progress(TRAIN_DIFFERENCE, done, total),
        )
    return Dictionaries(
        crosscoder=crosscoder,
        difference=difference,
        facts=latent_facts(crosscoder, rows),
        difference_use=latent_use(difference, rows) if difference else None,
    )


def _differ(rows: RowStream) -> bool:
    """Whether both models' activations differ anywhere; those of two samples of one model are the same."""
    return any(not torch.equal(batch.a, batch.b) for batch in rows.held_back(_BATCH_ROWS))


def train_null(settings: TrainingSettings, rows: RowStream, folder: Path, on_progress: OnProgress) -> int:
    """Trains in the same way with model A against itself, and returns how many latents are called exclusive.

    Args:
        settings: What was trained on both models.
        rows: The activations of both models.
        folder: Where the state of the training is kept.
        on_progress: Told how many rows were trained on.

    Raises:
        SettingError: A state is damaged or cannot be written, or the rows do not suffice.
    """
    source = settings.source
    twice = replace(
        source,
        models=(source.models[0],) * 2,
        commits=(source.commits[0],) * 2,
        layers=(source.layers[0],) * 2,
    )
    own = replace(settings, source=twice, same_space=True)
    states = folder / own.identity[:16]
    states.mkdir(parents=True, exist_ok=True)
    both_a = _Twice(rows)
    crosscoder = train(
        own, both_a, states / "crosscoder.safetensors", lambda done, total: on_progress(TRAIN_NULL, done, total)
    )
    return int(latent_facts(crosscoder, both_a).kept.sum())


@dataclass(frozen=True, slots=True)
class _Twice:
    """The rows of model A, taken for those of both models."""

    rows: RowStream

    @property
    def widths(self) -> tuple[int, int]:
        """The width of A, twice."""
        return self.rows.widths[0], self.rows.widths[0]

    @property
    def total(self) -> int:
        """The number of rows of one pass."""
        return self.rows.total

    @property
    def identity(self) -> str:
        """A hash of everything that affects the rows."""
        return f"twice {self.rows.identity}"

    def batches(self, rows: int, start: int = 0) -> Iterator[RowBatch]:
        """Yields the training rows."""
        return (RowBatch(batch.a, batch.a, batch.place) for batch in self.rows.batches(rows, start))

    def held_back(self, rows: int) -> Iterator[RowBatch]:
        """Yields the rows that are never trained on."""
        return (RowBatch(batch.a, batch.a, batch.place) for batch in self.rows.held_back(rows))
