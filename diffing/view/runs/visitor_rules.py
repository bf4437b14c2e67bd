"""What a visitor may ask for: hard limits, and on a public machine nothing of the machine itself.

The page is a stranger's keyboard: a setting that names a file, a server or code would be read, asked or run here.
"""

import re
from dataclasses import asdict, dataclass, fields

from diffing.checks import check
from diffing.config import DiffConfig, Limits, may_be_files
from diffing.errors import LimitError, SettingError
from diffing.methods.base import method_plans
from diffing.model_ref import ModelPlace, possible_paths, read_ref, without_revision
from diffing.paths import existing
from diffing.run_prompts import pool_sizes
from diffing.settings import flag

_TOKEN = re.compile(r"\b(?:hf_|hf_oauth_|api_org_)[A-Za-z0-9]{20,}")
_OWN = "run `diffing serve` there for that"
_MOST_AT_ONCE = 16
"""Requests of one run to a server, on a public machine."""
_LONGEST_WAIT = 300.0
"""Seconds for one answer, on a public machine."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Hard limits of one run and of one visitor; None is no limit."""

    public: bool
    """Whether strangers use this machine: then no setting may name its files, other servers, or code to be run, a run
    sees nothing of the environment, and who may read a repository is asked for each run anew."""
    max_prompts: int | None = None
    """Prompts that are answered, train and held-out."""
    max_new_tokens: int | None = None
    """Tokens of one response."""
    max_calls: int | None = None
    """Calls to remote models."""
    max_usd: float | None = None
    """Dollars, where prices are given."""
    max_hours: float | None = None
    """Hours for which a run may hold a worker: a model's files can make it go on for ever."""
    per_owner: int | None = None
    """Runs of one visitor that wait or run."""
    per_address: int | None = None
    """Runs of all who are not signed in and come from one address, that wait or run."""
    max_waiting: int | None = None
    """Runs of all visitors that wait."""
    keep_days: float | None = None
    """Days, of those in which the app runs, after which a run that is over, or waits for its visitor to sign in, is
    removed with its report, when another one is asked for."""
    keep_runs: int | None = None
    """Runs that are over and kept: the latest."""


PUBLIC = Rules(
    public=True,
    max_prompts=3000,
    max_new_tokens=1024,
    max_calls=50_000,
    max_usd=50.0,
    max_hours=6.0,
    per_owner=2,
    per_address=8,
    max_waiting=100,
    keep_days=30.0,
    keep_runs=200,
)
"""For a Space: room for the paper's 1,500 prompts, and for the prompts of a pool."""
OWN_MACHINE = Rules(public=False)
"""For who could as well use the command line here: the machine's files and its login are theirs."""


def allowed(config: DiffConfig, limits: Limits, rules: Rules) -> Limits:
    """Checks a run before it waits in line.

    Args:
        config: What is asked for.
        limits: The visitor's own limits.
        rules: Those of the machine.

    Returns:
        The stricter of both limits.

    Raises:
        SettingError: A setting that cannot be used, or not here.
        LimitError: More than one run may take here.
    """
    for name, text in _texts(config):
        if _TOKEN.search(text):
            raise SettingError(
                f"{flag(name)} holds a token, which would be stored: sign in instead, and renew the token"
            )
    if rules.public:
        _check_public(config)
    check(config, limits)
    prompts = sum(pool_sizes(config))
    for what, asked, most in (
        ("prompts", prompts, rules.max_prompts),
        ("tokens per response", config.max_new_tokens, rules.max_new_tokens),
    ):
        if most is not None and asked > most:
            raise LimitError(f"{asked} {what} are more than one run may take here: expected at most {most}. Take fewer")
    dollars = None if config.price is None else _stricter(limits.max_usd, rules.max_usd)
    calls = _stricter(limits.max_calls, rules.max_calls)
    return Limits(max_calls=None if calls is None else int(calls), max_usd=dollars)


def _stricter(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _check_public(config: DiffConfig) -> None:
    for name, value in _texts(config):
        if name in may_be_files() and is_path(value):
            raise SettingError(
                f"{flag(name)} names a file or folder, which only a machine of your own may read: {_OWN}"
            )
        if name == "base_url" or read_ref(value).place == ModelPlace.OPENAI:
            raise SettingError(f"{flag(name)} names a server of your own: take providers:org/name here. {_OWN}")
    for name in ("trust_remote_code", "allow_pickle"):
        if getattr(config, name):
            raise SettingError(f"{flag(name)} runs code that comes with a model, not here: {_OWN}")
    for plan in method_plans().values():
        plan.check_public(config)
    if config.concurrency > _MOST_AT_ONCE or config.timeout > _LONGEST_WAIT:
        raise SettingError(f"Expected at most --concurrency {_MOST_AT_ONCE} and --timeout {_LONGEST_WAIT:g} here")


def _texts(config: DiffConfig) -> list[tuple[str, str]]:
    """All settings that are text, each value alone."""
    texts = []
    for field in fields(config):
        value = getattr(config, field.name)
        each = value if isinstance(value, tuple) else (value,)
        texts += [(field.name, one) for one in each if isinstance(one, str)]
    return texts


def is_path(value: str) -> bool:
    """Whether a setting names a path of this machine, or looks like one; each part of `base+adapter` alone too.

    The embedded pair lies in folders too, which everybody may compare.
    """
    if value in _demo_values():
        return False
    parts = [*possible_paths(value)]
    parts += map(without_revision, parts[:])
    return any(part.startswith((".", "/", "~")) or "\\" in part or existing(part) for part in parts)


def _demo_values() -> set[str]:
    from diffing.demo.config import demo_config

    return {value for value in asdict(demo_config()).values() if isinstance(value, str)}
