"""Searches train prompts for the rule that best describes on which of them a difference occurs.

A rule is one condition, two of them joined, or a set of two or three domains. Its gain is how much more likely the
verdicts are if their shares inside and outside differ; its cost grows with the number of rules it was chosen from, so
that a rule found among thousands must gain more than one of a few. Only counts are compared, so the order of prompts
changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb, log
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from diffing.scope import Junction, ScopeRule
from diffing.scopes.conditions import LARGEST_SHARE, LEAST, PromptConditions
from diffing.scopes.verdict_table import MISSING, VerdictTable

LEAST_SCORE = 3.0
"""A rule is proposed if its gain exceeds its cost by more than this."""
FIRST, SECOND = 12, 200
"""How many conditions are joined: each of the best of the first number with each of the best of the second."""
SET_FROM = 20
"""Sets of domains are made of this number of domains, those with the largest gains."""
_IN_PARTS = 4_000_000
"""Hypotheses times conditions that are looked at together, which bounds the memory."""
_Floats: TypeAlias = npt.NDArray[np.float64]
_Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FoundRule:
    """A rule with the reason to propose it."""

    rule: ScopeRule
    """The rule."""
    score: float
    """The gain in log likelihood on train, less the cost of the rule."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Numbers of verdicts: for the side, against it, readable; arrays of one shape, or that broadcast."""

    k_for: _Ints
    k_against: _Ints
    n: _Ints

    def __add__(self, other: "_Counts") -> "_Counts":
        return _Counts(self.k_for + other.k_for, self.k_against + other.k_against, self.n + other.n)

    def __sub__(self, other: "_Counts") -> "_Counts":
        return _Counts(self.k_for - other.k_for, self.k_against - other.k_against, self.n - other.n)

    def at(self, places: int | _Ints) -> "_Counts":
        """The counts at some places of the first axis."""
        return _Counts(*(np.take(each, places, axis=0) for each in (self.k_for, self.k_against, self.n)))

    def summed(self) -> "_Counts":
        """Sums over the last axis."""
        return _Counts(self.k_for.sum(axis=-1), self.k_against.sum(axis=-1), self.n.sum(axis=-1))

    def likelihood(self) -> _Floats:
        """The greatest log likelihood of the verdicts, if each kind has a share of its own."""
        logs = _k_log_k(int(self.n.max(initial=0)).bit_length())
        neither = self.n - self.k_for - self.k_against
        total: _Floats = logs[self.k_for] + logs[self.k_against] + logs[neither] - logs[self.n]
        return total


@lru_cache(32)
def _k_log_k(bits: int) -> _Floats:
    """Returns k ln k for every k with this number of bits; 0 for k = 0."""
    k = np.arange(2**bits, dtype=np.float64)
    return k * np.log(np.maximum(k, 1))


def _gains(inside: _Counts, everywhere: _Counts) -> _Floats:
    """The gain in log likelihood if the shares inside and outside differ."""
    return inside.likelihood() + (everywhere - inside).likelihood() - everywhere.likelihood()


def _allowed(inside: _Counts, everywhere: _Counts) -> npt.NDArray[np.bool_]:
    """Whether scopes divide the prompts as a condition must, and favour the predicted side, more so than outside."""
    outside = everywhere - inside
    net, rest = inside.k_for - inside.k_against, outside.k_for - outside.k_against
    allowed: npt.NDArray[np.bool_] = (inside.n >= LEAST) & (outside.n >= LEAST)
    return allowed & (inside.n <= LARGEST_SHARE * everywhere.n) & (net > 0) & (net * outside.n > rest * inside.n)


@dataclass(frozen=True, slots=True)
class _Searched:
    """One hypothesis, with what single conditions gain."""

    values: npt.NDArray[np.int8]
    """Its verdicts on train prompts."""
    inside: _Counts
    """Its counts inside each condition."""
    everywhere: _Counts
    """Its counts on all train prompts."""
    gains: _Floats
    """What each condition gains, in either direction."""
    allowed: npt.NDArray[np.bool_]
    """Whether each condition is allowed as a scope."""


def best_conditions(table: VerdictTable, conditions: PromptConditions) -> list[FoundRule | None]:
    """Finds for each hypothesis the best single condition; None if no condition scores enough.

    Args:
        table: The verdicts on train prompts; shape (hypotheses, train prompts).
        conditions: The conditions, found on the same train prompts.
    """
    found: list[FoundRule | None] = []
    for one in _searched(table, conditions):
        best = _best_single(one, conditions)
        found.append(best if best is not None and best.score > LEAST_SCORE else None)
    return found


def best_rules(table: VerdictTable, conditions: PromptConditions) -> list[FoundRule | None]:
    """Finds for each hypothesis the best rule; None if no rule scores enough.

    Args:
        table: The verdicts on train prompts; shape (hypotheses, train prompts).
        conditions: The conditions, found on the same train prompts.
    """
    found: list[FoundRule | None] = []
    for one in _searched(table, conditions):
        candidates = (_best_single(one, conditions), _best_set(one, conditions), _best_pair(one, conditions))
        # of equal scores the simpler rule
        best = max((each for each in candidates if each is not None), key=lambda each: each.score, default=None)
        found.append(best if best is not None and best.score > LEAST_SCORE else None)
    return found


def _searched(table: VerdictTable, conditions: PromptConditions) -> Iterator[_Searched]:
    """Counts the verdicts on each hypothesis inside every condition, for some hypotheses at a time."""
    step = max(1, _IN_PARTS // max(1, len(conditions.terms)))
    for start in range(0, len(table.values), step):
        values = table.values[start : start + step]
        kinds = [kind.astype(np.float32) for kind in (values == 1, values == -1, values < MISSING)]
        inside = _Counts(*((kind @ conditions.met_on_train).astype(np.int64) for kind in kinds))
        everywhere = _Counts(*(kind.sum(axis=1, dtype=np.int64)[:, None] for kind in map(np.asarray, kinds)))
        gains, allowed = _gains(inside, everywhere), _allowed(inside, everywhere)
        for row in range(len(values)):
            yield _Searched(values[row], inside.at(row), everywhere.at(row), gains[row], allowed[row])


def _best_single(one: _Searched, conditions: PromptConditions) -> FoundRule | None:
    if not one.allowed.any():
        return None
    scores = np.where(one.allowed, one.gains - conditions.costs, -np.inf)
    place = int(scores.argmax())
    return FoundRule(ScopeRule((conditions.terms[place],)), float(scores[place]))


def _best_set(one: _Searched, conditions: PromptConditions) -> FoundRule | None:
    """The best set of two or three domains; no prompt is in two, so counts add up."""
    domains = conditions.domains
    ranked = domains[np.argsort(-one.gains[domains], kind="stable")]
    net = one.inside.k_for - one.inside.k_against
    chosen = np.sort(ranked[net[ranked] > 0][:SET_FROM])
    best: FoundRule | None = None
    for size in (2, 3):
        sets = chosen[_sets(len(chosen), size)]
        inside = one.inside.at(sets).summed()
        cost = log(comb(len(domains), size)) + log(2) if len(domains) >= size else 0.0
        scores = np.where(_allowed(inside, one.everywhere), _gains(inside, one.everywhere) - cost, -np.inf)
        if len(scores) and scores.max() > (best.score if best else -np.inf):
            terms = tuple(conditions.terms[place] for place in sets[scores.argmax()])
            best = FoundRule(ScopeRule(terms, "or"), float(scores.max()))
    return best


@lru_cache(64)
def _sets(number: int, size: int) -> _Ints:
    """All sets of a size of the numbers below one; shape (sets, size)."""
    return np.array(list(combinations(range(number), size)), dtype=np.int64).reshape(-1, size)


_JUNCTIONS: tuple[Junction, ...] = ("and", "or", "without")


def _best_pair(one: _Searched, conditions: PromptConditions) -> FoundRule | None:
    """The best rule that joins one of the best conditions with another."""
    scores = one.gains - conditions.costs
    order = np.argsort(-scores, kind="stable")
    first, second = order[one.allowed[order]][:FIRST], order[:SECOND]
    if not len(first):
        return None
    a, b = one.inside.at(first[:, None]), one.inside.at(second[None, :])
    both = _inside_both(one.values, conditions.dense(first), conditions.dense(second))
    cost = conditions.costs[first][:, None] + conditions.costs[second][None, :] + log(3)
    best: FoundRule | None = None
    for junction, inside in zip(_JUNCTIONS, (both, a + b - both, a - both), strict=True):
        joined = np.where(_allowed(inside, one.everywhere), _gains(inside, one.everywhere) - cost, -np.inf)
        if joined.max() > (best.score if best else -np.inf):
            row, column = np.unravel_index(joined.argmax(), joined.shape)
            places = (int(first[row]), int(second[column]))
            terms = tuple(conditions.terms[each] for each in (places if junction == "without" else sorted(places)))
            best = FoundRule(ScopeRule(terms, junction), float(joined.max()))
    return best


def _inside_both(
    values: npt.NDArray[np.int8], first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
) -> _Counts:
    """Counts the verdicts on prompts that meet two conditions; arrays of 0 and 1, shape (prompts, conditions)."""
    kinds = (values == 1, values == -1, values < MISSING)
    return _Counts(*((first[kind].T @ second[kind]).astype(np.int64) for kind in kinds))
