"""Plans a null run: one model compared with itself, with the settings of a given run. Runs nothing."""

import os
import re
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from diffing.config import DiffConfig, may_be_files
from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, is_recorded, read_ref
from diffing.settings import flag
from diffing.types import Report

TEMPERATURE = 0.7
"""How samples are drawn where the run that is calibrated was greedy: two greedy samples are one."""
_SIDED = ("system_prompt", "chat_template", "quantization")
"""Settings that are made per side; A's hold for both."""
_OWN = ("model_a", "model_b", "sample_a", "sample_b")
"""Settings of a run that a null makes itself."""


@dataclass(frozen=True, slots=True)
class NullPlan:
    """One model against itself."""

    config: DiffConfig
    """The model as `model_a`, with the prompts, methods and settings to try; what it says of side B does not matter."""
    against: str | None = None
    """A recorded model: the recording of its second sample."""
    pairs: int = 3
    """Pairs of independent samples; of a recording, which has one pair, that many splits of its prompts."""
    name: str | None = None
    """What to call the model; None is the last part of its id."""

    @property
    def recorded(self) -> bool:
        """Whether the model is a recording, which has the samples that it has."""
        return is_recorded(self.config.model_a)

    @property
    def local(self) -> bool:
        """Whether the weights are at hand, so that they can be run in other ways."""
        return read_ref(self.config.model_a).runs_here

    def check(self) -> None:
        """Refuses what would be no null.

        Raises:
            SettingError: A recording without a second sample, or a second recording of a model that is none.
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
        """The run that compares two independent samples.

        Args:
            number: Of the pair, from 0; samples are never used twice.
        """
        config = _same_sides(self.config)
        if self.against is not None:
            numbered = int(self.against == config.model_a)  # one file with a `sample` column
            return replace(config, model_b=self.against, sample_a=0, sample_b=numbered, seed=config.seed + number)
        temperature = config.temperature or TEMPERATURE
        return replace(config, temperature=temperature, sample_a=2 * number, sample_b=2 * number + 1)

    def greedy(self) -> DiffConfig:
        """The run that compares what must be the same text."""
        return replace(_same_sides(self.config), temperature=0.0, sample_a=0, sample_b=0)


def _same_sides(config: DiffConfig) -> DiffConfig:
    return replace(config, model_b=config.model_a, **{f"{name}_b": getattr(config, f"{name}_a") for name in _SIDED})


def like_report(report: Report, model: str | None, given: DiffConfig) -> DiffConfig:
    """The settings of a stored report, with its model A on both sides.

    Args:
        report: The run to calibrate.
        model: The model's string, where the report does not hold all of it: of folders and files it keeps the names.
        given: What was set by hand; where it is not the default it is taken instead of the report's.

    Raises:
        SettingError: The report names a folder or file that is not here, or was made from Python without settings.
    """
    stored: dict[str, Any] = dict(report.settings)
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
    """Model A's string, at the commit that was run where it is the Hub's."""
    spec = str(report.settings["model_a"])
    ref = read_ref(spec)
    if pinned := ref.pinned_to(report.model_a.ref):
        return str(pinned)
    name = ref.source if ref.place == ModelPlace.RECORDED else spec
    if not (ref.remote or "/" in name or os.path.exists(name)):
        raise SettingError(
            f"The report keeps only the name {name!r} of model A's file or folder, and nothing of that name is here. "
            "Give the MODEL before --like"
        )
    return spec


def _check_there(name: str, value: Any) -> None:  # noqa: ANN401 - a setting of any type
    """A file that a report names by its last part alone must be given again."""
    looks_like_file = (
        isinstance(value, str)
        and "/" not in value
        # an SAE that is no folder is release/sae_id
        and (name == "sae" or re.search(r"\.(jsonl|csv|txt|jinja)$", value))
    )
    if name in may_be_files() and looks_like_file and not os.path.exists(value):
        raise SettingError(
            f"The report keeps only the name {value!r} of a file or folder, which is not here. "
            f"Give it with {flag(name)}"
        )
