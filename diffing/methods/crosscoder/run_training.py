"""Trains the sparse dictionaries of a run, resuming an interrupted training, and computes facts about their latents."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

import torch  # noqa: TID253 - only training a dictionary imports this module

from diffing.atomic_write import write_atomically
from diffing.errors import SettingError
from diffing.methods.crosscoder.dictionaries import Dictionaries, hash_of, latent_use
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.latent_facts import latent_facts
from diffing.methods.crosscoder.stages import TRAIN, TRAIN_DIFFERENCE, TRAIN_NULL
from diffing.methods.crosscoder.training import train, train_both
from diffing.methods.crosscoder.training_settings import DictionaryTrainingSettings
from diffing.methods.inside.kept_dictionaries import (
    DIFFERENCE,
    TRAINING,
    described,
    dictionary_folder,
    remove_oldest,
)
from diffing.methods.inside.row_batches import RowBatch, RowStream
from diffing.types import OnProgress

_BATCH_ROWS = 2_048
_Both: TypeAlias = tuple[Crosscoder, DifferenceDictionary | None]


def train_dictionaries(
    settings: DictionaryTrainingSettings, rows: RowStream, folder: Path, on_progress: OnProgress
) -> Dictionaries:
    """Trains a crosscoder and, for two models of one space, a dictionary of their differences, unless they are kept.

    Args:
        settings: What is trained, and on what.
        rows: The activations.
        folder: Where trainings are kept: their states while they run, then the dictionaries.
        on_progress: Told how many rows were trained on.

    Raises:
        SettingError: A state is damaged or cannot be written, or the rows do not suffice.
    """
    training = folder / settings.identity[:16]
    found = _kept(training, settings)
    if found is None:
        found = _trained(settings, rows, training, on_progress)
        remove_oldest(folder, training)
    crosscoder, difference = found
    return Dictionaries(
        crosscoder=crosscoder,
        difference=difference,
        facts=latent_facts(crosscoder, rows),
        difference_use=latent_use(difference, rows) if difference else None,
    )


def _kept(training: Path, settings: DictionaryTrainingSettings) -> _Both | None:
    """Opens the dictionaries that an earlier run with the same settings trained; None if there are none, or damaged."""
    folder = dictionary_folder(training)
    if (described(folder) or {}).get("identity") != settings.identity:
        return None
    below = folder / DIFFERENCE
    try:
        difference = DifferenceDictionary.load(below, settings.device) if below.is_dir() else None
        return Crosscoder.load(folder, settings.device), difference
    except SettingError:
        return None


def _trained(settings: DictionaryTrainingSettings, rows: RowStream, training: Path, on_progress: OnProgress) -> _Both:
    """Trains the dictionaries and keeps them in place of the checkpoints."""
    training.mkdir(parents=True, exist_ok=True)
    checkpoints = (training / "crosscoder.safetensors", training / "difference.safetensors")
    crosscoder: Crosscoder
    difference: DifferenceDictionary | None = None
    if settings.same_space and _differ(rows):

        def on_both(done: int, total: int) -> None:
            on_progress(TRAIN, done, total)
            on_progress(TRAIN_DIFFERENCE, done, total)

        crosscoder, difference = train_both(settings, rows, checkpoints, on_both)
    else:
        crosscoder = train(settings, rows, checkpoints[0], lambda done, total: on_progress(TRAIN, done, total))
    _keep(training, settings, crosscoder, difference)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)
    return crosscoder, difference


def _keep(
    training: Path,
    settings: DictionaryTrainingSettings,
    crosscoder: Crosscoder,
    difference: DifferenceDictionary | None,
) -> None:
    folder = dictionary_folder(training)
    shutil.rmtree(folder, ignore_errors=True)
    crosscoder.save(folder)
    if difference is not None:
        difference.save(folder / DIFFERENCE)
    told = {"identity": settings.identity, "hash": hash_of(crosscoder, difference), "settings": asdict(settings)}
    write_atomically(json.dumps(told, indent=1).encode(), folder / TRAINING)  # written last: the others are complete


def _differ(rows: RowStream) -> bool:
    """Whether both models' activations differ anywhere; those of two samples of one model are the same."""
    return any(not torch.equal(batch.a, batch.b) for batch in rows.held_back(_BATCH_ROWS))


def train_null(
    settings: DictionaryTrainingSettings, rows: RowStream, folder: Path, on_progress: OnProgress
) -> Dictionaries:
    """Trains in the same way with model A against itself.

    Args:
        settings: What was trained on both models.
        rows: The activations of both models.
        folder: Where trainings are kept.
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
    return train_dictionaries(own, _Twice(rows), folder, lambda _, done, total: on_progress(TRAIN_NULL, done, total))


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
