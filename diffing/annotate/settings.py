"""What the annotator does, in plain values: a JSON file, or a Space's environment. Holds no token and no secret."""

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
"""Environment variables with the webhook's secret, the first one that is set."""
SHORTEST_SECRET = 16
"""Characters: what is shorter can be guessed."""
_SPACE_STORAGE = Path("/data")
_LIMITS = tuple(each.name for each in fields(Limits))


@dataclass(frozen=True, slots=True)
class AnnotatorSettings:
    """What is annotated, with what, and where the results go."""

    watch: tuple[str, ...] = ()
    """Models (org/name) whose new revisions are annotated. Their heads are looked at on start, so that nothing pushed
    while the service was down is missed. Name only models whose owners asked for it."""
    allow: tuple[str, ...] = ()
    """Further models (org/name) or whole owners (org) whose deliveries are accepted."""
    against: Against = "base"
    """What a revision is compared with: base, the base_model that its card names; previous, the revision before; or
    base-or-previous."""
    card: CardMode = "pr"
    """How the section gets into the model card: pr, by one pull request; commit, directly, for models of your own; off,
    not at all."""
    namespace: str = ""
    """User or organisation that owns the result datasets. Default: the account that HF_TOKEN belongs to."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the diff by the names of the flags of `diffing run`, with _ for -: for example
    {"train": 300, "heldout": 150, "llm": "providers:Qwen/Qwen3-32B", "usd_per_million": "0.10,0.30", "max_usd": 2}."""
    folder: str = ""
    """Where the queue, the completions and the reports are kept. Default: annotator in /data where a Space has that,
    else in runs."""
    most_tries: int = 4
    """Tries of one diff before it is given up."""
    first_wait: float = 60.0
    """Seconds before the second try; doubles from try to try, up to an hour."""
    most_per_day: int = 20
    """Diffs begun within 24 hours, at most; what is pushed beyond that waits. With max_usd, which counts for each diff,
    this bounds what a day can cost."""

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
        asked = (config.llm, config.judge, config.second_judge, *config.raters)
        if any(is_remote(spec) for spec in asked if spec) and self.limits == Limits():
            raise SettingError(
                "The annotator's run asks a paid model without a limit, and nobody watches it: "
                "set max_usd (with usd_per_million) or max_calls"
            )

    def config(self, model_a: str, model_b: str) -> DiffConfig:
        """One diff of two models."""
        own = {name: value for name, value in self.run.items() if name not in _LIMITS}
        return DiffConfig(**{**own, "model_a": model_a, "model_b": model_b})

    @property
    def limits(self) -> Limits:
        """The hard limits of each diff."""
        return Limits(**{name: value for name, value in self.run.items() if name in _LIMITS})

    @property
    def tries(self) -> RetryPolicy:
        """How often a diff is tried."""
        return RetryPolicy(most=self.most_tries, first_wait=self.first_wait)

    @property
    def state(self) -> Path:
        """The folder of the queue, the completions and the reports."""
        if self.folder:
            return Path(self.folder).expanduser()
        return (_SPACE_STORAGE if os.access(_SPACE_STORAGE, os.W_OK) else Path("runs")) / "annotator"

    def allows(self, repository: str) -> bool:
        """Whether a repository is to be annotated: it, or its owner, is named. The Hub's names ignore case."""
        named = {name.casefold() for name in (*self.watch, *self.allow)}
        return repository.casefold() in named or repository.partition("/")[0].casefold() in named


def load_settings(source: str | Path | None = None) -> AnnotatorSettings:
    """The settings from a JSON file, else from the environment variable ANNOTATOR_SETTINGS.

    Raises:
        SettingError: No such file, no JSON, or settings that are not known or cannot be used.
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
        raise SettingError(f"{where} is no JSON object: expected the annotator's settings")
    if unknown := _unknown(values, AnnotatorSettings):
        known = ", ".join(each.name for each in fields(AnnotatorSettings))
        raise SettingError(f"{where} has unknown settings ({', '.join(unknown)}): expected some of {known}")
    return _made(AnnotatorSettings, values)


def secret_of_environment() -> str:
    """The secret that deliveries must carry.

    Raises:
        SettingError: None is set, or it cannot be used; a service that is open to all does not start.
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


def _made(cls: type[T], values: Mapping[str, Any]) -> T:
    """A dataclass from what stood in JSON, its types checked."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingError(f"The annotator's {where} cannot be used: {first['msg']}") from None
