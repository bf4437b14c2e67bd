"""Computes the summary at the top of the page of benchmark results: the most important numbers of each benchmark.

Every line is computed from the rows of a result; a line whose result is missing is left out. Results with unknown names
appear only in the page's sections.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.bench.table_cells import cell, number, observations
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.outputs.phrasing import percent
from diffing.types import Row

FEW = 8
"""The number of expected verdicts for a side below which no interval of a share can be exact."""

BRACKETS = "Taken from the results below; in brackets, 95% intervals."
"""How to read the lines."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the summary."""

    what: str
    """What was measured."""
    value: str
    """The measured value, in words."""
    result: str
    """The name of the result with the details."""


def at_a_glance(results: Sequence[tuple[str, BenchmarkResult]]) -> tuple[Fact, ...]:
    """Computes the lines of the summary.

    Args:
        results: The names and results, in the page's order.
    """
    by_name = dict(results)
    present = [(name, summarise) for name, summarise in _STATISTICS.items() if name in by_name]
    facts = [fact for name, summarise in present for fact in summarise(name, by_name[name].rows)]
    for name, result in results:
        if result.kind == "null":
            facts += _nulls(name, result)
        elif result.kind == "planted" and result.rows and {"recall", "strength", "trigger"} <= set(result.rows[0]):
            facts += _recall(name, result)
    return tuple(facts)


def _share(row: Row, key: str) -> str:
    """Formats an estimate with its interval in brackets."""
    return cell(row, ResultColumn(key, key, "%"))


def _value(row: Row, key: str) -> float:
    value = row[key]
    return float(value) if isinstance(value, int | float) else float("nan")


def _false_confirmations(name: str, rows: Sequence[Row]) -> Iterator[Fact]:
    """Summarises false confirmations by their mean and their worst value over all simulated shapes."""
    for key, what in (("false_full", "everything judged"), ("false_thrift", "with early stopping")):
        worst = max(rows, key=lambda row: _value(row, key))
        above = sum(_value(row, f"{key}_low") > FALSE_DISCOVERY_RATE for row in rows)
        yield Fact(
            f"False confirmations if no hypothesis is true, {what}",
            f"{_mean(rows, key)} on average over {len(rows)} shapes of runs, {_share(worst, key)} in the worst; "
            f"{above} of them above {percent(FALSE_DISCOVERY_RATE)} by more than chance",
            name,
        )
    worst = max(rows, key=lambda row: _value(row, "accepted"))
    yield Fact(
        "For comparison, the same hypotheses accepted by the papers' rule",
        f"{_mean(rows, 'accepted')} of the hypotheses on average, {_share(worst, 'accepted')} in the worst shape",
        name,
    )


def _mean(rows: Sequence[Row], key: str) -> str:
    return number(sum(_value(row, key) for row in rows) / len(rows), "%")


def _range(rows: Sequence[Row], key: str) -> str:
    values = [_value(row, key) for row in rows]
    return f"{number(min(values), '%')} to {number(max(values), '%')}"


def _coverage(name: str, rows: Sequence[Row]) -> Iterator[Fact]:
    """Summarises the coverage of the net difference's interval, for many and for few verdicts for a side."""
    nets = [row for row in rows if row["estimate"] == "net difference"]
    enough = [row for row in nets if _value(row, "decided") >= FEW]
    few = [row for row in nets if _value(row, "decided") < FEW]
    if enough and few:
        yield Fact(
            "The 95% interval of a net difference contains the true value",
            f"in {_range(enough, 'coverage')} of the cases if {FEW} or more verdicts are expected to be decided "
            f"({len(enough)} shapes), in {_range(few, 'coverage')} if fewer are ({len(few)} shapes)",
            name,
        )


def _planned(name: str, rows: Sequence[Row]) -> Iterator[Fact]:
    by = {str(row["of"]): [each for each in rows if each["of"] == row["of"]] for row in rows}
    coverage = [f"{_range(each, 'coverage')} ({of})" for of, each in by.items()]
    yield Fact("The same in runs of many hypotheses", ", ".join(coverage), name)


def _thrift(name: str, rows: Sequence[Row]) -> Iterator[Fact]:
    """Summarises early stopping by its first row, which is the typical run."""
    fair = [row for row in rows if row["judge"] == "fair"]
    if not fair:
        return
    typical = fair[0]
    run = f"{typical['hypotheses']} hypotheses, {typical['train']} and {typical['heldout']} prompts"
    yield Fact(
        f"Early stopping in a {typical['mix']} run ({run})",
        f"keeps {_share(typical, 'kept')} of the true hypotheses that full judging confirms, "
        f"{_share(typical, 'kept_all')} with its false alarms among them, and saves "
        f"{_share(typical, 'saved')} of the questions; over all shapes with a fair judge it keeps "
        f"{_range(fair, 'kept')} and saves {_range(fair, 'saved')}",
        name,
    )


def _equivalence(name: str, rows: Sequence[Row]) -> Iterator[Fact]:
    """Summarises policies by how often one is called kept although a difference is at its limit."""
    worst = max(rows, key=lambda row: _value(row, "wrong"))
    above = sum(_value(row, "wrong_low") > FALSE_DISCOVERY_RATE for row in rows)
    yield Fact(
        "A policy is called kept although a difference is at its limit",
        f"{_mean(rows, 'wrong')} on average over {len(rows)} shapes, {_share(worst, 'wrong')} in the worst; {above} of "
        f"them above {percent(FALSE_DISCOVERY_RATE)} by more than chance",
        name,
    )


_STATISTICS: Mapping[str, Callable[[str, Sequence[Row]], Iterator[Fact]]] = {
    "statistics-nulls": _false_confirmations,
    "statistics-coverage": _coverage,
    "statistics-coverage-planned": _planned,
    "statistics-thrift": _thrift,
    "statistics-equivalence": _equivalence,
}
"""The functions that summarise results, by the results' names, in the order of the lines."""


def _nulls(name: str, result: BenchmarkResult) -> Iterator[Fact]:
    """Summarises null runs by the row over all of them, or by the last row of samples."""
    sampled = [row for row in result.rows if "samples" in str(row.get("what", "")) and row.get("confirmed") is not None]
    if not sampled:
        return
    row = sampled[-1]
    tested = observations(row, ResultColumn("confirmed", "", "%"))
    told_apart = row.get("told_apart")
    yield Fact(
        f"Null: {result.title}",
        f"{_share(row, 'any_confirmed')} of {row['runs']} runs confirm anything, "
        f"{_share(row, 'confirmed')} of {tested} hypotheses tested"
        + ("" if told_apart is None else f"; in {_share(row, 'told_apart')} of runs the two sides are told apart"),
        name,
    )


def _recall(name: str, result: BenchmarkResult) -> Iterator[Fact]:
    """Summarises recall per method and strength, for plants without a trigger and for all plants."""
    shown = [row for row in result.rows if row["recall"] is not None]
    for method in dict.fromkeys(str(row["method"]) for row in shown):
        parts = []
        for trigger, of in (("always", "planted on any prompt"), ("all", "with those in one domain or after a phrase")):
            own = [row for row in shown if row["method"] == method and row["trigger"] == trigger]
            if own:
                parts.append(f"{of}: {', '.join(map(_recalled, own))}")
        if parts:
            yield Fact(f"Found by {method}: {result.title}", "; ".join(parts), name)


def _recalled(row: Row) -> str:
    strength = "" if row["strength"] is None else f" at {number(row['strength'], '%')} of the prompts"
    return f"{_share(row, 'recall')} of {observations(row, ResultColumn('recall', '', '%'))}{strength}"
