"""Builds tables from scored runs: recall and precision per method, strength and trigger, and one row per plant."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diffing.bench.planted.matching import shown_share
from diffing.bench.planted.scoring import Detection, ScoredRun
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, save_result
from diffing.estimates import Estimate
from diffing.metrics import wilson
from diffing.types import Row, Scalar

ALL = "all"


@dataclass(frozen=True, slots=True)
class ResultText:
    """The title, command, explanation and settings that the tables of a benchmark share."""

    title: str
    """The headline: what was planted in which model."""
    command: str
    """The command that reproduces the result."""
    about: str
    """What was done, in full sentences."""
    settings: dict[str, Scalar]
    """The settings that affected the result."""


COUNTED = (
    "Recall: a confirmed finding names the behaviour, and its held-out verdicts fall on the planted pairs. It names "
    "the behaviour by its property, its measured phrase or the strongest tokens of its feature; a measured word or "
    "feature also by occurring on the pairs that show the behaviour; other sentences if an LLM says so or, without an "
    "LLM, likewise by these pairs. The text of a finding is not searched for words. A finding names the trigger if "
    "its scope holds the same prompts; Strength in the interval is the share of these whose net difference where it "
    "applies has an interval that contains the planted strength. A behaviour that the model never shows is not "
    "counted, since there is nothing to find; Shown gives the share of the planted prompts on which it shows. "
    "Precision: the share of confirmed findings that name a planted behaviour, fall on its pairs, or are real "
    "differences by an independent measurement. Intervals are Wilson's at 95%. Misses are in the table as well as hits."
)


def results_of(scored: Sequence[ScoredRun], text: ResultText) -> dict[str, BenchmarkResult]:
    """Makes tables by the suffix of their file: the summary, every plant and, if asked, the matching judge.

    Args:
        scored: The scored runs.
        text: The title, command, explanation and settings.
    """
    tables = {"": _summary(scored, text), "-plants": _plants(scored, text)}
    compared = [case for run in scored for case in run.compared]
    if compared:
        tables["-matching"] = _matching(compared, text)
    return tables


def save(scored: Sequence[ScoredRun], text: ResultText, folder: Path, name: str) -> list[tuple[Path, BenchmarkResult]]:
    """Saves the tables as `<name>.json`, `<name>-plants.json` and so on, and returns them with their files.

    Raises:
        SettingError: A file cannot be written.
    """
    tables = results_of(scored, text)
    return [(save_result(result, folder / f"{name}{part}.json"), result) for part, result in tables.items()]


def as_markdown(result: BenchmarkResult) -> str:
    """Renders the table of a result as Markdown, for a README."""
    lines = [" | ".join(column.heading for column in result.columns), " | ".join("---" for _ in result.columns)]
    lines += [" | ".join(_cell(row, column) for column in result.columns) for row in result.rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(row: Row, column: ResultColumn) -> str:
    value = row[column.name]
    if value is None:
        return "–"
    if column.unit != "%" or not isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, float | int) else str(value).replace("|", "\\|")
    low, high = row.get(f"{column.name}_low"), row.get(f"{column.name}_high")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return f"{value:.0%}"
    return f"{value:.0%} ({100 * low:.0f}–{100 * high:.0f})"


def _summary(scored: Sequence[ScoredRun], text: ResultText) -> BenchmarkResult:
    rows = tuple(summary_rows(scored))
    return BenchmarkResult(
        kind="planted",
        title=text.title,
        command=text.command,
        about=f"{text.about}\n\n{COUNTED}",
        settings=text.settings,
        rows=rows,
        columns=(
            ResultColumn("method", "Method"),
            ResultColumn("strength", "Planted on", "%"),
            ResultColumn("trigger", "Trigger"),
            ResultColumn("shown", "Shown", "%"),
            ResultColumn("recall", "Recall", "%"),
            ResultColumn("trigger_named", "Trigger named", "%"),
            ResultColumn("strength_covered", "Strength in the interval", "%"),
            ResultColumn("precision", "Precision", "%"),
            ResultColumn("prompts", "Prompts"),
            ResultColumn("calls", "LLM calls"),
        ),
    )


def summary_rows(scored: Sequence[ScoredRun]) -> list[Row]:
    """Makes one row per method, strength and trigger, and one per method and strength over all triggers.

    Precision and calls are those of the runs that belong wholly to the row. Runs with mixed strengths have rows without
    a strength.
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


def _holds(run: ScoredRun, strength: float | None, kind: str) -> bool:
    """Tells whether all plants of a run have the strength and trigger of a row."""
    plants = [one.target.plant for one in run.found]
    return all(strength in (None, plant.strength) and kind in (ALL, plant.trigger.kind) for plant in plants)


def _summary_row(
    method: str, strength: float | None, kind: str, found: Sequence[Detection], runs: Sequence[ScoredRun]
) -> Row:
    scorable = [one for one in found if one.scorable]
    targets = [one.target for one in found]
    claims = [claim for run in runs for claim in run.claims if claim.method == method]
    true = sum(claim.planted + claim.measured for claim in claims)
    triggers = [one.trigger_named for one in scorable if one.trigger_named is not None]
    covered = [_covers(one.where_applies, one.target.plant.strength) for one in scorable if one.where_applies]
    return {
        "method": method,
        "strength": strength,
        "trigger": kind,
        "series": None if kind == ALL else f"{method}, {kind}",  # the sum over all triggers is not drawn as a line
        **estimate_cells("shown", wilson(sum(len(t.shown) for t in targets), sum(len(t.selected) for t in targets))),
        **estimate_cells("recall", wilson(sum(one.by is not None for one in scorable), len(scorable))),
        **estimate_cells("trigger_named", wilson(sum(triggers), len(triggers))),
        **estimate_cells("strength_covered", wilson(sum(covered), len(covered))),
        **estimate_cells("precision", wilson(true, sum(claim.confirmed for claim in claims))),
        "not_told": len(found) - len(scorable),
        "runs": len(runs),
        "prompts": _mean([run.prompts for run in runs]),
        "calls": _mean([claim.calls for claim in claims]),
    }


def _covers(estimate: Estimate, value: float) -> bool:
    """Tells whether an interval contains a value."""
    return estimate.low is not None and estimate.high is not None and estimate.low <= value <= estimate.high


def _plants(scored: Sequence[ScoredRun], text: ResultText) -> BenchmarkResult:
    rows = tuple(_plant_row(one) for run in scored for one in run.found)
    return BenchmarkResult(
        kind="planted",
        title=f"{text.title}: every plant",
        command=text.command,
        about="Every behaviour that was planted, with the confirmed finding that names it, if there is one. Shown: the "
        "share of the planted prompts on which the behaviour shows in the response of its side and not in the other; "
        "the test is based on the held-out pairs that show it. Where it applies: the net difference on the held-out "
        "prompts in the scope of a finding that names the trigger.",
        settings=text.settings,
        rows=rows,
        columns=(
            ResultColumn("method", "Method"),
            ResultColumn("behaviour", "Behaviour"),
            ResultColumn("strength", "Planted on", "%"),
            ResultColumn("trigger", "Trigger"),
            ResultColumn("shown", "Shown", "%"),
            ResultColumn("shown_heldout", "Held-out pairs that show it"),
            ResultColumn("found", "Found by"),
            ResultColumn("where_applies", "Where it applies", "%"),
            ResultColumn("finding", "Confirmed finding"),
        ),
    )


def _plant_row(one: Detection) -> Row:
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
        "found": one.by
        or ("missed" if one.scorable else "cannot be scored" if one.target.shown else "nothing to find"),
        "trigger_named": one.trigger_named,
        **estimate_cells("where_applies", one.where_applies or wilson(0, 0)),
        "finding": one.text,
    }


def _matching(compared: Sequence[tuple[bool, bool]], text: ResultText) -> BenchmarkResult:
    """Makes the table of how often the LLM that matches findings to plants agrees with the measurements."""
    named = [says for rule, says in compared if rule]
    other = [says for rule, says in compared if not rule]
    rows: list[Row] = [
        {"cases": "all", **estimate_cells("agreement", wilson(sum(a == b for a, b in compared), len(compared)))},
        {
            "cases": "by measurement, the finding names it",
            **estimate_cells("agreement", wilson(sum(named), len(named))),
        },
        {
            "cases": "by measurement, it does not",
            **estimate_cells("agreement", wilson(len(other) - sum(other), len(other))),
        },
    ]
    return BenchmarkResult(
        kind="planted",
        title=f"{text.title}: the matching judge",
        command=text.command,
        about="If a planted behaviour can be measured, findings show without an LLM that they name it, by their "
        "property or the pairs on which they occur, or that they do not, because they do not occur on these pairs. An "
        "LLM was asked as well; the table shows how often it agreed.",
        settings=text.settings,
        rows=tuple(rows),
        columns=(ResultColumn("cases", "Findings"), ResultColumn("agreement", "The LLM says the same", "%")),
    )


def _mean(numbers: Sequence[int]) -> float | None:
    return round(sum(numbers) / len(numbers), 1) if numbers else None
