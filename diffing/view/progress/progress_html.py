"""Renders the page of a run as HTML, with templates that escape every text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from diffing.config import DiffConfig, Limits
from diffing.methods.plan import method_plans
from diffing.model_ref import read_ref
from diffing.outputs.html import environment
from diffing.outputs.phrasing import count, pieces_of
from diffing.rendering import templates_of
from diffing.report.model_names import ModelNames, names_between
from diffing.settings import described
from diffing.types import SIDES, ModelInfo, Side
from diffing.view.page_query import PageAddress
from diffing.view.progress.steps import StepProgress, progress_of, seconds_left, steps_of
from diffing.view.runs import EarlyHypothesis, RunState

if TYPE_CHECKING:
    from jinja2 import Environment

_FLAG = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_AT_FIRST = 6
"""Number of hypotheses per method that are visible without a click."""
MOVING = ("lending", "running")
"""States in which a run makes progress."""
REGIONS = ("lead", "steps", "found", "answers", "acts")
"""Parts of the page that are updated while it is open. The script replaces a region only if its HTML has changed."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its page shows it."""

    id: str
    """The id in the run's link."""
    config: DiffConfig
    """The settings of the run."""
    state: RunState
    """The state of the run."""
    signed_in: bool = False
    """Whether the visitor is signed in."""
    lends: bool = True
    """In the state `lending`: whether this page lends its visitor's GPU. A page lends it only if the visitor began the
    run in its tab, or agreed to lend it."""


@dataclass(frozen=True, slots=True)
class _EarlyText:
    """The text of an untested hypothesis, with its counts."""

    pieces: tuple[tuple[str, Side | None], ...]
    """Pieces of text, with the side for a piece that is a model's name."""
    early: EarlyHypothesis
    """The hypothesis."""


def page(run: RunView, base: str = "") -> str:
    """Renders the whole page.

    Args:
        run: The run to show.
        base: The start of the run's link; empty if the browser knows it.
    """
    return _rendered("page", run=run, base=base, names=_names(run.config), regions=regions(run))


def regions(run: RunView) -> dict[str, str]:
    """Renders the parts that are updated while the page is open, by region."""
    names = _names(run.config)
    progress = _progress(run)
    values: dict[str, object] = {
        "run": run,
        "names": names,
        "steps": progress,
        "now": _now(progress),
        "whole": seconds_left(progress) if run.state.state in MOVING else None,
        "moving": run.state.state in MOVING,
        "again": PageAddress("pair", run.config.model_a, run.config.model_b).query,
        "found": _by_method(run.state.found),
        "answering": any(each.status != "done" for each in progress if each.step.side),
        "setting": named_setting(run.state.reason) if run.state.by_setting else "",
        "AT_FIRST": _AT_FIRST,
    }
    return {name: _rendered(name, **values) for name in REGIONS}


def announcement(run: RunView) -> str:
    """One line for screen readers. It changes only when another step has begun."""
    match run.state.state:
        case "queued":
            return f"In line, place {run.state.place}."
        case "lending" if not run.lends and not run.state.attended:
            return "The run waits for a GPU."
        case "running" | "lending":
            progress = _progress(run)
            now = _now(progress)
            who = f"{_names(run.config).of(now.step.side)} " if now.step.side else ""
            return f"Step {progress.index(now) + 1} of {len(progress)}: {who}{now.step.title}."
        case "stopped":
            return "Stopped. Answers so far are saved."
        case "failed":
            return f"The run failed. {run.state.reason}"
        case "waiting":
            return f"The run waits for you. {run.state.reason}"
        case _:
            return "Done."


def tab(run: RunView) -> str:
    """The title of the browser's tab."""
    if run.state.state not in MOVING:
        place = f"place {run.state.place} in line" if run.state.state == "queued" else run.state.state
        return f"{place.capitalize()} – diffing"
    progress = _progress(run)
    now = _now(progress)
    share = "" if now.percent is None else f" · {now.percent}%"
    return f"{progress.index(now) + 1}/{len(progress)}{share} – diffing"


def duration(seconds: float) -> str:
    """A rough duration in words."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return count(round(seconds / 10) * 10, "second")
    minutes = seconds / 60
    if minutes < 90:
        return count(round(minutes), "minute")
    hours = minutes / 60
    return f"{hours:.1f}\N{NO-BREAK SPACE}hours" if hours < 10 else count(round(hours), "hour")


def span(least: float, most: float | None) -> str:
    """A rough range of durations in words; one duration if both ends are the same in words."""
    low, high = duration(least), duration(most or least)
    if low.startswith("a few"):
        return low if low == high else f"up to {high}"
    if low == high:
        return f"about {low}"
    (number, unit), of_high = low.replace("\N{NO-BREAK SPACE}", " ").rsplit(" ", 1), high.rsplit("s", 1)[0]
    return f"{number} to {high}" if of_high.endswith(unit.rstrip("s")) else f"{low} to {high}"


def named_setting(reason: str) -> str:
    """The label of the first setting that a message names by its flag; empty if there is none."""
    settings = described(DiffConfig) | described(Limits)
    names = (flag.replace("-", "_") for flag in _FLAG.findall(reason))
    return next((settings[name].setting.title for name in names if name in settings), "")


def _progress(run: RunView) -> tuple[StepProgress, ...]:
    sides = {"a": run.config.model_a, "b": run.config.model_b}
    # on a lent GPU the models are loaded elsewhere, in stages of their own
    loads = [side for side in SIDES if run.state.state == "running" and read_ref(sides[side]).runs_here]
    return progress_of(steps_of(run.config), run.state.stages, loads)


def _now(progress: tuple[StepProgress, ...]) -> StepProgress:
    return next(each for each in progress if each.status == "now")


@lru_cache(256)
def _names(config: DiffConfig) -> ModelNames:
    return names_between(ModelInfo(config.model_a, "model_a"), ModelInfo(config.model_b, "model_b"))


def _by_method(found: Iterable[EarlyHypothesis]) -> list[tuple[str, list[_EarlyText]]]:
    """Groups hypotheses by method. They come in the order of the methods."""
    headings = {name: plan.heading for name, plan in method_plans().items()}
    return [
        (headings.get(method, method), [_EarlyText(tuple(pieces_of(each.text, _side(each))), each) for each in group])
        for method, group in groupby(found, key=lambda each: each.method)
    ]


def _side(early: EarlyHypothesis) -> Side:
    return "a" if early.direction == "a" else "b"


@lru_cache(1)
def _templates() -> "Environment":
    templates = environment(templates_of(__package__, "templates"))
    templates.globals |= {"span": span}
    return templates


def _rendered(name: str, **values: object) -> str:
    return _templates().get_template(f"run-{name}.html.jinja").render(**values).strip()
