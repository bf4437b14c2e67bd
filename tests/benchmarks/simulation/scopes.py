"""Measures how often scopes are falsely confirmed, and how often true ones are found, with the package's own search."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffing import metrics
from diffing.bench.results import estimate_cells
from diffing.estimates import Estimate
from diffing.scope import ScopeRule, Term
from diffing.scopes.conditions import PromptConditions
from diffing.scopes.exact_tests import p_differs
from diffing.scopes.rule_search import best_rules
from diffing.scopes.scoped_hypotheses import promising
from diffing.scopes.verdict_table import VerdictTable
from diffing.types import OnProgress, Row, ignore_progress
from tests.benchmarks.simulation.counting import ratio
from tests.benchmarks.simulation.rules import sign_test
from tests.benchmarks.simulation.scope_worlds import ScopeRun, ScopeShape, domain_name, draw_run
from tests.benchmarks.simulation.shapes import with_generators
from tests.benchmarks.simulation.worlds import Correlation, Sizes

SCREEN_P = 0.1
"""The largest two-sided p on train of a hypothesis that is tested over all prompts, as in the lexical method."""
SMALL, MIDDLE, LARGE = Sizes(200, 100), Sizes(500, 250), Sizes(1000, 500)


@dataclass(frozen=True, slots=True)
class Found:
    """What a run says of one difference."""

    hypothesis: int
    """The hypothesis of the simulated run."""
    mirrored: bool
    """Whether the other side is predicted."""
    overall: bool
    """Whether it is confirmed over all prompts, and not only within the scope."""
    rule: ScopeRule | None
    """The scope that is confirmed, if any."""


def confirmed_in(run: ScopeRun) -> list[Found]:
    """Tests a run as the lexical method and `diffing.evaluation` do.

    A hypothesis is tested over all prompts for the side that leads on train, if its two-sided p there passes the
    screening. Every hypothesis, for either side, may be tested inside a condition.

    Args:
        run: The data.
    """
    conditions = run.conditions
    both = VerdictTable(np.concatenate([run.verdicts, -run.verdicts]))
    train, number = both.at(conditions.train), len(run.verdicts)
    leads = train.values.sum(axis=1) >= 0
    leads[number:] &= ~leads[:number]
    chosen = leads & (2 * np.array([_sign_p(row) for row in train.values]) <= SCREEN_P)
    scoped = promising(train, chosen.tolist(), [str(row % number) for row in range(2 * number)], conditions)
    overall = np.flatnonzero(chosen)
    heldout = ~conditions.train
    counts = [both.counts(int(row), heldout) for row in overall]
    ps = [sign_test(each.k_for, each.k_against) for each in counts]
    ps += [scope_p(both, each.row, each.rule, conditions) for each in scoped]
    passed = np.array(metrics.benjamini_hochberg(ps)) <= metrics.FALSE_DISCOVERY_RATE
    rows = overall[passed[: len(overall)]].tolist()
    alone = {each.row: each.rule for each, ok in zip(scoped, passed[len(overall) :], strict=True) if ok}
    rules = {**alone, **_concentrations(both, rows, alone, conditions)}
    return [Found(row % number, row >= number, row in rows, rule) for row, rule in rules.items()]


def scope_p(table: VerdictTable, row: int, rule: ScopeRule, conditions: PromptConditions) -> float:
    """The larger p of both tests of a scope on held-out prompts."""
    inside = table.counts(row, conditions.inside(rule) & ~conditions.train)
    differs = p_differs(inside, table.counts(row, ~conditions.train))
    return max(sign_test(inside.k_for, inside.k_against), differs)


def _concentrations(
    table: VerdictTable, rows: Sequence[int], twins: Mapping[int, ScopeRule], conditions: PromptConditions
) -> dict[int, ScopeRule | None]:
    """The scopes confirmed for confirmed hypotheses; None where there is none."""
    found = best_rules(VerdictTable(table.values[rows][:, conditions.train]), conditions)
    tested = [(row, best.rule) for row, best in zip(rows, found, strict=True) if best is not None]
    tested += [(row, rule) for row, rule in twins.items() if row in rows and (row, rule) not in tested]
    qs = metrics.benjamini_hochberg([scope_p(table, row, rule, conditions) for row, rule in tested])
    kept = {row: rule for (row, rule), q in zip(tested, qs, strict=True) if q <= metrics.FALSE_DISCOVERY_RATE}
    return {row: kept.get(row) for row in rows}


def false_shapes() -> Iterator[ScopeShape]:
    """Runs in which nothing holds, and runs in which differences hold but no scope is true."""
    for sizes in (SMALL, MIDDLE):
        yield from (ScopeShape("nothing", sizes, frequency) for frequency in (0.05, 0.2, 0.6))
        yield ScopeShape("frequency by domain", sizes, 0.2)
        for correlation in (Correlation(0.9), Correlation(0.9, mirrored=True)):
            yield from (ScopeShape("nothing", sizes, frequency, correlation) for frequency in (0.1, 0.5))
    yield ScopeShape("shuffled", MIDDLE, 0.4, real=20, strength=0.8)
    yield from (ScopeShape("everywhere", sizes, 0.2, real=20) for sizes in (Sizes(100, 200), MIDDLE, LARGE))


def power_shapes() -> Iterator[ScopeShape]:
    """Runs in which some differences live in one domain of ten."""
    yield ScopeShape("one domain", MIDDLE, 0.4, real=6, strength=0.6)
    yield ScopeShape("one domain", SMALL, 0.4, real=6, strength=1.0)
    yield ScopeShape("one domain", LARGE, 0.4, real=6, strength=0.3)
    yield ScopeShape("one domain", SMALL, 0.0, real=6, strength=0.6)


def false_row(shape: ScopeShape, runs: int, rng: np.random.Generator) -> Row:
    """Measures false confirmations in runs of one kind.

    Args:
        shape: The kind of run, in which no scope is true.
        runs: How many runs.
        rng: The generator.

    Returns:
        `false`: if nothing holds, the share of runs that confirm anything; else the share of the confirmed hypotheses
        that do not hold. `scoped_runs`: the share of runs in which a hypothesis that is confirmed over all prompts
        gets a scope; `scoped`: of these hypotheses the share that gets one.
    """
    scoped_runs = 0
    false: list[float] = []
    scoped: list[float] = []
    confirmed: list[float] = []
    over_all: list[float] = []
    for _ in range(runs):
        run = draw_run(shape, rng)
        found = confirmed_in(run)
        overall = [each for each in found if each.overall]
        with_scope = [each for each in overall if each.rule is not None]
        false.append(sum(each.mirrored or not run.holds[each.hypothesis] for each in found))
        scoped_runs += bool(with_scope)
        scoped.append(len(with_scope))
        confirmed.append(len(found))
        over_all.append(len(overall))
    any_false = metrics.wilson(sum(map(bool, false)), runs)
    return {
        **_told(shape),
        **estimate_cells("false", ratio(false, confirmed) if shape.real else any_false),
        **estimate_cells("scoped_runs", metrics.wilson(scoped_runs, runs)),
        **estimate_cells("scoped", ratio(scoped, over_all)),
    }


def power_row(shape: ScopeShape, runs: int, rng: np.random.Generator) -> Row:
    """Measures how often differences that live in one domain are found, and named.

    Args:
        shape: The kind of run.
        runs: How many runs.
        rng: The generator.

    Returns:
        `before`: of the real differences the share confirmed by the tests over all prompts alone; `power`: confirmed,
        over all prompts or in a scope; `named`: confirmed in exactly their domain; `wrong`: of the scopes confirmed,
        the share that is another one or belongs to a difference that does not hold.
    """
    before, found, named = [], [], []
    wrong: list[float] = []
    scopes: list[float] = []
    for _ in range(runs):
        run = draw_run(shape, rng)
        confirmed = {each.hypothesis: each for each in confirmed_in(run) if not each.mirrored}
        with_scope = [each for each in confirmed.values() if each.rule is not None]
        exact = sum(each.rule == _rule_of(run, each.hypothesis) for each in with_scope)
        before.append(_overall(run)[: shape.real].sum())
        found.append(sum(each < shape.real for each in confirmed))
        named.append(exact)
        wrong.append(len(with_scope) - exact)
        scopes.append(len(with_scope))
    real = [shape.real] * runs

    def share(parts: Sequence[float]) -> Estimate:
        return ratio(parts, real)

    return {
        **_told(shape),
        **estimate_cells("before", share(before)),
        **estimate_cells("power", share(found)),
        **estimate_cells("named", share(named)),
        **estimate_cells("wrong", ratio(wrong, scopes)),
    }


def _overall(run: ScopeRun) -> NDArray[np.bool_]:
    """Which hypotheses the tests over all prompts would confirm if nothing else were tested."""
    on_train = [_sign_p(row) for row in run.verdicts[:, run.conditions.train]]
    opposite = [_sign_p(-row) for row in run.verdicts[:, run.conditions.train]]
    heldout = run.verdicts[:, ~run.conditions.train]
    ps = {
        place: _sign_p(heldout[place] if p <= other else -heldout[place])
        for place, (p, other) in enumerate(zip(on_train, opposite, strict=True))
        if 2 * min(p, other) <= SCREEN_P
    }
    qs = dict(zip(ps, metrics.benjamini_hochberg(list(ps.values())), strict=True))
    passed = [qs.get(place, 1.0) <= metrics.FALSE_DISCOVERY_RATE for place in range(len(run.verdicts))]
    return np.array(passed) & (np.array(on_train) <= np.array(opposite))


def _sign_p(verdicts: NDArray[np.int8]) -> float:
    return sign_test(int((verdicts == 1).sum()), int((verdicts == -1).sum()))


def _rule_of(run: ScopeRun, hypothesis: int) -> ScopeRule | None:
    place = int(run.domain_of[hypothesis])
    return ScopeRule((Term("domain", domain_name(place)),)) if place >= 0 else None


def _told(shape: ScopeShape) -> Row:
    return {
        "world": shape.world,
        "real": shape.real,
        "strength": shape.strength if shape.world in ("one domain", "shuffled") else None,
        "frequency": shape.frequency,
        "correlation": shape.correlation.in_words,
        "train": shape.sizes.train,
        "heldout": shape.sizes.heldout,
    }


def scope_rows(
    runs: int, seed: int, on_progress: OnProgress = ignore_progress
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Makes the rows of all shapes: those in which no scope is true, and those that show what is found.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    false = with_generators("scopes", false_shapes(), (seed, 5000), on_progress)
    power = with_generators("power of scopes", power_shapes(), (seed, 6000), on_progress)
    return (
        tuple(false_row(shape, runs, rng) for shape, rng in false),
        tuple(power_row(shape, runs, rng) for shape, rng in power),
    )
