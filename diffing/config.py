"""`DiffConfig`, a run's settings, assembled from `run_settings.py` and every method's; `Limits` and `HubOptions`.

Tokens and keys are not part of it: they come from the environment or the Hub's login. `diffing/run.py` builds the
models and methods that a configuration names.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic.dataclasses import dataclass as validated

from diffing import registry
from diffing.masking import masked
from diffing.model_ref import file_name_of, is_recorded, possible_paths, without_folders
from diffing.paths import existing
from diffing.prompts.bundled_set import pinned
from diffing.run_settings import RunSettings, draws_bundled
from diffing.settings import Setting, Settings, described
from diffing.types import Scalar, Side

_COST = "Cost"
_HUB = "The Hub"
_LONGEST_SIDE = 120
"""The longest name of one model in the name of a report's folder, in bytes; file systems allow 255 for the whole."""


def combined(kinds: Sequence[type[Settings]]) -> tuple[type[Settings], ...]:
    """Checks that settings which become one class do not hide each other.

    Args:
        kinds: The settings of all runs, then those of every method.

    Returns:
        The base classes of the class that holds all of them, fields of the first ones first.

    Raises:
        TypeError: Two of them have a setting of the same name.
    """
    owners: dict[str, type] = {}
    for kind in kinds:
        for field in fields(kind):
            owner = _declaring(kind, field.name)
            if owners.setdefault(field.name, owner) is not owner:
                raise TypeError(
                    f"{owners[field.name].__name__} and {owner.__name__} both have {field.name!r}: rename one of them"
                )
    return tuple(kind for kind in reversed(kinds) if kind is not Settings)


def _declaring(kind: type, name: str) -> type:
    """The class that declares a field; several methods may share the class of settings that declares it."""
    return next(each for each in kind.__mro__ if name in vars(each).get("__annotations__", {}))


if TYPE_CHECKING:
    DiffConfig: TypeAlias = RunSettings
else:
    _OF_METHODS = (registry.load(place).settings for place in registry.METHODS.values())
    DiffConfig = validated(frozen=True)(
        type("DiffConfig", combined([RunSettings, *_OF_METHODS]), {
            "__doc__": "One run, in plain values: the settings of all runs, then those of every method.",
            "__module__": __name__,
        })
    )  # fmt: skip


@validated(frozen=True)
class Limits(Settings):
    """Hard limits on the calls and the cost of one run. They never change results; they only stop the run."""

    max_calls: Annotated[int | None, Setting(_COST, "Maximum calls")] = None
    """Stop cleanly after this many calls to remote models; the same command run again continues from there."""
    max_usd: Annotated[float | None, Setting(_COST, "Maximum dollars")] = None
    """Stop cleanly before this many dollars are spent; needs --usd-per-million."""


@validated(frozen=True)
class HubOptions(Settings):
    """Where one run is computed and published. These options do not change its results."""

    reuse: Annotated[bool, Setting(_HUB)] = False
    """Look for a published diff of the same models, commits and settings first, and download it if there is one."""
    push: Annotated[str | None, Setting(_HUB)] = None
    """Publish the report as this dataset: user/name."""
    private: Annotated[bool, Setting(_HUB)] = False
    """With --push: make the dataset private, so that only its owner can read it."""
    collection: Annotated[bool, Setting(_HUB)] = False
    """With --push: also add the dataset to your collection of each model's diffs."""
    on: Annotated[str | None, Setting(_HUB)] = None
    """jobs runs on a machine of Hugging Face Jobs, which costs money; needs --push, where the report is fetched."""
    flavor: Annotated[str | None, Setting(_HUB)] = None
    """With --on jobs: the type of machine, such as a100-large or l4x1. Default: cpu-basic."""
    job_timeout: Annotated[str, Setting(_HUB)] = "6h"
    """With --on jobs: the time after which the job is stopped."""
    package: Annotated[str, Setting(_HUB)] = "diffing[all]"
    """With --on jobs: the package that pip installs, such as "diffing[all] @ git+https://github.com/user/diffing"."""


def columns_of(config: DiffConfig, side: Side) -> str | None:
    """The `--columns` setting that applies to one side's recorded responses; None if the columns are detected."""
    return (config.columns_a if side == "a" else config.columns_b) or config.columns


def settings_of(config: DiffConfig) -> dict[str, Scalar]:
    """The settings that a report stores: flat, without empty values, and without the folders of local files.

    The bundled set is named with its version, so that the same prompts can be drawn later.
    """
    public = {key: _without_folders(key, value) for key, value in asdict(config).items()}
    if draws_bundled(public):
        public["prompts"] = pinned(config.prompts or "bundled")
    return {
        key: ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for key, value in public.items()
        if value not in (None, "", ()) and key not in _undecided(config)
    }


def _without_folders(key: str, value: Any) -> Any:  # noqa: ANN401  any setting's type
    if value is None or not described(DiffConfig)[key].setting.may_be_file:
        return value
    return tuple(map(without_folders, value)) if isinstance(value, tuple) else without_folders(value)


def _undecided(config: DiffConfig) -> tuple[str, ...]:
    """Settings that cannot change the result: speed, payment and, with recorded responses only, generation."""
    speed = ("concurrency", "timeout", "bill_to")
    if not all(is_recorded(spec) for spec in (config.model_a, config.model_b)):
        return speed
    return (*speed, "max_new_tokens", "temperature", "top_p", "dtype", "trust_remote_code", "allow_pickle")


def default_out(config: DiffConfig) -> Path:
    """The default folder of a run's report: `runs/<a>-vs-<b>`, in characters that are safe in file names."""
    # masked, because an address may contain a key, and the folder is made before such an address is refused
    names = (file_name_of(masked(spec)) for spec in (config.model_a, config.model_b))
    safe = ["".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-") or "model" for name in names]
    return Path("runs") / "-vs-".join(_cut(name) for name in safe)


def _cut(name: str) -> str:
    """Shortens a model's name so that two names and `-vs-` fit into the name of one folder."""
    return name.encode()[:_LONGEST_SIDE].decode(errors="ignore").rstrip(".-")


def may_be_files() -> tuple[str, ...]:
    """The names of the settings that can name a file or a folder."""
    return tuple(name for name, each in described(DiffConfig).items() if each.setting.may_be_file)


def local_files(config: DiffConfig) -> tuple[str, ...]:
    """The names of the settings whose value is an existing file or folder on this machine."""
    given = {name: getattr(config, name) or () for name in may_be_files()}
    values = {name: (value,) if isinstance(value, str) else value for name, value in given.items()}
    return tuple(name for name, texts in values.items() if any(map(_on_this_machine, texts)))


def _on_this_machine(value: str) -> bool:
    return any(map(existing, possible_paths(value)))
