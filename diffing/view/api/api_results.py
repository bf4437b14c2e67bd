"""The return types of the API: named plain values, sent as JSON by the API and as JSON text by MCP tools."""

import json
from dataclasses import asdict, dataclass
from typing import Any


class ApiResult:
    """A result of the API. It is not a dict, because a tool would show a dict in Python's notation instead of JSON."""

    __slots__ = ()

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class CostEstimate(ApiResult):
    """What a run would take."""

    calls: int
    """Number of completions."""
    usd: float | None
    """Dollars; null if no price is given."""
    minutes: float | None
    """Minutes; null if the speed is not known."""
    stages: list[dict[str, Any]]
    """The same per stage."""
    assumptions: list[str]
    """The assumptions behind the numbers."""
    limits: list[str]
    """The limits that the run would reach."""


@dataclass(frozen=True, slots=True)
class RunInfo(ApiResult):
    """The state of a run."""

    run: str
    """The id of the run. Everybody who has it can see the run and stop it."""
    link: str
    """The link to its page."""
    state: str
    """queued, running, done, stopped, failed, or waiting (for its owner to sign in)."""
    reason: str
    """If failed or waiting: why, and what to do."""
    place: int | None
    """If queued: the place in line; 1 is next."""
    stages: list[dict[str, Any]]
    """If running: name, done, total, seconds_left and seconds_at_most of each stage that was begun."""
    found: list[str]
    """If running: the hypotheses found so far, not yet tested."""
    headline: str
    """If done: the result in one sentence. `read_diff` gives all of it."""


@dataclass(frozen=True, slots=True)
class DiffList(ApiResult):
    """A page of published diffs."""

    diffs: list[dict[str, Any]]
    """Each with dataset, model_a, model_b, day, private and, if its card gives them, prompts, findings, confirmed and
    differences."""
    page: int
    """The number of the page, from 1."""
    pages: int
    """Number of pages, at least one."""
    total: int
    """Number of published diffs that match."""
    all: bool
    """Whether all published diffs were searched, not only the newest."""
    examples: list[dict[str, str]]
    """Diffs that ship with the app, each with example, title and caption."""


@dataclass(frozen=True, slots=True)
class DiffSummary(ApiResult):
    """A diff with a page of its list."""

    link: str
    """The link to its page."""
    model_a: str
    """The first model with its commit."""
    model_b: str
    """The second model with its commit."""
    headline: str
    """The result in one sentence."""
    explanation: str
    """What was done, and what counts as confirmed."""
    prompts: dict[str, int]
    """Number of prompts in train and in heldout."""
    lines: dict[str, int]
    """Number of lines in each part of the list: differences, wording, features, unconfirmed."""
    coverage: str
    """How much of what tells the two models apart the list explains; empty if that was not computed."""
    notes: list[str]
    """What to know about this run."""
    domains: list[str]
    """The domains of its prompts."""
    findings: list[dict[str, Any]]
    """The lines, each with number, statement, where (the prompts that it is concentrated in), both_models (their own
    levels in words), metrics, and members: the other findings that say the same or are signs of the same behaviour."""
    page: int
    """The number of the page, from 1."""
    pages: int
    """Number of pages, at least one."""
    total: int
    """Number of lines that pass the filters."""


@dataclass(frozen=True, slots=True)
class EvidencePage(ApiResult):
    """A page of the pairs behind a finding."""

    finding: int
    """The number of the finding."""
    statement: str
    """The finding in a sentence."""
    counts: dict[str, int]
    """Number of pairs in each group: for, against, same, not_shown, neither, outside, unreadable."""
    group: str
    """The group that is shown."""
    pairs: list[dict[str, Any]]
    """Each with prompt, both responses, verdict, judge and why. Long texts are cut and then end with “…”."""
    page: int
    """The number of the page, from 1."""
    pages: int
    """Number of pages, at least one."""
