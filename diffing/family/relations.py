"""`Family`: the distances of several models, their tree, and the differences that separate whole groups of them.

The distance of two models is how much better than by guessing their responses are told apart on held-out prompts. A
difference separates two groups if it is confirmed, in the same direction, in every pair with one model of each group:
its probability of being wrong is at most that of the least certain of these pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TypeAlias

from diffing.errors import SettingError
from diffing.estimates import Estimate
from diffing.family.family_names import distinct_names
from diffing.report.index import index_of
from diffing.types import Hypothesis, ModelInfo, Report

FEWEST, MOST = 2, 12
"""How many models can be compared with each other: 12 have 66 pairs."""
_Key: TypeAlias = tuple[str, str]
"""What identifies a difference in different pairs: its text, and the words of its scope."""


@dataclass(frozen=True, slots=True)
class PairResult:
    """Two models of a family. Models are numbered from 0 in the order in which they were given."""

    first: int
    """The number of the report's model A."""
    second: int
    """The number of the report's model B, which is larger."""
    told_apart: Estimate
    """The share of held-out pairs whose responses are told apart; 0.5 is guessing."""
    p: float
    """The one-sided p-value of this share against guessing."""
    report: Report
    """The comparison of the two."""

    @property
    def distance(self) -> float:
        """0 if the two are not told apart better than by guessing, 1 if always."""
        return max(0.0, 2 * (self.told_apart.value or 0.5) - 1)

    @property
    def confirmed(self) -> int:
        """The number of confirmed differences between the two."""
        return len(index_of(self.report).differences)


@dataclass(frozen=True, slots=True)
class Separation:
    """A difference that is confirmed in every pair with one model of each of two groups."""

    hypothesis: Hypothesis
    """It as one of the pairs has it: `<MODEL>` stands for each model of `more`, `<OTHER MODEL>` for the others."""
    scope: str
    """The condition on prompts in words; empty if it is about all prompts."""
    more: tuple[int, ...]
    """The models that show it more."""
    less: tuple[int, ...]
    """The models that show it less."""
    least: Estimate
    """Its net difference in the pair in which the lower end of the interval is lowest."""


@dataclass(frozen=True, slots=True)
class FamilyFork:
    """A fork of the tree: two groups of models, and what separates them."""

    left: tuple[int, ...]
    """The models on one side, in the order of the tree."""
    right: tuple[int, ...]
    """The models on the other side."""
    height: float
    """The average distance between the two groups."""
    separations: tuple[Separation, ...]
    """What separates them, the largest first."""


@dataclass(frozen=True, slots=True)
class Family:
    """Several models, compared with each other."""

    names: tuple[str, ...]
    """Their short names, which all differ, in the order in which they were given."""
    models: tuple[ModelInfo, ...]
    """The models."""
    pairs: tuple[PairResult, ...]
    """All pairs, ordered by the first and then by the second model."""
    branches: tuple[FamilyFork, ...]
    """The forks of the tree from the closest groups up to the root (average linkage, UPGMA)."""
    order: tuple[int, ...]
    """The models in the order of the tree, in which neighbours are as close as the tree allows."""
    unique: tuple[tuple[Separation, ...], ...]
    """For each model, what separates it from all others; empty tuples for two models."""
    notes: tuple[str, ...]
    """What a reader must know, in full sentences."""

    def pair(self, one: int, other: int) -> PairResult:
        """The pair of two different models."""
        wanted = (min(one, other), max(one, other))
        return next(pair for pair in self.pairs if (pair.first, pair.second) == wanted)

    @property
    def triples_in_order(self) -> tuple[int, int]:
        """How well the order given fits: in how many of all triples the outer two are the farthest apart, and all."""
        triples = list(combinations(range(len(self.names)), 3))
        fitting = sum(
            self.pair(a, c).distance >= max(self.pair(a, b).distance, self.pair(b, c).distance) for a, b, c in triples
        )
        return fitting, len(triples)


def family_of(reports: Mapping[tuple[int, int], Report]) -> Family:
    """Puts the comparisons of all pairs of several models together.

    Args:
        reports: For each pair of models, by their numbers from 0 and the smaller first, the report in which the first
            one is model A.

    Raises:
        SettingError: There are too few prompts to tell the models apart.
    """
    number = 1 + max(second for _, second in reports)
    expected = list(combinations(range(number), 2))
    assert sorted(reports) == expected, "one report for each pair"
    pairs = tuple(_pair(first, second, reports[first, second]) for first, second in expected)
    models = (reports[0, 1].model_a, *(reports[0, other].model_b for other in range(1, number)))
    shown = [_confirmed(pair) for pair in pairs]
    branches, order = _tree(pairs, shown, number)
    others = [tuple(other for other in range(number) if other != one) for one in range(number)]
    alone = number > FEWEST
    return Family(
        names=distinct_names(models),
        models=models,
        pairs=pairs,
        branches=branches,
        order=order,
        unique=tuple(_separations(shown, (one,), others[one]) if alone else () for one in range(number)),
        notes=_notes(pairs),
    )


def _pair(first: int, second: int, report: Report) -> PairResult:
    coverage = report.coverage
    if coverage is None or coverage.everything.value is None:
        raise SettingError(
            "With so few prompts it cannot be said how far apart the models are: expected at least 10 train prompts "
            "and one held-out prompt that both models answered. Give more prompts"
        )
    return PairResult(first, second, coverage.everything, coverage.p, report)


_Shown: TypeAlias = Mapping[_Key, tuple[int, Estimate, Hypothesis]]
"""The confirmed differences of one pair: the model that shows each more, the net difference, and the hypothesis."""


def _confirmed(pair: PairResult) -> tuple[PairResult, _Shown]:
    found: dict[_Key, tuple[int, Estimate, Hypothesis]] = {}
    for finding in index_of(pair.report).confirmed:
        hypothesis = finding.hypothesis
        more = pair.first if hypothesis.direction == "a" else pair.second
        key = (hypothesis.text, hypothesis.scope.words if hypothesis.scope else "")
        found.setdefault(key, (more, finding.heldout.net_difference, hypothesis))
    return pair, found


def _separations(
    shown: Sequence[tuple[PairResult, _Shown]], left: Sequence[int], right: Sequence[int]
) -> tuple[Separation, ...]:
    """The differences that separate two groups of models, the largest first."""
    between = [
        each for pair, each in shown if {pair.first, pair.second} & {*left} and {pair.first, pair.second} & {*right}
    ]
    found = []
    for key in set.intersection(*(set(each) for each in between)):
        sides = {each[key][0] in left for each in between}
        if len(sides) == 1:
            more, less = (left, right) if sides.pop() else (right, left)
            least = min((each[key][1] for each in between), key=lambda net: net.low if net.low is not None else -1.0)
            hypothesis, scope = between[0][key][2], key[1]
            found.append(Separation(hypothesis, scope, tuple(more), tuple(less), least))
    return tuple(sorted(found, key=lambda each: (-(each.least.low or 0.0), each.hypothesis.text, each.scope)))


def _tree(
    pairs: Sequence[PairResult], shown: Sequence[tuple[PairResult, _Shown]], number: int
) -> tuple[tuple[FamilyFork, ...], tuple[int, ...]]:
    """The forks from the closest groups up to the root, and the order of the leaves."""
    from scipy.cluster.hierarchy import linkage

    forks = linkage([pair.distance for pair in pairs], method="average").tolist()
    order = _leaf_order(forks, pairs, number)
    groups: list[tuple[int, ...]] = [(leaf,) for leaf in range(number)]
    branches = []
    for one, other, height, _ in forks:
        left, right = sorted((groups[int(one)], groups[int(other)]), key=lambda group: order.index(group[0]))
        branches.append(FamilyFork(left, right, float(height), _separations(shown, left, right)))
        groups.append(tuple(sorted((*left, *right), key=order.index)))
    return tuple(branches), order


def _leaf_order(forks: Sequence[Sequence[float]], pairs: Sequence[PairResult], number: int) -> tuple[int, ...]:
    """The order of the leaves in which neighbours are closest in sum, of all that the tree allows.

    There are at most 2,048 of them for 12 models. SciPy's `optimal_leaf_ordering` does not always find the best one. Of
    equally good ones, it is that which begins with the models that were given first.
    """
    distances = {frozenset((pair.first, pair.second)): pair.distance for pair in pairs}
    orders: list[list[tuple[int, ...]]] = [[(leaf,)] for leaf in range(number)]
    for one, other, *_ in forks:
        both = [(left, right) for left in orders[int(one)] for right in orders[int(other)]]
        orders.append([each for left, right in both for each in (left + right, right + left)])

    def length(order: tuple[int, ...]) -> float:
        return round(sum(distances[frozenset(each)] for each in pairwise(order)), 9)

    return min(orders[-1], key=lambda order: (length(order), order))


def _notes(pairs: Sequence[PairResult]) -> tuple[str, ...]:
    asked = [frozenset((pair.prompt.id, pair.prompt.split) for pair in each.report.pairs) for each in pairs]
    if len(set(asked)) == 1:
        return ()
    common = len(frozenset.intersection(*asked))
    return (
        f"Not all pairs were compared on the same prompts: {common:,} prompts are common to all, and a pair has up to "
        f"{max(map(len, asked)):,}.",
    )
