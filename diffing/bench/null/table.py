"""Builds the table of false alarms from null runs. Knows no model."""

from collections.abc import Sequence

from diffing import metrics
from diffing.bench.null.runs import RECORDED, SAMPLES, NullRun
from diffing.bench.results import Column, Result, estimate_cells
from diffing.types import Estimate, Row, Scalar

ALL = "all together"
ABOUT = (
    "Each run compares one model with itself, so there is no difference to be found and whatever a run confirms is "
    "false. Two samples were drawn, or recorded, independently of each other from a model. Recordings cannot be made "
    "anew: where they were compared several times, their prompts were split into train and held-out anew each time, so "
    "these runs share responses. Where a model was run in two batch sizes, or saved again and loaded, both sides are "
    "greedy and only rounding could make them differ, so the share of equal responses says more than the tests.\n\n"
    "Accepted is the paper's criterion on the train prompts; confirmed is the test on held-out prompts with the false "
    "discovery rate kept at 5 % over the hypotheses tested. In a null every confirmation is false, so the share of "
    "runs that confirm anything is the false discovery rate itself. Intervals are Wilson's, exact where nothing was "
    "confirmed; those over hypotheses take these as independent, which hypotheses of one run are not quite."
)
_COLUMNS = (
    Column("model", "Model"),
    Column("what", "Compared"),
    Column("method", "Method"),
    Column("runs", "Runs"),
    Column("same", "Equal responses", "%"),
    Column("accepted", "Accepted", "%"),
    Column("confirmed", "Confirmed of those tested", "%"),
    Column("any_confirmed", "Runs that confirm anything", "%"),
)


def null_result(runs: Sequence[NullRun], *, command: str, settings: dict[str, Scalar], title: str) -> Result:
    """False alarms per model, comparison and method, and over all.

    Args:
        runs: At least one.
        command: What a user types to have it again.
        settings: What decided it.
        title: The table's headline.
    """
    rows: list[Row] = []
    for model, what in dict.fromkeys((run.model, run.what) for run in runs):
        rows += _rows([run for run in runs if (run.model, run.what) == (model, what)], model, what)
    sampled = [run for run in runs if run.what in (SAMPLES, RECORDED)]  # equal texts would only water the rates down
    if len({(run.model, run.what) for run in sampled}) > 1:
        rows += _rows(sampled, ALL, "all samples")
    several = len({run.what for run in runs}) > 1
    rows = [{"label": _label(row, several), **row} for row in rows]
    return Result(
        kind="null", title=title, command=command, about=ABOUT, rows=tuple(rows), settings=settings, columns=_COLUMNS,
    )  # fmt: skip


def _rows(runs: Sequence[NullRun], model: str, what: str) -> list[Row]:
    """One row per method, and one over all where there are several."""
    methods = list(dict.fromkeys(method for run in runs for method in run.methods))
    together = [_row(runs, model, what, None)] if len(methods) > 1 else []
    return [*(_row(runs, model, what, method) for method in methods), *together]


def _row(runs: Sequence[NullRun], model: str, what: str, method: str | None) -> Row:
    of_method = [run for run in runs if method is None or method in run.methods]
    found = [[f for f in run.findings if method in (None, f.hypothesis.method)] for run in of_method]
    proposed = sum(map(len, found))
    tested = sum(f.heldout.p is not None for run in found for f in run)  # the others train left without hope
    pairs = sum(run.pairs for run in of_method)
    return {
        "model": model,
        "what": what,
        "method": method or "all methods",
        "runs": len(of_method),
        **estimate_cells("same", metrics.wilson(sum(run.same for run in of_method), pairs)),
        **estimate_cells("accepted", rate(sum(f.accepted for run in found for f in run), proposed)),
        **estimate_cells("confirmed", rate(sum(f.confirmed for run in found for f in run), tested)),
        **estimate_cells("any_confirmed", rate(sum(any(f.confirmed for f in run) for run in found), len(found))),
    }


def _label(row: Row, several: bool) -> str:
    """What a row is called in a picture."""
    return f"{row['model']}, {row['what']}" if several and row["model"] != ALL else str(row["model"])


def rate(k: int, n: int) -> Estimate:
    """Share k / n with a 95 % interval: Wilson's, and Clopper and Pearson's exact one where k is 0.

    Args:
        k: How many of the n.
        n: Observations.
    """
    if k or not n:
        return metrics.wilson(k, n)
    from scipy.stats import binomtest

    exact = binomtest(0, n).proportion_ci(confidence_level=0.95, method="exact")
    return Estimate(value=0.0, low=0.0, high=float(exact.high), n=n)
