"""Turns the rows of simulated scopes into results with explanations."""

from collections.abc import Mapping, Sequence

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.scopes.scoped_hypotheses import MOST
from diffing.types import OnProgress, Row, ignore_progress
from tests.benchmarks.simulation.scope_worlds import DOMAINS, HYPOTHESES
from tests.benchmarks.simulation.scopes import SCREEN_P, scope_rows

_FALSE = f"""Simulated runs of {HYPOTHESES} hypotheses and 110 conditions on prompts ({DOMAINS} domains, words in the
names of several domains, words and forms), in which no scope is true, tested by the functions that test real runs. A
hypothesis is tested over all prompts if its two-sided p on train is at most {SCREEN_P:g}; up to {MOST} more are tested
inside a condition that train suggests. Correlated hypotheses decide the same prompts alike (a Gaussian copula); half
mirrored: every second one says the opposite.

Nothing: verdicts for both sides are equally likely everywhere. Frequency by domain: the same, but each hypothesis is
decided three times as often in one domain. Shuffled: 20 hypotheses hold in one domain each, but the conditions are
those of other prompts. Everywhere: 20 hypotheses hold on all prompts alike.

False: where nothing holds, the share of runs that confirm anything, which is the false discovery rate; otherwise the
share of the confirmed hypotheses that do not hold, over all prompts or within a scope. Runs with a scope: the share of
runs in which a hypothesis that is confirmed over all prompts gets a confirmed scope; all of these scopes are false.
Scoped: of the hypotheses confirmed over all prompts, the share that gets one."""
_POWER = f"""Simulated runs of {HYPOTHESES} hypotheses, of which six hold in one of {DOMAINS} domains each and nowhere
else. Strength: the share of the prompts of that domain on which the verdict is for the side. All other verdicts are for
a random side, on a share of the prompts (Elsewhere). Tests and conditions are as for false scopes.

Before: of the six, the share that tests over all prompts confirm if no scopes are tested. Power: the share that is
confirmed, over all prompts or within a scope. Named: the share whose confirmed scope is exactly the domain. Wrong: of
all confirmed scopes, the share that is any other one."""


def scope_results(
    runs: int, *, seed: int, command: str, on_progress: OnProgress = ignore_progress
) -> Mapping[str, BenchmarkResult]:
    """Simulates runs with conditions on prompts.

    Args:
        runs: Simulated runs per row.
        seed: The seed of all draws.
        command: The command that reproduces the results.
        on_progress: Called after every row.

    Returns:
        Results by the name of their file.
    """
    false, power = scope_rows(runs, seed, on_progress)

    def result(title: str, about: str, rows: Sequence[Row], columns: Sequence[ResultColumn]) -> BenchmarkResult:
        return BenchmarkResult(
            kind="statistics",
            title=title,
            command=command,
            about=about.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n"),
            rows=tuple(rows),
            settings={"runs": runs, "seed": seed},
            columns=tuple(columns),
        )

    prompts = (ResultColumn("train", "Train"), ResultColumn("heldout", "Held-out"))
    return {
        "statistics-scopes": result(
            "False scopes",
            _FALSE,
            false,
            (
                ResultColumn("world", "Holds"),
                ResultColumn("frequency", "Decided", "%"),
                ResultColumn("correlation", "Correlation"),
                *prompts,
                ResultColumn("false", "False", "%"),
                ResultColumn("scoped_runs", "Runs with a scope", "%"),
                ResultColumn("scoped", "Scoped", "%"),
            ),
        ),
        "statistics-scopes-power": result(
            "Differences in one domain that are found",
            _POWER,
            power,
            (
                ResultColumn("strength", "Strength", "%"),
                ResultColumn("frequency", "Elsewhere", "%"),
                *prompts,
                ResultColumn("before", "Before", "%"),
                ResultColumn("power", "Power", "%"),
                ResultColumn("named", "Named", "%"),
                ResultColumn("wrong", "Wrong", "%"),
            ),
        ),
    }
