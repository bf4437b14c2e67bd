"""Runs all simulations of verdicts and turns their rows into results with explanations."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.types import OnProgress, Row, Scalar, ignore_progress
from tests.benchmarks.simulation.conditional import CONDITIONS, conditional_rows
from tests.benchmarks.simulation.coverage import coverage_rows
from tests.benchmarks.simulation.described import RECALL, described_rows
from tests.benchmarks.simulation.equivalence import equivalence_results
from tests.benchmarks.simulation.mixes import mix_rows
from tests.benchmarks.simulation.nulls import null_rows
from tests.benchmarks.simulation.scope_results import scope_results
from tests.benchmarks.simulation.worlds import ERRORS, FIRST_PLACE

DRAWS = 5
"""Draws for the coverage of one interval, for each run of the other parts: they are cheap."""

_NULLS = f"""Simulated runs in which no hypothesis holds, tested by the functions that test real runs. A false
confirmation is a run that confirms anything; as nothing holds, this is the false discovery rate, which must be at
most 5 %. Train has twice as many prompts as are held out. Correlated hypotheses decide the same prompts alike (a
Gaussian copula); half mirrored: every second one says the opposite. The judge "first place" answers the response
shown first in {FIRST_PLACE:.0%} of its questions, whatever they say; "errs" draws {ERRORS:.0%} of its verdicts at
random.

Accepted is the criterion of the papers on train, where everything is judged: the share of these hypotheses, none of
which holds, that it accepts. It is no test, and not what confirms a finding."""
_COVERAGE = """How often the 95 % intervals of one hypothesis hold the truth: 93 to 97 % is the aim. Intervals for
shares rest on whole numbers, so where fewer than about 8 verdicts are expected to be decided (of an accuracy: for the
rarer side) no interval can be that exact: there the one of the net difference covers more, never less, and Wilson's
for shares scatters."""
_PLANNED = """How often the 95 % interval of the net difference holds the truth in whole runs of 60 hypotheses. With
thrift, the number of held-out prompts is planned from train alone, so intervals keep their coverage for all that
is tested. Among what held-out prompts confirmed it is lower where everything is judged, since the same
verdicts chose them; with thrift most of the choosing is done by train."""
_THRIFT = """Simulated runs in which some hypotheses hold, judged in full and with thrift on the same data. Typical:
60 % of the hypotheses are null, 20 % have a true net difference of 0 to 1 points, 20 % are real (decided on 5 to 90 %
of the prompts, 65 to 100 % of these for the predicted side). Many small: 40 % null, 40 % from 0 to 5 points. Half
real: 40 % null, 10 % tiny.

Kept: of the true hypotheses that full judging confirms, the share that thrift confirms too; of all: its false alarms
among them. Number: confirmed with thrift for each one confirmed in full; it can exceed 100 %, since fewer hypotheses
are tested and the correction is milder. Saved: questions to the judge, ten hypotheses each, that are not asked.
False: the false discovery rate. Power: confirmed of the hypotheses with a true net difference of at least 5 points."""

_CONDITIONAL = f"""Simulated runs of 60 hypotheses of which none holds where it is said to hold; half or all of them
have a condition, out of {CONDITIONS} of a run. Applies: the share of prompts that meet a condition; Decided: the
share of these on which a hypothesis has a verdict. Which prompts meet a condition is decided beforehand from the
prompts, in some kinds wrongly or in a form that cannot be read; outside there is no verdict. All tests of a run,
overall and conditional, are one family. A false confirmation is a run that confirms anything.

Outside holds: each conditional hypothesis holds for the prompts that do not meet its condition (accuracy 0.9), and
for no others. With conditions decided right, nothing is confirmed that should not be. In the last row 15 % of the
decisions are wrong, so prompts from outside are counted in: what is confirmed then is true of the prompts that were
counted in, and the condition describes them badly. It is the only kind above 5 %, and no test on verdicts can do
better: 29 % of the prompts counted in are from outside, so 62 % of the verdicts are for the predicted side, exactly as
if a hypothesis held under its condition with that accuracy. Whatever confirms the former in at most 5 % of runs also
confirms the latter, which is true, in at most 5 %."""
_DESCRIBED = f"""Simulated runs in which the train verdicts come from descriptions, which mention {RECALL[0]:.0%} to
{RECALL[1]:.0%} of the pairs that show a behaviour (drawn for each hypothesis), so that only held-out prompts are
judged, and by which hypotheses are weighed in their joint test. Mixes as for thrift, and runs in which nothing holds.

Dropped: of the true hypotheses that judging everything on both splits confirms, the share that is not tested; of all:
its false alarms among them. Kept: of these true hypotheses, the share that is confirmed. Number: true hypotheses
confirmed for each one that judging everything confirms. Saved: of the questions of judging everything, those not
asked. False: the false discovery rate."""


Part: TypeAlias = Literal["verdicts", "scopes", "equivalence"]
"""A part of the benchmark: hypotheses as a judge tests them, scopes of differences, or differences below a limit."""


def statistics(
    runs: int, *, seed: int = 0, only: Part | None = None, on_progress: OnProgress = ignore_progress
) -> Mapping[str, BenchmarkResult]:
    """Simulates everything, or one part.

    Args:
        runs: Simulated runs per row.
        seed: Of all draws.
        only: The part; None for all.
        on_progress: Called after every row.

    Returns:
        Results by the name of their file.
    """
    command = f"python -m tests.benchmarks.statistics --runs {runs} --seed {seed}"
    if only == "scopes":
        return scope_results(runs, seed=seed, command=f"{command} --only scopes", on_progress=on_progress)
    if only == "equivalence":
        return equivalence_results(runs, seed=seed, command=f"{command} --only equivalence", on_progress=on_progress)
    if only == "verdicts":
        return _verdicts(runs, seed, f"{command} --only verdicts", on_progress)
    every = dict(_verdicts(runs, seed, command, on_progress))
    every |= dict(scope_results(runs, seed=seed, command=command, on_progress=on_progress))
    return every | equivalence_results(runs, seed=seed, command=command, on_progress=on_progress)


def _verdicts(runs: int, seed: int, command: str, on_progress: OnProgress) -> Mapping[str, BenchmarkResult]:
    """Simulates hypotheses as a judge tests them."""
    nulls = null_rows(runs, seed, on_progress)
    mixes, planned = mix_rows(runs, seed, on_progress)
    covered = coverage_rows(DRAWS * runs, seed, on_progress)
    scoped = conditional_rows(runs, seed, on_progress)
    described = described_rows(runs, seed, on_progress)
    return results_of(nulls, covered, planned, mixes, scoped, described, {"runs": runs, "seed": seed}, command)


def results_of(
    nulls: Sequence[Row],
    covered: Sequence[Row],
    planned: Sequence[Row],
    mixes: Sequence[Row],
    scoped: Sequence[Row],
    described: Sequence[Row],
    settings: Mapping[str, Scalar],
    command: str,
) -> Mapping[str, BenchmarkResult]:
    """The rows with the words that explain them.

    Args:
        nulls: Of `null_rows`.
        covered: Of `coverage_rows`.
        planned: Of `mix_rows`, the second.
        mixes: Of `mix_rows`, the first.
        scoped: Of `conditional_rows`.
        described: Of `described_rows`.
        settings: What decided them.
        command: The command that reproduces them.
    """

    def result(title: str, about: str, rows: Sequence[Row], columns: Sequence[ResultColumn]) -> BenchmarkResult:
        return BenchmarkResult(
            kind="statistics",
            title=title,
            command=command,
            about=about.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n"),
            rows=tuple(rows),
            settings=settings,
            columns=tuple(columns),
        )

    prompts = (ResultColumn("train", "Train"), ResultColumn("heldout", "Held-out"))
    share = ResultColumn("coverage", "Coverage", "%")
    rules = {
        "false_full": "False confirmations, full",
        "false_thrift": "False confirmations, thrift",
        "accepted": "Accepted by the papers' rule",
    }
    return {
        "statistics-nulls": result(
            "False confirmations where nothing holds",
            _NULLS,
            [{"shape": _null_shape(row), **row} for row in nulls],
            (
                ResultColumn("judge", "Judge"),
                ResultColumn("hypotheses", "Hypotheses"),
                ResultColumn("correlation", "Correlation"),
                ResultColumn("frequency", "Decided", "%"),
                *prompts,
                *(ResultColumn(name, heading, "%") for name, heading in rules.items()),
            ),
        ),
        "statistics-coverage": result(
            "Coverage of the 95 % intervals",
            _COVERAGE,
            [{"shape": f"{row['estimate']}, {row['heldout']} held-out", **row} for row in covered],
            (
                ResultColumn("estimate", "Interval of"),
                ResultColumn("frequency", "Decided", "%"),
                ResultColumn("accuracy", "Accuracy", "%"),
                ResultColumn("heldout", "Held-out"),
                ResultColumn("decided", "Decided verdicts expected"),
                share,
            ),
        ),
        "statistics-coverage-planned": result(
            "Coverage in runs of many hypotheses",
            _PLANNED,
            [{"shape": f"{row['mix']}, {row['heldout']} held-out", **row} for row in planned],
            (ResultColumn("mix", "Mix"), ResultColumn("heldout", "Held-out"), ResultColumn("of", "Of those"), share),
        ),
        "statistics-thrift": result(
            "What thrift keeps and saves",
            _THRIFT,
            [{"shape": _mix_shape(row), **row} for row in mixes],
            (
                *(ResultColumn(name, name.capitalize()) for name in ("mix", "judge", "hypotheses")),
                *prompts,
                ResultColumn("kept", "Kept", "%"),
                ResultColumn("kept_all", "Kept of all", "%"),
                ResultColumn("number", "Number", "%"),
                ResultColumn("saved", "Questions saved", "%"),
                *(ResultColumn(f"false_{name}", f"False, {name}", "%") for name in ("full", "thrift")),
                *(ResultColumn(f"power_{name}", f"Power, {name}", "%") for name in ("full", "thrift")),
            ),
        ),
        "statistics-conditional": result(
            "False confirmations where hypotheses have conditions",
            _CONDITIONAL,
            scoped,
            (
                ResultColumn("conditional", "With a condition", "%"),
                ResultColumn("applies", "Applies", "%"),
                ResultColumn("frequency", "Decided", "%"),
                ResultColumn("scopes", "Conditions decided"),
                ResultColumn("outside", "Outside"),
                ResultColumn("correlation", "Correlation"),
                ResultColumn("judge", "Judge"),
                *prompts,
                ResultColumn("false_full", "False confirmations, full", "%"),
                ResultColumn("false_thrift", "False confirmations, thrift", "%"),
            ),
        ),
        "statistics-described": result(
            "What is lost if descriptions give the train verdicts",
            _DESCRIBED,
            described,
            (
                ResultColumn("mix", "Mix"),
                ResultColumn("hypotheses", "Hypotheses"),
                *prompts,
                ResultColumn("dropped", "Dropped", "%"),
                ResultColumn("dropped_all", "Dropped of all", "%"),
                ResultColumn("kept", "Kept", "%"),
                ResultColumn("number", "Number", "%"),
                ResultColumn("saved", "Questions saved", "%"),
                ResultColumn("false", "False", "%"),
            ),
        ),
    }


def _null_shape(row: Row) -> str:
    """A null shape in words, but for how often it decides."""
    many = "1 hypothesis" if row["hypotheses"] == 1 else f"{row['hypotheses']} hypotheses"
    correlated = "" if row["correlation"] == "none" else f", correlation {row['correlation']}"
    judge = "" if row["judge"] == "fair" else f", judge: {row['judge']}"
    return f"{many}, {row['heldout']} held-out{correlated}{judge}"


def _mix_shape(row: Row) -> str:
    """A mix in words."""
    judge = "" if row["judge"] == "fair" else f", judge: {row['judge']}"
    return f"{row['mix']}, {row['hypotheses']} hypotheses, {row['train']} train, {row['heldout']} held-out{judge}"
