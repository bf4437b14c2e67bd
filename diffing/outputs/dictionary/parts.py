"""`PublishedDictionary`: a trained crosscoder or adapters in their folder, with the report of a run that used them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from diffing.errors import SettingError
from diffing.methods.inside.kept_dictionaries import DIFFERENCE, described, find_dictionary
from diffing.model_ref import is_hub_name, read_ref
from diffing.types import Report, Row

Kind: TypeAlias = Literal["crosscoder", "adapters"]
"""What was trained, named as the method and its option."""


@dataclass(frozen=True, slots=True)
class PublishedDictionary:
    """What is published."""

    kind: Kind
    """What it is."""
    folder: Path
    """The folder that holds it."""
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


def dictionary_of(report: Report, trainings: Path) -> PublishedDictionary:
    """Finds what a run trained; of both methods the crosscoder, and of several depths the first.

    Args:
        report: The report of the run.
        trainings: The folder in which trainings are kept.

    Raises:
        SettingError: The run trained nothing, or it is not kept any more.
    """
    named = _named(report)
    if named is None:
        raise SettingError(
            "--dictionary publishes the crosscoder or the adapters that a run trained, and this report has none: give "
            "the report of a run with --method crosscoder or --method adapters"
        )
    kind, quality = named
    folder = find_dictionary(trainings, str(quality["dictionary"]))
    training = described(folder) if folder else None
    if folder is None or training is None or "source" not in training["settings"]:
        raise SettingError(
            f"The {kind} of this report is not kept in the cache (--cache), or was not trained here: start the same "
            "run again on this machine, which trains it anew, or leave out --dictionary"
        )
    return PublishedDictionary(kind, folder, report, training, quality)


def _named(report: Report) -> tuple[Kind, Row] | None:
    """The first method of a report that names a dictionary, with its figures."""
    for kind in get_args(Kind):
        rows = report.tables.get(f"{kind}_quality", ())
        if rows and isinstance(rows[0].get("dictionary"), str):
            return kind, rows[0]
    return None
