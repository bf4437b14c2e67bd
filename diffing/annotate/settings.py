"""The annotator's settings, read from a JSON file or an environment variable; they never contain tokens or secrets."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from diffing.annotate.webhook_payload import is_repository
from diffing.annotate.worker import RetryPolicy
from diffing.checks import check
from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.model_ref import is_remote

Against: TypeAlias = Literal["base", "previous", "base-or-previous"]
CardMode: TypeAlias = Literal["pr", "commit", "off"]

SETTINGS = "ANNOTATOR_SETTINGS"
"""Environment variable with the settings as JSON."""
SECRETS = ("ANNOTATOR_SECRET", "WEBHOOK_SECRET")
"""Environment variables for the webhook's secret; the first one that is set counts."""
SHORTEST_SECRET = 16
"""Minimum number of characters of the secret; a shorter one could be guessed."""
_SPACE_STORAGE = Path("/data")
_LIMITS = tuple(each.name for each in fields(Limits))


@dataclass(frozen=True, slots=True)
class AnnotatorSettings:
    """Which models are annotated, how they are compared, and where the results go."""

    watch: tuple[str, ...] = ()
    """Models (org/name) whose new revisions are annotated. The service also checks them on start, so that it does not
    miss pushes while it was down. Name only models whose owners asked for it."""
    allow: tuple[str, ...] = ()
    """Further models (org/name) or owners (org) whose webhook requests are accepted."""
    against: Against = "base"
    """The model that a revision is compared with. base: the base_model that its card names. previous: the previous
    revision. base-or-previous: the base model, or else the previous revision."""
    card: CardMode = "pr"
    """How the section gets into the model card. pr: in a pull request. commit: directly, for your own models. off: not
    at all."""
    namespace: str = ""
    """User or organisation that owns the result datasets. Default: the account that HF_TOKEN belongs to."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the diff, named like the flags of `diffing run` with _ instead of -, for example
    {"train": 300, "heldout": 150, "llm": "providers:Qwen/Qwen3-32B", "usd_per_million": "0.10,0.30", "max_usd": 2}."""
    folder: str = ""
    """Folder for the queue, the completions and the reports. Default: /data/annotator in a Space with storage, else
    runs/annotator."""
    most_tries: int = 4
    """Maximum number of tries of a diff."""
    first_wait: float = 60.0
    """Seconds before the second try. The wait doubles with each try, up to an hour."""
    most_per_day: int = 20
    """Maximum number of diffs begun within 24 hours; further revisions wait. Together with max_usd, which limits each
    diff, this limits the cost per day."""

    def __post_init__(self) -> None:
        _check_names(self)
        if self.most_tries < 1 or self.first_wait < 0 or self.most_per_day < 1:
            raise SettingError(
                "The annotator's most_tries and most_per_day must be at least 1, and first_wait at least 0"
            )
        unknown = _unknown(self.run, DiffConfig, Limits) + sorted({"model_a", "model_b"} & set(self.run))
        if unknown:
            raise SettingError(
                f"The annotator's run cannot set {', '.join(unknown)}: expected names of the flags of `diffing run`"
            )
        config = self.config("org/a", "org/b")
        check(config, self.limits)
        helpers = (config.llm, config.judge, config.second_judge, *config.raters)
        if any(is_remote(spec) for spec in helpers if spec) and self.limits == Limits():
            raise SettingError(
                "The annotator's run uses a paid model without a limit and without supervision: "
                "set max_usd (with usd_per_million) or max_calls"
            )

    def config(self, model_a: str, model_b: str) -> DiffConfig:
        """Returns the config of a diff of two models."""
        own = {name: value for name, value in self.run.items() if name not in _LIMITS}
        return DiffConfig(**{**own, "model_a": model_a, "model_b": model_b})

    @property
    def limits(self) -> Limits:
        """The hard limits of each diff."""
        return Limits(**{name: value for name, value in self.run.items() if name in _LIMITS})

    @property
    def tries(self) -> RetryPolicy:
        """How often a diff is tried, and how long it waits in between."""
        return RetryPolicy(most=self.most_tries, first_wait=self.first_wait)

    @property
    def state(self) -> Path:
        """The folder of the queue, the completions and the reports."""
        if self.folder:
            return Path(self.folder).expanduser()
        return (_SPACE_STORAGE if os.access(_SPACE_STORAGE, os.W_OK) else Path("runs")) / "annotator"

    def allows(self, repository: str) -> bool:
        """Whether the settings name a repository or its owner, ignoring case as the Hub does."""
        named = {name.casefold() for name in (*self.watch, *self.allow)}
        return repository.casefold() in named or repository.partition("/")[0].casefold() in named


def load_settings(source: str | Path | None = None) -> AnnotatorSettings:
    """Loads the settings from a JSON file, or from the environment variable ANNOTATOR_SETTINGS if there is no file.

    Raises:
        SettingError: The file cannot be read, is not JSON, or has unknown or invalid settings.
    """
    if source is not None:
        try:
            text, where = Path(source).read_text(encoding="utf-8"), str(source)
        except (OSError, UnicodeDecodeError):
            raise SettingError(f"{source} cannot be read: expected a JSON file with the annotator's settings") from None
    else:
        text, where = os.environ.get(SETTINGS) or "{}", SETTINGS
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingError(f"{where} is not JSON: expected an object with the annotator's settings") from None
    if not isinstance(values, dict):
        raise SettingError(f"{where} is not a JSON object: expected the annotator's settings")
    if unknown := _unknown(values, AnnotatorSettings):
        known = ", ".join(each.name for each in fields(AnnotatorSettings))
        raise SettingError(f"{where} has unknown settings ({', '.join(unknown)}): expected some of {known}")
    return _validated(AnnotatorSettings, values)


def secret_of_environment() -> str:
    """Returns the secret that webhook requests must contain.

    Raises:
        SettingError: No secret is set, or it is invalid; without one, the service would be open to everybody.
    """
    for name in SECRETS:
        if secret := os.environ.get(name):
            if len(secret) < SHORTEST_SECRET or not (secret.isascii() and secret.isprintable()):
                raise SettingError(
                    f"{name} cannot be used: expected at least {SHORTEST_SECRET} printable ASCII characters"
                )
            return secret
    raise SettingError(
        f"No secret for the webhook: set {SECRETS[0]} to a random text of at least {SHORTEST_SECRET} characters"
    )


def _check_names(settings: AnnotatorSettings) -> None:
    for name in settings.watch:
        if not is_repository(name):
            raise SettingError(f"The annotator cannot watch {name!r}: expected org/name")
    for name in settings.allow:
        if not is_repository(name if "/" in name else f"{name}/x"):
            raise SettingError(f"The annotator cannot allow {name!r}: expected org/name or org")
    if settings.namespace and not is_repository(f"{settings.namespace}/x"):
        raise SettingError(f"The annotator's namespace is {settings.namespace!r}: expected a user or an organisation")


def _unknown(values: Mapping[str, Any], *classes: type) -> list[str]:
    return sorted(set(values) - {each.name for cls in classes for each in fields(cls)})


T = TypeVar("T")


def _validated(cls: type[T], values: Mapping[str, Any]) -> T:
    """Builds a dataclass from JSON values and checks their types."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingError(f"The annotator's {where} cannot be used: {first['msg']}") from None
