"""`Published`: a trained crosscoder in its folder, with the report of a run that used it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffing.errors import SettingError
from diffing.methods.inside.kept_dictionaries import DIFFERENCE, described, find_dictionary
from diffing.model_ref import is_hub_name, read_ref
from diffing.types import Report, Row

QUALITY = "crosscoder_quality"
"""The table of a report that names its dictionary."""


@dataclass(frozen=True, slots=True)
class Published:
    """What is published."""

    folder: Path
    """The folder that holds the dictionary."""
    report: Report
    """The report of a run that used it."""
    training: Mapping[str, Any]
    """How it was trained, as its folder says."""
    quality: Row
    """How well it describes held-out responses, as the report says."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the training."""
        settings: Mapping[str, Any] = self.training["settings"]
        return settings

    @property
    def models(self) -> tuple[str, str]:
        """Both models with their commits."""
        a, b = self.settings["source"]["models"]
        return str(a), str(b)

    @property
    def repositories(self) -> tuple[str, ...]:
        """The models' repositories on the Hub."""
        names = (name for model in self.models for name in read_ref(model).repositories)
        return tuple(dict.fromkeys(name for name in names if is_hub_name(name)))

    @property
    def has_difference(self) -> bool:
        """Whether a difference dictionary lies beside the crosscoder."""
        return (self.folder / DIFFERENCE).is_dir()


def dictionary_of(report: Report, trainings: Path) -> Published:
    """Finds the dictionary that a run trained.

    Args:
        report: The report of the run.
        trainings: The folder in which trainings are kept.

    Raises:
        SettingError: The run trained none, or it is not kept any more.
    """
    rows = report.tables.get(QUALITY, ())
    hash_ = rows[0].get("dictionary") if rows else None
    if not isinstance(hash_, str):
        raise SettingError(
            "--dictionary publishes the crosscoder that a run trained, and this report has none: give the report of a "
            "run with --method crosscoder"
        )
    folder = find_dictionary(trainings, hash_)
    training = described(folder) if folder else None
    if folder is None or training is None:
        raise SettingError(
            f"The crosscoder {hash_:.20} of this report is not kept in the cache (--cache): start the same run again "
            "on this machine, which trains it anew, or leave out --dictionary"
        )
    return Published(folder, report, training, rows[0])
