"""Plain values that say what a run does: the same as flags of the CLI, fields of a form and JSON.

Tokens and keys are no settings: they come from the environment or the Hub's login. Builds nothing: `run.py` does.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic.dataclasses import dataclass as validated

from diffing import registry
from diffing.masking import masked
from diffing.model_ref import file_name_of, is_recorded, possible_paths, without_folders
from diffing.models.base import Sampling
from diffing.paths import existing
from diffing.run_settings import RunSettings
from diffing.settings import Setting, Settings, described
from diffing.types import Scalar, Side

_COST = "Cost"
_HUB = "The Hub"
_LONGEST_SIDE = 120
"""Bytes of one model's name in the name of a report's folder, which may have 255."""


if TYPE_CHECKING:
    DiffConfig: TypeAlias = RunSettings
else:
    _OF_METHODS = (registry.load(place).settings for place in registry.METHODS.values())
    DiffConfig = validated(frozen=True)(
        type("DiffConfig", (*reversed([each for each in _OF_METHODS if each is not Settings]), RunSettings), {
            "__doc__": "One run, in plain values: the settings of all runs, then those of every method.",
            "__module__": __name__,
        })
    )  # fmt: skip


@validated(frozen=True)
class Limits(Settings):
    """Hard limits of one run. They do not decide what is found, only how far the run gets."""

    max_calls: Annotated[int | None, Setting(_COST, "Calls at most")] = None
    """Calls to remote models, at most; the run stops cleanly, and goes on from there when run again."""
    max_usd: Annotated[float | None, Setting(_COST, "Dollars at most")] = None
    """Dollars, at most; needs --usd-per-million."""


@validated(frozen=True)
class HubOptions(Settings):
    """Where one run is computed and published. Decides nothing of what is found."""

    reuse: Annotated[bool, Setting(_HUB)] = False
    """Look for a published diff of the same models, commits and settings first, and download it if there is one."""
    push: Annotated[str | None, Setting(_HUB)] = None
    """Publish the report as this dataset: user/name."""
    private: Annotated[bool, Setting(_HUB)] = False
    """With --push: a dataset that only its owner can read."""
    collection: Annotated[bool, Setting(_HUB)] = False
    """With --push: also put it into your collection of each model's diffs."""
    on: Annotated[str | None, Setting(_HUB)] = None
    """jobs: run on a machine of Hugging Face Jobs, which costs money; needs --push, which brings the report back."""
    flavor: Annotated[str | None, Setting(_HUB)] = None
    """With --on jobs: the machine, such as a100-large or l4x1; default: cpu-basic."""
    job_timeout: Annotated[str, Setting(_HUB)] = "6h"
    """With --on jobs: when the job is stopped."""
    package: Annotated[str, Setting(_HUB)] = "diffing[all]"
    """With --on jobs: what pip installs there, such as "diffing[all] @ git+https://github.com/user/diffing"."""


def columns_of(config: DiffConfig, side: Side) -> str | None:
    """What is what in the recorded responses of a side, where that was said."""
    return (config.columns_a if side == "a" else config.columns_b) or config.columns


def sampling_of(config: DiffConfig) -> Sampling:
    """How the responses are drawn."""
    return Sampling(
        max_new_tokens=config.max_new_tokens, temperature=config.temperature, top_p=config.top_p, seed=config.seed
    )


def settings_of(config: DiffConfig) -> dict[str, Scalar]:
    """The settings that were made, flat and plain, for the report. Of files and folders only the name is told."""
    told = {key: _told(key, value) for key, value in asdict(config).items()}
    return {
        key: ", ".join(value) if isinstance(value, tuple) else value
        for key, value in told.items()
        if value not in (None, "", ()) and key not in _undecided(config)
    }


def _told(key: str, value: Any) -> Any:  # noqa: ANN401 - of whatever type the field has
    if value is None or not described(DiffConfig)[key].setting.may_be_file:
        return value
    return tuple(map(without_folders, value)) if isinstance(value, tuple) else without_folders(value)


def _undecided(config: DiffConfig) -> tuple[str, ...]:
    """Settings that decide nothing of the result: how fast it comes, who pays, how recorded responses would be made."""
    speed = ("concurrency", "timeout", "bill_to")
    if not all(is_recorded(spec) for spec in (config.model_a, config.model_b)):
        return speed
    return (*speed, "max_new_tokens", "temperature", "top_p", "dtype", "trust_remote_code", "allow_pickle")


def default_out(config: DiffConfig) -> Path:
    """Where the report goes when nothing else is said: `runs/<a>-vs-<b>`, made of safe characters."""
    # masked: an address may hold a key, which is refused, but not before the folder is made
    names = (file_name_of(masked(spec)) for spec in (config.model_a, config.model_b))
    safe = ["".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-") or "model" for name in names]
    return Path("runs") / "-vs-".join(_cut(name) for name in safe)


def _cut(name: str) -> str:
    """Two of them and what stands between fit into the name of one folder."""
    return name.encode()[:_LONGEST_SIDE].decode(errors="ignore").rstrip(".-")


def may_be_files() -> tuple[str, ...]:
    """The names of the settings that can name a file or a folder."""
    return tuple(name for name, each in described(DiffConfig).items() if each.setting.may_be_file)


def local_files(config: DiffConfig) -> tuple[str, ...]:
    """The settings that name files or folders of this machine, which nobody elsewhere has."""
    given = {name: getattr(config, name) or () for name in may_be_files()}
    specs = {name: (value,) if isinstance(value, str) else value for name, value in given.items()}
    return tuple(name for name, of in specs.items() if any(map(_on_this_machine, of)))


def _on_this_machine(value: str) -> bool:
    return any(map(existing, possible_paths(value)))
