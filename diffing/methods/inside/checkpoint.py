"""Checkpoints of a training: tensors and numbers in one file, from which a killed training goes on.

Knows nothing of what is trained. The numbers and the identity stand as JSON in the header of the safetensors file, so
that replacing one file replaces everything at once.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError

if TYPE_CHECKING:
    from torch import Tensor

SECONDS_BETWEEN = 300.0
"""The time between two checkpoints."""
_HEADER = "checkpoint"


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Everything that a training needs to go on from where it was."""

    tensors: Mapping[str, "Tensor"]
    """Weights, the optimizer's moments, counters; by name."""
    numbers: Mapping[str, float]
    """The step, the place in the stream of rows, scales; by name. They must be finite."""


class TrainingCheckpoint:
    """The checkpoint of one training in a file; only a training of the same identity can read it."""

    def __init__(
        self,
        path: Path,
        identity: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        """Describes a checkpoint; nothing is read or written yet.

        Args:
            path: The safetensors file.
            identity: A hash of everything that decides the result: the models' commits, layers, texts, settings.
            clock: Tells the time in seconds.
            seconds_between: The time between two checkpoints.
        """
        self._path = path
        self._identity = identity
        self._clock = clock
        self._seconds_between = seconds_between
        self._saved_at = clock()

    def load(self) -> TrainingState | None:
        """Reads the stored state, on the CPU; returns None if there is none.

        Raises:
            SettingError: The file is damaged or belongs to another training.
        """
        from safetensors import SafetensorError, safe_open

        if not self._path.is_file():
            return None
        try:
            with safe_open(self._path, framework="pt") as stored:
                header = json.loads((stored.metadata() or {})[_HEADER])
                identity, numbers = str(header["identity"]), dict(header["numbers"])
                if identity == self._identity:
                    tensors = {name: stored.get_tensor(name) for name in stored.keys()}
                    return TrainingState(tensors, numbers)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError):
            raise SettingError(
                f"The checkpoint {self._path} is damaged: delete it, and the training starts anew"
            ) from None
        raise SettingError(
            f"The checkpoint {self._path} belongs to another training (its models, layers, texts or settings are "
            f"{identity:.12}, expected {self._identity:.12}): delete it or choose another folder"
        )

    def save_if_due(self, state: Callable[[], TrainingState]) -> bool:
        """Saves the state if the last checkpoint is old enough; returns whether it was saved."""
        due = self._clock() - self._saved_at >= self._seconds_between
        if due:
            self.save(state())
        return due

    def save(self, state: TrainingState) -> None:
        """Writes the state beside the stored one, and then replaces it.

        Raises:
            SettingError: The file cannot be written.
        """
        from safetensors.torch import save_file

        header = json.dumps({"identity": self._identity, "numbers": dict(state.numbers)}, allow_nan=False)
        tensors = {name: tensor.detach().to("cpu").contiguous() for name, tensor in state.tensors.items()}
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}.partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                save_file(tensors, partial, metadata={_HEADER: header})
                partial.replace(self._path)
            finally:
                partial.unlink(missing_ok=True)
        except OSError as error:
            raise SettingError(
                f"Cannot write the checkpoint {self._path}: {error.strerror or error}. Give a folder with enough space "
                "that can be written"
            ) from error
        self._saved_at = self._clock()

    def delete(self) -> None:
        """Removes the stored state, if there is one."""
        self._path.unlink(missing_ok=True)
