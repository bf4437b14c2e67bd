"""What programs get: plain values with names. As JSON over the API, and as JSON text from tools."""

import json
from dataclasses import asdict, dataclass
from typing import Any


class Answer:
    """An answer. Not a dict: of such a one a tool would show Python's notation instead of JSON."""

    __slots__ = ()

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Estimated(Answer):
    """What a run would take."""

    calls: int
    """Completions."""
    usd: float | None
    """Dollars; null where no price is given."""
    minutes: float | None
    """Null where nothing is known of the speed."""
    stages: list[dict[str, Any]]
    """The same per stage."""
    assumptions: list[str]
    """What was assumed."""
    limits: list[str]
    """Limits that the run would reach."""


@dataclass(frozen=True, slots=True)
class Run(Answer):
    """Where a run stands."""

    run: str
    """Its id: whoever has it, sees the run and may stop it."""
    link: str
    """Its page."""
    state: str
    """queued, running, done, stopped, failed, or waiting for its owner to sign in."""
    reason: str
    """Failed, waiting: why and what to do."""
    place: int | None
    """Queued: 1 is next."""
    stages: list[dict[str, Any]]
    """Running: name, done, total and seconds_left of each stage that was begun."""
    found: list[str]
    """Running: hypotheses so far, not yet tested."""
    headline: str
    """Done: the result in one sentence. `read_diff` gives all of it."""


@dataclass(frozen=True, slots=True)
class Listed(Answer):
    """A page of published diffs."""

    diffs: list[dict[str, Any]]
    """dataset, model_a, model_b, day, private, and where its card tells them prompts, findings, confirmed."""
    page: int
    """From 1."""
    pages: int
    """At least one."""
    total: int
    """Published diffs that fit."""
    all: bool
    """Whether all were looked through, not only the newest."""
    examples: list[dict[str, str]]
    """Diffs that ship with the app: example, title, caption."""


@dataclass(frozen=True, slots=True)
class Read(Answer):
    """A diff, with a page of its findings."""

    link: str
    """Its page."""
    model_a: str
    """The first model with its commit."""
    model_b: str
    """The second one."""
    headline: str
    """The result in one sentence."""
    explanation: str
    """What was done and what counts as confirmed."""
    prompts: dict[str, int]
    """Of train and of heldout."""
    notes: list[str]
    """What to know of this run."""
    domains: list[str]
    """Of its prompts."""
    findings: list[dict[str, Any]]
    """Each with number, statement and metrics; `same` are the numbers of findings that say the same."""
    page: int
    """From 1."""
    pages: int
    """At least one."""
    total: int
    """Findings that pass the filters."""


@dataclass(frozen=True, slots=True)
class EvidencePage(Answer):
    """A page of the pairs behind a finding."""

    finding: int
    """Its number."""
    statement: str
    """What it says."""
    counts: dict[str, int]
    """Pairs for, against, neither and unreadable."""
    group: str
    """Which of them are shown."""
    pairs: list[dict[str, Any]]
    """Each with prompt, both responses, verdict, judge and why; long texts are cut, which ends them with …"""
    page: int
    """From 1."""
    pages: int
    """At least one."""
