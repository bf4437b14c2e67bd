"""Checks a visitor's run against hard limits and, on a public machine, against settings that would reach into it.

On a public machine the settings come from strangers. A setting that names a file, a server or code would be read,
contacted or executed on this machine.
"""

import re
from dataclasses import asdict, dataclass, fields

from diffing.checks import check
from diffing.config import DiffConfig, Limits, may_be_files
from diffing.errors import LimitError, SettingError
from diffing.methods.plan import method_plans
from diffing.model_ref import ModelPlace, possible_paths, read_ref, without_revision
from diffing.paths import existing
from diffing.run_prompts import pool_sizes
from diffing.settings import flag

_TOKEN = re.compile(r"\b(?:hf_|hf_oauth_|api_org_)[A-Za-z0-9]{20,}")
_OWN = "run `diffing serve` there"
_MOST_AT_ONCE = 16
"""Maximum number of parallel requests of a run to a server, on a public machine."""
_LONGEST_WAIT = 300.0
"""Maximum number of seconds to wait for one response, on a public machine."""


@dataclass(frozen=True, slots=True)
class VisitorRules:
    """Limits for one run and for one visitor; None means no limit."""

    public: bool
    """Whether strangers use this machine. Then no setting may name files of this machine, other servers, or code to
    execute; a run does not see the environment; and the Hub is asked for each run who may read a repository."""
    max_prompts: int | None = None
    """Maximum number of prompts, train and held-out together."""
    max_new_tokens: int | None = None
    """Maximum number of tokens of one response."""
    max_calls: int | None = None
    """Maximum number of calls to remote models."""
    max_usd: float | None = None
    """Maximum cost in dollars, if prices are given."""
    max_hours: float | None = None
    """Maximum number of hours that a run may occupy a worker: a model's files can make it run forever."""
    per_owner: int | None = None
    """Maximum number of one visitor's runs that are queued or running."""
    per_address: int | None = None
    """Maximum number of queued or running runs of all visitors from one network address who are not signed in."""
    max_waiting: int | None = None
    """Maximum number of queued runs of all visitors."""
    keep_days: float | None = None
    """Days after which a run is deleted with its report if it is over or waits for its visitor to sign in. Only days on
    which the app runs count, and runs are deleted when another one is started."""
    keep_runs: int | None = None
    """Maximum number of finished runs that are kept; the latest stay."""


PUBLIC = VisitorRules(
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
"""The rules of a Space. They leave room for the paper's 1,500 prompts, and for a pool of prompts."""
OWN_MACHINE = VisitorRules(public=False)
"""The rules of your own machine: you could use the command line as well, so its files and its login are yours."""


def check_room(rules: VisitorRules, *, shared: bool, own: int, waiting: int) -> None:
    """Refuses another run if the visitor or the machine has too many of them.

    Args:
        rules: The rules of the machine.
        shared: Whether the owner is a network address, which may stand for several people.
        own: The number of the owner's runs that are queued or running.
        waiting: The number of all visitors' runs that are queued.

    Raises:
        LimitError: A limit is reached.
    """
    most = rules.per_address if shared else rules.per_owner
    if most is not None and own >= most:
        whose, what = ("runs of your network", "Sign in") if shared else ("of your runs", "Stop one")
        raise LimitError(f"{own} {whose} are queued or running: expected at most {most}. {what}, or wait")
    if rules.max_waiting is not None and waiting >= rules.max_waiting:
        raise LimitError(f"{waiting} runs are queued: no more are accepted now. Come back later")


def allowed(config: DiffConfig, limits: Limits, rules: VisitorRules) -> Limits:
    """Checks a run before it is queued.

    Args:
        config: The settings of the run.
        limits: The visitor's own limits.
        rules: The rules of this machine.

    Returns:
        The stricter of both limits.

    Raises:
        SettingError: A setting is invalid, or not allowed on this machine.
        LimitError: The run exceeds a limit of this machine.
    """
    for name, text in _texts(config):
        if _TOKEN.search(text):
            raise SettingError(
                f"{flag(name)} holds a token, which would be stored: sign in instead, and revoke the token"
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
            raise LimitError(f"{asked} {what} are more than a run may use here: expected at most {most}")
    dollars = None if config.price is None else _stricter(limits.max_usd, rules.max_usd)
    calls = _stricter(limits.max_calls, rules.max_calls)
    return Limits(max_calls=None if calls is None else int(calls), max_usd=dollars)


def _stricter(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _check_public(config: DiffConfig) -> None:
    for name, value in _texts(config):
        if name in may_be_files() and is_path(value):
            raise SettingError(f"{flag(name)} names a file or folder, which only your own machine may read: {_OWN}")
        if name == "base_url" or read_ref(value).place == ModelPlace.OPENAI:
            raise SettingError(f"{flag(name)} names a server of your own: use providers:org/name here. {_OWN}")
    for name in ("trust_remote_code", "allow_pickle"):
        if getattr(config, name):
            raise SettingError(f"{flag(name)} runs code that comes with a model, which is not allowed here: {_OWN}")
    for plan in method_plans().values():
        plan.check_public(config)
    if config.concurrency > _MOST_AT_ONCE or config.timeout > _LONGEST_WAIT:
        raise SettingError(f"Expected at most --concurrency {_MOST_AT_ONCE} and --timeout {_LONGEST_WAIT:g} here")


def _texts(config: DiffConfig) -> list[tuple[str, str]]:
    """The name and value of every text setting; a setting with several values is listed once per value."""
    texts = []
    for field in fields(config):
        value = getattr(config, field.name)
        each = value if isinstance(value, tuple) else (value,)
        texts += [(field.name, one) for one in each if isinstance(one, str)]
    return texts


def is_path(value: str) -> bool:
    """Whether a setting, or a part of `base+adapter`, names a path of this machine or looks like one.

    The demo pair lies in folders too, but everybody may compare it.
    """
    if value in _demo_values():
        return False
    parts = [*possible_paths(value)]
    parts += map(without_revision, parts[:])
    return any(part.startswith((".", "/", "~")) or "\\" in part or existing(part) for part in parts)


def _demo_values() -> set[str]:
    from diffing.demo.config import demo_config

    return {value for value in asdict(demo_config()).values() if isinstance(value, str)}
