"""HTML of the page of a run. Everything it returns comes from templates that escape every text, and nowhere else."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from diffing.config import DiffConfig
from diffing.methods.base import method_plans
from diffing.outputs.html import environment
from diffing.outputs.phrasing import count, pieces_of
from diffing.rendering import templates_of
from diffing.report.model_names import Names, names_between
from diffing.types import ModelInfo, Side
from diffing.view.page_query import Address
from diffing.view.progress.steps import Shown, progress_of, seconds_left, steps_of
from diffing.view.runs import Early, RunState

if TYPE_CHECKING:
    from jinja2 import Environment

_AT_FIRST = 6
"""Hypotheses of one method that are shown without a click."""
MOVING = ("lending", "running")
"""States in which a run gets on."""
REGIONS = ("lead", "steps", "found", "acts")
"""Parts of the page that change while one looks; each is put in only when it has changed."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its page shows it."""

    id: str
    """What its link says."""
    config: DiffConfig
    """What it was asked to do."""
    state: RunState
    """Where it stands."""
    signed_in: bool = False
    """Whether the visitor who looks is."""
    lends: bool = True
    """Lending: whether the page that shows it lends its visitor's GPU; of the others only one that is asked to does."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A hypothesis that is not yet tested."""

    pieces: tuple[tuple[str, Side | None], ...]
    """Text, and sides where a model's name belongs."""
    early: Early
    """What is known of it."""


def page(run: Run, base: str = "") -> str:
    """The whole page.

    Args:
        run: What it shows.
        base: The address that its link begins with; empty where the browser knows it.
    """
    return _rendered("page", run=run, base=base, names=_names(run.config), regions=regions(run))


def regions(run: Run) -> dict[str, str]:
    """What changes while one looks, as HTML by region."""
    names = _names(run.config)
    shown = progress_of(steps_of(run.config), run.state.stages)
    values: dict[str, object] = {
        "run": run,
        "names": names,
        "steps": shown,
        "now": _now(shown),
        "whole": seconds_left(shown) if run.state.state in MOVING else None,
        "moving": run.state.state in MOVING,
        "again": Address("pair", run.config.model_a, run.config.model_b).query,
        "found": _by_method(run.state.found),
        "AT_FIRST": _AT_FIRST,
    }
    return {name: _rendered(name, **values) for name in REGIONS}


def told(run: Run) -> str:
    """One line for who listens instead of looking: it changes only where something else has begun."""
    match run.state.state:
        case "queued":
            return f"In line, place {run.state.place}."
        case "lending" if not run.lends and not run.state.attended:
            return "The run waits for a GPU."
        case "running" | "lending":
            shown = progress_of(steps_of(run.config), run.state.stages)
            now = _now(shown)
            who = f"{_names(run.config).of(now.step.side)} " if now.step.side else ""
            return f"Step {shown.index(now) + 1} of {len(shown)}: {who}{now.step.title}."
        case "stopped":
            return "Stopped. What was done is kept."
        case "failed":
            return f"The run failed. {run.state.reason}"
        case "waiting":
            return f"The run waits for you. {run.state.reason}"
        case _:
            return "Done."


def tab(run: Run) -> str:
    """What the browser's tab says."""
    if run.state.state not in MOVING:
        place = f"place {run.state.place} in line" if run.state.state == "queued" else run.state.state
        return f"{place.capitalize()} – diffing"
    shown = progress_of(steps_of(run.config), run.state.stages)
    now = _now(shown)
    share = "" if now.percent is None else f" · {now.percent}\N{NO-BREAK SPACE}%"
    return f"{shown.index(now) + 1}/{len(shown)}{share} – diffing"


def duration(seconds: float) -> str:
    """A time in words, as roughly as it is known."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return count(round(seconds / 10) * 10, "second")
    minutes = seconds / 60
    if minutes < 90:
        return count(round(minutes), "minute")
    hours = minutes / 60
    return f"{hours:.1f}\N{NO-BREAK SPACE}hours" if hours < 10 else count(round(hours), "hour")


def _now(shown: tuple[Shown, ...]) -> Shown:
    return next(each for each in shown if each.status == "now")


@lru_cache(256)
def _names(config: DiffConfig) -> Names:
    return names_between(ModelInfo(config.model_a, "model_a"), ModelInfo(config.model_b, "model_b"))


def _by_method(found: Iterable[Early]) -> list[tuple[str, list[_Found]]]:
    """In the order in which they were found, which is that of the methods."""
    headings = {name: plan.heading for name, plan in method_plans().items()}
    return [
        (headings.get(method, method), [_Found(tuple(pieces_of(each.text, _side(each))), each) for each in group])
        for method, group in groupby(found, key=lambda each: each.method)
    ]


def _side(early: Early) -> Side:
    return "a" if early.direction == "a" else "b"


@lru_cache(1)
def _templates() -> "Environment":
    made = environment(templates_of(__package__, "shown"))
    made.globals |= {"duration": duration}
    return made


def _rendered(name: str, **values: object) -> str:
    return _templates().get_template(f"run-{name}.html.jinja").render(**values).strip()
