"""Plans null runs, which compare one model with itself: makes their configurations, also from a stored report."""

import os
import re
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from diffing.config import DiffConfig, may_be_files
from diffing.errors import SettingError
from diffing.model_ref import as_asked_again, is_recorded, read_ref
from diffing.run_settings import as_stored
from diffing.settings import flag
from diffing.types import Report

TEMPERATURE = 0.7
"""The sampling temperature if the original run was greedy, since two greedy samples would be identical."""
_SIDED = ("system_prompt", "chat_template", "quantization")
"""Settings that exist for each side; a null run uses those of side A for both."""
_OWN = ("model_a", "model_b", "sample_a", "sample_b")
"""Settings that a null run sets itself."""


@dataclass(frozen=True, slots=True)
class NullPlan:
    """The null runs of one model: how often and in which ways it is compared with itself."""

    config: DiffConfig
    """The model as `model_a`, with the prompts, methods and settings of the runs; side B is ignored."""
    against: str | None = None
    """For a recorded model, the recording of its second sample."""
    pairs: int = 3
    """The number of pairs of independent samples; for recordings, the number of different splits of the prompts."""
    name: str | None = None
    """The name of the model in the results; None takes the last part of its id."""

    @property
    def recorded(self) -> bool:
        """Whether the model is a recording, which cannot produce new samples."""
        return is_recorded(self.config.model_a)

    @property
    def local(self) -> bool:
        """Whether the model runs on this machine, so that batch sizes and re-saved weights can be compared."""
        return read_ref(self.config.model_a).runs_here

    def check(self) -> None:
        """Refuses settings with which the two sides would not be independent samples of one model.

        Raises:
            SettingError: A recording has no second sample, or a second recording is given for a model that is not one.
        """
        if self.pairs < 1:
            raise SettingError(f"--pairs is {self.pairs}: expected at least 1")
        if self.recorded and self.against is None:
            raise SettingError(
                f"{self.config.model_a} is a recording and cannot be asked again. Give a second recording of the same "
                "model with --against recorded:..."
            )
        if self.against is not None and not (self.recorded and is_recorded(self.against)):
            raise SettingError(
                f"--against {self.against} is for two recordings of one model: expected recorded:... for both. Leave "
                "it out for a model that can be asked"
            )

    def of_samples(self, number: int) -> DiffConfig:
        """Returns the configuration of the run that compares two independent samples.

        Args:
            number: The number of the pair of samples, from 0; no sample is used twice.
        """
        config = _same_sides(self.config)
        if self.against is not None:
            numbered = int(self.against == config.model_a)  # one file with a `sample` column
            return replace(config, model_b=self.against, sample_a=0, sample_b=numbered, seed=config.seed + number)
        temperature = config.temperature or TEMPERATURE
        return replace(config, temperature=temperature, sample_a=2 * number, sample_b=2 * number + 1)

    def greedy(self) -> DiffConfig:
        """Returns the configuration of the run whose two sides must give the same text."""
        return replace(_same_sides(self.config), temperature=0.0, sample_a=0, sample_b=0)


def _same_sides(config: DiffConfig) -> DiffConfig:
    """The configuration with side A on both sides; between a model and itself there is nothing to amplify."""
    same = {f"{name}_b": getattr(config, f"{name}_a") for name in _SIDED}
    return replace(config, model_b=config.model_a, amplify=None, **same)


def like_report(report: Report, model: str | None, given: DiffConfig) -> DiffConfig:
    """Returns the settings of a stored report, with its model A on both sides.

    Args:
        report: The report whose settings are used.
        model: The model string; it is needed if the report keeps only the name of the model's folder or file.
        given: Settings of the user; those that differ from the defaults replace the report's.

    Raises:
        SettingError: The report names a folder or file that is not here, or was made from Python without settings.
    """
    stored = as_stored(report.settings)
    if "model_a" not in stored and model is None:
        raise SettingError("The report does not say how its models were loaded. Give the MODEL before --like")
    values: dict[str, Any] = {"model_a": model or _model_of(report), "model_b": model or ""}
    for field in fields(DiffConfig):
        if field.name in _OWN:
            continue
        by_hand = getattr(given, field.name)
        if by_hand != field.default:
            values[field.name] = by_hand
        elif field.name in stored and field.default is not MISSING:
            several = isinstance(field.default, tuple)
            values[field.name] = tuple(stored[field.name].split(", ")) if several else stored[field.name]
            _check_there(field.name, values[field.name])
    return DiffConfig(**values)


def _model_of(report: Report) -> str:
    """Returns the string of model A; a model of the Hub is given at the commit that was run."""
    spec = str(report.settings["model_a"])
    again = as_asked_again(spec, report.model_a.ref)
    if again is None:
        raise SettingError(
            f"The report keeps only the name {spec!r} of model A's file or folder, and nothing of that name is here. "
            "Give the MODEL before --like"
        )
    return again


def _check_there(name: str, value: Any) -> None:  # noqa: ANN401 - a setting of any type
    """Checks that a file of which the report keeps only the name is here; otherwise the user must give it again."""
    looks_like_file = (
        isinstance(value, str)
        and "/" not in value
        # an SAE that is not a folder has the form release/sae_id
        and (name == "sae" or re.search(r"\.(jsonl|csv|txt|jinja)$", value))
    )
    if name in may_be_files() and looks_like_file and not os.path.exists(value):
        raise SettingError(
            f"The report keeps only the name {value!r} of a file or folder, which is not here. "
            f"Give it with {flag(name)}"
        )
