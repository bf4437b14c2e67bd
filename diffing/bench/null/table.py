"""Builds the table of false alarms from the results of null runs."""

from collections.abc import Sequence

from diffing import metrics
from diffing.bench.null.runs import RECORDED, SAMPLES, NullRun
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.estimates import Estimate
from diffing.types import Row, Scalar

ALL = "all together"
ABOUT = (
    "Each run compares one model with itself, so there is no difference to find and everything that a run confirms is "
    "false. Two samples were drawn, or recorded, independently of each other from a model. Recordings cannot be "
    "repeated: if they were compared several times, their prompts were split into train and held-out in a new way each "
    "time, so these runs share responses. If a model was run in two batch sizes, or saved again and loaded, both sides "
    "are greedy and only rounding could make them differ, so the share of equal responses says more than the tests.\n\n"
    "Accepted is the paper's criterion on the train prompts; confirmed is the test on held-out prompts with a false "
    "discovery rate of 5% over the hypotheses tested. In a null run every confirmation is false, so the share of runs "
    "that confirm anything is the false discovery rate itself. The two sides are told apart if the texts and all "
    "verdicts tell so many held-out pairs right that p <= 0.05; by chance this happens in at most 5% of null runs. "
    "Intervals are Wilson's, and exact if there was none; those over hypotheses treat these as independent, which "
    "hypotheses of one run are only roughly."
)
_COLUMNS = (
    ResultColumn("model", "Model"),
    ResultColumn("what", "Compared"),
    ResultColumn("method", "Method"),
    ResultColumn("runs", "Runs"),
    ResultColumn("same", "Equal responses", "%"),
    ResultColumn("accepted", "Accepted", "%"),
    ResultColumn("confirmed", "Confirmed of those tested", "%"),
    ResultColumn("any_confirmed", "Runs that confirm anything", "%"),
    ResultColumn("told_apart", "Runs whose sides are told apart", "%"),
)


def null_result(runs: Sequence[NullRun], *, command: str, settings: dict[str, Scalar], title: str) -> BenchmarkResult:
    """Makes the table of false alarms per model, comparison and method, and over all of them.

    Args:
        runs: The null runs, at least one.
        command: The command that reproduces the result.
        settings: The settings that affected the result.
        title: The table's headline.
    """
    rows: list[Row] = []
    for model, what in dict.fromkeys((run.model, run.what) for run in runs):
        rows += _rows([run for run in runs if (run.model, run.what) == (model, what)], model, what)
    sampled = [
        run for run in runs if run.what in (SAMPLES, RECORDED)
    ]  # runs with equal texts would only dilute the rates
    if len({(run.model, run.what) for run in sampled}) > 1:
        rows += _rows(sampled, ALL, "all samples")
    several = len({run.what for run in runs}) > 1
    rows = [{"label": _label(row, several), **row} for row in rows]
    return BenchmarkResult(
        kind="null", title=title, command=command, about=ABOUT, rows=tuple(rows), settings=settings, columns=_COLUMNS,
    )  # fmt: skip


def _rows(runs: Sequence[NullRun], model: str, what: str) -> list[Row]:
    """Makes one row per method, and one over all methods if there are several."""
    methods = list(dict.fromkeys(method for run in runs for method in run.methods))
    together = [_row(runs, model, what, None)] if len(methods) > 1 else []
    return [*(_row(runs, model, what, method) for method in methods), *together]


def _row(runs: Sequence[NullRun], model: str, what: str, method: str | None) -> Row:
    of_method = [run for run in runs if method is None or method in run.methods]
    found = [[f for f in run.findings if method in (None, f.hypothesis.method)] for run in of_method]
    proposed = sum(map(len, found))
    tested = sum(
        f.heldout.p is not None for run in found for f in run
    )  # the others were futile after the train prompts
    pairs = sum(run.pairs for run in of_method)
    told_apart = [run.told_apart for run in of_method if run.told_apart is not None]
    return {
        "model": model,
        "what": what,
        "method": method or "all methods",
        "runs": len(of_method),
        **estimate_cells("same", metrics.wilson(sum(run.same for run in of_method), pairs)),
        **estimate_cells("accepted", rate(sum(f.accepted for run in found for f in run), proposed)),
        **estimate_cells("confirmed", rate(sum(f.confirmed for run in found for f in run), tested)),
        **estimate_cells("any_confirmed", rate(sum(any(f.confirmed for f in run) for run in found), len(found))),
        **estimate_cells("told_apart", rate(sum(told_apart), len(told_apart))),
    }


def _label(row: Row, several: bool) -> str:
    """Returns the label of a row in a chart."""
    return f"{row['model']}, {row['what']}" if several and row["model"] != ALL else str(row["model"])


def rate(k: int, n: int) -> Estimate:
    """Estimates the share k / n with a 95% interval: Wilson's, or Clopper and Pearson's exact one if k is 0.

    Args:
        k: The number of successes among the n observations.
        n: The number of observations.
    """
    if k or not n:
        return metrics.wilson(k, n)
    from scipy.stats import binomtest

    exact = binomtest(0, n).proportion_ci(confidence_level=0.95, method="exact")
    return Estimate(value=0.0, low=0.0, high=float(exact.high), n=n)
