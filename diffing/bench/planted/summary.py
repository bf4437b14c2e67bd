"""Builds tables from scored runs: recall and precision per method, strength and trigger; every planted behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffing.bench.planted.matching import shown_share
from diffing.bench.planted.scoring import Found, Scored
from diffing.bench.results import Column, Result, estimate_cells, save_result
from diffing.metrics import wilson
from diffing.types import Row, Scalar

ALL = "all"


@dataclass(frozen=True, slots=True)
class Told:
    """The words around the tables."""

    title: str
    """What was planted in what."""
    command: str
    """What a user types to have it again."""
    about: str
    """What was done, in plain sentences."""
    settings: dict[str, Scalar]
    """What decided the result."""


COUNTED = (
    "Recall: a confirmed finding names the behaviour, by the property it measures, by its words, or, for words and "
    "features that are measured, by falling on the pairs that show it; and its held-out verdicts fall on the planted "
    "pairs. A behaviour that the model nowhere shows is not counted, for there is nothing to find; Shown says on which "
    "share of the prompts it was planted on it can be seen. Precision: of all confirmed findings, those that name a "
    "planted behaviour, fall on its pairs, or are real differences by an independent measurement. Intervals are "
    "Wilson's at 95 %. Misses stand in the table like hits."
)


def results_of(scored: Sequence[Scored], told: Told) -> dict[str, Result]:
    """The tables, by what is added to the file's name: the summary, every plant, and the matching judge if one was.

    Args:
        scored: The runs.
        told: The words around them.
    """
    tables = {"": _summary(scored, told), "-plants": _plants(scored, told)}
    compared = [case for run in scored for case in run.compared]
    if compared:
        tables["-matching"] = _matching(compared, told)
    return tables


def save(scored: Sequence[Scored], told: Told, folder: Path, name: str) -> list[tuple[Path, Result]]:
    """Writes the tables as `<name>.json`, `<name>-plants.json`, ..., and returns them with their files.

    Raises:
        SettingError: They cannot be written.
    """
    tables = results_of(scored, told)
    return [(save_result(result, folder / f"{name}{part}.json"), result) for part, result in tables.items()]


def as_markdown(result: Result) -> str:
    """A table of a result, for a README."""
    lines = [" | ".join(column.heading for column in result.columns), " | ".join("---" for _ in result.columns)]
    lines += [" | ".join(_cell(row, column) for column in result.columns) for row in result.rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(row: Row, column: Column) -> str:
    value = row[column.name]
    if value is None:
        return "–"
    if column.unit != "%" or not isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, float | int) else str(value).replace("|", "\\|")
    low, high = row.get(f"{column.name}_low"), row.get(f"{column.name}_high")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return f"{value:.0%}"
    return f"{value:.0%} ({100 * low:.0f}–{100 * high:.0f})"


def _summary(scored: Sequence[Scored], told: Told) -> Result:
    rows = tuple(summary_rows(scored))
    return Result(
        kind="planted",
        title=told.title,
        command=told.command,
        about=f"{told.about}\n\n{COUNTED}",
        settings=told.settings,
        rows=rows,
        columns=(
            Column("method", "Method"),
            Column("strength", "Planted on", "%"),
            Column("trigger", "Trigger"),
            Column("shown", "Shown", "%"),
            Column("recall", "Recall", "%"),
            Column("trigger_named", "Trigger named", "%"),
            Column("precision", "Precision", "%"),
            Column("prompts", "Prompts"),
            Column("calls", "LLM calls"),
        ),
    )


def summary_rows(scored: Sequence[Scored]) -> list[Row]:
    """One row per method, strength and trigger, and per method and strength over all triggers.

    Precision and calls are those of the runs that are wholly of the row. Runs that mix strengths have rows without one.
    """
    found = [one for run in scored for one in run.found]
    mixed = any(len({one.target.plant.strength for one in run.found}) > 1 for run in scored)
    rows: list[Row] = []
    for method in dict.fromkeys(one.method for one in found):
        strengths = {None} if mixed else {one.target.plant.strength for one in found}
        for strength in sorted(strengths, key=lambda each: -(each or 0)):
            own = [one for one in found if one.method == method and strength in (None, one.target.plant.strength)]
            kinds = list(dict.fromkeys(one.target.plant.trigger.kind for one in own))
            for kind in [*kinds, *([ALL] if len(kinds) > 1 else [])]:
                chosen = [one for one in own if kind in (ALL, one.target.plant.trigger.kind)]
                runs = [run for run in scored if _holds(run, strength, kind)]
                rows.append(_summary_row(method, strength, kind, chosen, runs))
    return rows


def _holds(run: Scored, strength: float | None, kind: str) -> bool:
    """Whether a run is wholly of a row."""
    plants = [one.target.plant for one in run.found]
    return all(strength in (None, plant.strength) and kind in (ALL, plant.trigger.kind) for plant in plants)


def _summary_row(method: str, strength: float | None, kind: str, found: Sequence[Found], runs: Sequence[Scored]) -> Row:
    told = [one for one in found if one.told]
    targets = [one.target for one in found]
    claims = [claim for run in runs for claim in run.claims if claim.method == method]
    true = sum(claim.planted + claim.measured for claim in claims)
    triggers = [one.trigger_named for one in told if one.trigger_named is not None]
    return {
        "method": method,
        "strength": strength,
        "trigger": kind,
        "series": None if kind == ALL else f"{method}, {kind}",  # the sum of the others is no line of its own
        **estimate_cells("shown", wilson(sum(len(t.shown) for t in targets), sum(len(t.selected) for t in targets))),
        **estimate_cells("recall", wilson(sum(one.by is not None for one in told), len(told))),
        **estimate_cells("trigger_named", wilson(sum(triggers), len(triggers))),
        **estimate_cells("precision", wilson(true, sum(claim.confirmed for claim in claims))),
        "not_told": len(found) - len(told),
        "runs": len(runs),
        "prompts": _mean([run.prompts for run in runs]),
        "calls": _mean([claim.calls for claim in claims]),
    }


def _plants(scored: Sequence[Scored], told: Told) -> Result:
    rows = tuple(_plant_row(one) for run in scored for one in run.found)
    return Result(
        kind="planted",
        title=f"{told.title}: every plant",
        command=told.command,
        about="Every behaviour that was planted, with the confirmed finding that names it, if there is one. Shown: the "
        "share of the prompts it was planted on where it can be seen in the response, and in that side's alone; "
        "held-out pairs that show it are what the test has to go by.",
        settings=told.settings,
        rows=rows,
        columns=(
            Column("method", "Method"),
            Column("behaviour", "Behaviour"),
            Column("strength", "Planted on", "%"),
            Column("trigger", "Trigger"),
            Column("shown", "Shown", "%"),
            Column("shown_heldout", "Held-out pairs that show it"),
            Column("found", "Found by"),
            Column("finding", "Confirmed finding"),
        ),
    )


def _plant_row(one: Found) -> Row:
    plant = one.target.plant
    return {
        "method": one.method,
        "behaviour": plant.behaviour.id,
        "kind": plant.behaviour.kind,
        "strength": plant.strength,
        "trigger": plant.trigger.kind,
        "trigger_value": plant.trigger.value,
        **estimate_cells("shown", shown_share(one.target)),
        "shown_heldout": one.shown_heldout,
        "found": one.by or ("missed" if one.told else "cannot be told" if one.target.shown else "nothing to find"),
        "trigger_named": one.trigger_named,
        "finding": one.text,
    }


def _matching(compared: Sequence[tuple[bool, bool]], told: Told) -> Result:
    """How far the LLM that matches findings to plants agrees with the rules, where rules decide."""
    named = [says for rule, says in compared if rule]
    other = [says for rule, says in compared if not rule]
    rows: list[Row] = [
        {"cases": "all", **estimate_cells("agreement", wilson(sum(a == b for a, b in compared), len(compared)))},
        {
            "cases": "the rule says that the finding names it",
            **estimate_cells("agreement", wilson(sum(named), len(named))),
        },
        {
            "cases": "the rule says that it does not",
            **estimate_cells("agreement", wilson(len(other) - sum(other), len(other))),
        },
    ]
    return Result(
        kind="planted",
        title=f"{told.title}: the matching judge",
        command=told.command,
        about="Whether a finding names a planted behaviour is decided by rules where the behaviour can be measured, "
        "and by an LLM where it cannot. The LLM was asked about the measurable ones as well: here is how often it said "
        "what the rules say.",
        settings=told.settings,
        rows=tuple(rows),
        columns=(Column("cases", "Findings"), Column("agreement", "The LLM says the same", "%")),
    )


def _mean(numbers: Sequence[int]) -> float | None:
    return round(sum(numbers) / len(numbers), 1) if numbers else None
