"""Makes further hypotheses from train prompts: that a measured difference holds on only some of the prompts.

Where a model refuses in one domain alone, the difference over all prompts may be too small to be noticed. So every
property that a method can measure is looked at inside every condition on train prompts, in both directions. The best
condition of each is taken, and the most promising of these become hypotheses of their own. They are tested on held-out
prompts, in one family with all others.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from diffing.methods.base import MeasuringMethod, Method
from diffing.metrics import measure, sign_test
from diffing.scope import ScopeRule
from diffing.scopes.conditions import PromptConditions, find_conditions
from diffing.scopes.rule_search import best_conditions
from diffing.scopes.verdict_table import VerdictTable, verdict_table
from diffing.scopes.wording import scope_of, words_of_rule
from diffing.types import Discovery, Hypothesis, Judgement, Measure, Pair, Verdict

LARGEST_P = 0.1
"""The largest p inside the condition on train, times the number of conditions."""
BETTER_BY = 10
"""A difference that is also tested over all prompts must have a p this many times smaller inside the condition."""
MOST = 10
"""The largest number of hypotheses."""


@dataclass(frozen=True, slots=True)
class MeasuredScopes:
    """What a run knows of scopes before it tests anything."""

    conditions: PromptConditions
    """The conditions on the prompts of the run, in the order of its pairs."""
    hypotheses: tuple[Hypothesis, ...] = ()
    """The hypotheses with a measured scope."""
    judgements: tuple[Judgement, ...] = ()
    """The verdicts on them for all pairs; outside its scope a hypothesis is not shown."""
    unscoped: tuple[Judgement, ...] = ()
    """The same measurements as they are, outside the scopes too."""

    def of_method(self, name: str) -> tuple[Hypothesis, ...]:
        """The hypotheses of one method."""
        return tuple(each for each in self.hypotheses if each.method == name)


Mask: TypeAlias = npt.NDArray[np.bool_]
_Key: TypeAlias = tuple[str, Measure | str]


@dataclass(frozen=True, slots=True)
class _Option:
    """A difference that can be measured, in one direction."""

    method: MeasuringMethod
    hypothesis: Hypothesis
    chosen: bool
    """Whether it is tested over all prompts."""

    @property
    def key(self) -> "_Key":
        """What is measured, in either direction; without a measure the hypothesis itself."""
        return self.method.name, self.hypothesis.measure or self.hypothesis.id


@dataclass(frozen=True, slots=True)
class PromisingScope:
    """A difference that train suggests to test inside a condition."""

    row: int
    """Its row in the table of verdicts."""
    rule: ScopeRule
    """The condition."""
    effect: float
    """The net difference on train, with verdicts outside counted as neither."""


def find_scoped(
    methods: Sequence[Method], discoveries: Sequence[Discovery], measured: Sequence[Judgement], pairs: Sequence[Pair]
) -> MeasuredScopes:
    """Finds hypotheses with a measured scope on train pairs, and measures them on all pairs.

    Args:
        methods: The methods of the run; only measuring ones contribute.
        discoveries: What they found on train pairs, in the same order.
        measured: The verdicts of the measuring methods on all pairs.
        pairs: All pairs of the run.
    """
    conditions = find_conditions([pair.prompt for pair in pairs])
    if not conditions.terms:
        return MeasuredScopes(conditions)
    options = [each for each in _options(methods, discoveries) if each.hypothesis.scope is None]
    sources: dict[_Key, _Option] = {}
    for option in options:
        sources.setdefault(option.key, option)
    train, heldout = ([pair for pair in pairs if pair.prompt.split == split] for split in ("train", "heldout"))
    on_train = _measured(sources.values(), measured, train)
    table = _table(options, sources, on_train, train)
    texts = [each.hypothesis.text for each in options]
    p_of = _full_test(options, sources, on_train)
    chosen = [each.chosen for each in options]
    found = [(options[each.row], each) for each in promising(table, chosen, texts, conditions, p_of)]
    used = {option.key: sources[option.key] for option, _ in found}
    verdicts = {
        (one.hypothesis_id, one.prompt_id): one for one in (*on_train, *_measured(used.values(), measured, heldout))
    }
    scopes = MeasuredScopes(conditions)
    for option, each in found:
        source = sources[option.key].hypothesis.id
        scopes = _with_hypothesis(scopes, option, each, [verdicts[source, pair.prompt.id] for pair in pairs])
    return scopes


def _with_hypothesis(
    scopes: MeasuredScopes, option: _Option, found: PromisingScope, measured: Sequence[Judgement]
) -> MeasuredScopes:
    """Adds the hypothesis that a difference holds inside a condition, with its verdicts on all pairs."""
    inside = scopes.conditions.inside(found.rule).tolist()
    is_inside = {one.prompt_id: each for one, each in zip(measured, inside, strict=True)}
    hypothesis = _scoped(option.hypothesis, found, is_inside)
    unscoped = tuple(replace(one, hypothesis_id=hypothesis.id) for one in measured)
    judgements = (
        one if each else replace(one, verdict=Verdict.NOT_SHOWN, in_scope=False, per_word=None, chance_a=None)
        for one, each in zip(unscoped, inside, strict=True)
    )
    return replace(
        scopes,
        hypotheses=(*scopes.hypotheses, hypothesis),
        judgements=(*scopes.judgements, *judgements),
        unscoped=(*scopes.unscoped, *unscoped),
    )


def _options(methods: Sequence[Method], discoveries: Sequence[Discovery]) -> Iterator[_Option]:
    """All differences that can be measured, those of a method that are tested over all prompts first."""
    for method, discovery in zip(methods, discoveries, strict=True):
        if isinstance(method, MeasuringMethod):
            yield from (_Option(method, each, chosen=True) for each in discovery.hypotheses)
            yield from (_Option(method, each, chosen=False) for each in discovery.candidates)


def _measured(sources: Collection[_Option], measured: Sequence[Judgement], pairs: Sequence[Pair]) -> list[Judgement]:
    """The verdicts on some differences for some pairs; measures those that are not tested over all prompts."""
    prompts = {pair.prompt.id for pair in pairs}
    chosen = {each.hypothesis.id for each in sources if each.chosen}
    found = [one for one in measured if one.hypothesis_id in chosen and one.prompt_id in prompts]
    for method in {each.method.name: each.method for each in sources}.values():
        own = [each.hypothesis for each in sources if each.method is method and not each.chosen]
        found += method.measure(own, pairs) if own else []
    return found


def _table(
    options: Sequence[_Option], sources: Mapping[_Key, _Option], verdicts: Sequence[Judgement], pairs: Sequence[Pair]
) -> VerdictTable:
    """The verdicts on every option: a measurement is the same whichever side is predicted to have more."""
    rows = {key: row for row, key in enumerate(sources)}
    table = verdict_table([each.hypothesis for each in sources.values()], verdicts, [pair.prompt.id for pair in pairs])
    mirrored = [each.hypothesis.direction != sources[each.key].hypothesis.direction for each in options]
    return table.rows([rows[each.key] for each in options], mirrored)


def _full_test(
    options: Sequence[_Option], sources: Mapping[_Key, _Option], on_train: Sequence[Judgement]
) -> Callable[[int, Mask], float]:
    """Returns the test of an option on some train prompts that held-out prompts undergo too (see `metrics.measure`)."""
    by_source: dict[str, list[Judgement]] = {}
    for one in on_train:
        by_source.setdefault(one.hypothesis_id, []).append(one)

    def p_of(row: int, inside: Mask) -> float:
        verdicts = by_source[sources[options[row].key].hypothesis.id]
        p = measure(compress(verdicts, inside.tolist()), options[row].hypothesis.direction).p
        return 1.0 if p is None else p

    return p_of


def promising(
    table: VerdictTable,
    chosen: Sequence[bool],
    names: Sequence[str],
    conditions: PromptConditions,
    p_of: Callable[[int, Mask], float] | None = None,
) -> list[PromisingScope]:
    """Finds the differences that are most promising inside their best condition on train, most promising first.

    Args:
        table: The verdicts on train prompts; shape (differences, train prompts).
        chosen: For each difference, whether it is also tested over all prompts.
        names: A text for each difference; it decides the order of two that are equally promising, so that the order
            does not depend on which model is called A.
        conditions: The conditions on the prompts.
        p_of: The test of a difference, given its row, on the train prompts of a mask; None for the sign test.
    """
    everyone = np.ones(table.values.shape[1], dtype=np.bool_)
    kept: list[tuple[tuple[float, float, str, str], PromisingScope]] = []
    for row, found in enumerate(best_conditions(table, conditions)):
        if found is None:
            continue
        mask = conditions.inside(found.rule)[conditions.train]
        inside, all_ = table.counts(row, mask), table.counts(row, everyone)
        p = sign_test(inside.k_for, inside.k_against)
        better = p * BETTER_BY <= sign_test(all_.k_for, all_.k_against)
        p = p if p_of is None or p * len(conditions.terms) > LARGEST_P else max(p, p_of(row, mask))
        if p * len(conditions.terms) <= LARGEST_P and (better or not chosen[row]):
            effect = (inside.k_for - inside.k_against) / all_.n
            order = (p, -found.score, names[row], words_of_rule(found.rule))
            kept.append((order, PromisingScope(row, found.rule, effect)))
    return [each for _, each in sorted(kept, key=lambda one: one[0])[:MOST]]


def _scoped(overall: Hypothesis, found: PromisingScope, is_inside: Mapping[str, bool]) -> Hypothesis:
    """The hypothesis within its scope; quotes of the overall one from elsewhere are left out."""
    scope = scope_of(found.rule)
    text = f"{overall.text}, {scope.words}"
    digest = hashlib.sha256(f"{overall.direction} {text}".encode()).hexdigest()
    return replace(
        overall,
        id=f"{overall.method}-{digest[:12]}",
        text=text,
        evidence=tuple(each for each in overall.evidence if is_inside[each.prompt_id]),
        train_effect=found.effect,
        scope=scope,
    )
