"""Hypotheses that a measured difference holds within a part of the prompts, found on train.

Where a model refuses in one domain alone, the difference over all prompts may be too small to be noticed. So every
property that a method can measure is looked at inside every condition on train prompts, in both directions. The best
condition of each is taken, and the most promising of these become hypotheses of their own. They are tested on held-out
prompts, in one family with all others.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from diffing.methods.base import MeasuringMethod, Method
from diffing.metrics import sign_test
from diffing.scopes.conditions import Conditions, find_conditions
from diffing.scopes.rule_search import FoundRule, best_conditions
from diffing.scopes.verdict_table import VerdictTable, verdict_table
from diffing.scopes.wording import scope_of, words_of_rule
from diffing.types import Discovery, Hypothesis, Judgement, Measure, Pair, Verdict

LARGEST_P = 0.1
"""The largest p inside the condition on train, times the number of conditions."""
BETTER_BY = 10
"""A difference that is also tested over all prompts must have a p so many times smaller inside the condition."""
MOST = 10
"""The largest number of hypotheses."""


@dataclass(frozen=True, slots=True)
class MeasuredScopes:
    """What a run knows of scopes before it tests anything."""

    conditions: Conditions
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


_Key: TypeAlias = tuple[str, Measure | None]


@dataclass(frozen=True, slots=True)
class _Option:
    """A difference that can be measured, in one direction."""

    method: MeasuringMethod
    hypothesis: Hypothesis
    chosen: bool
    """Whether it is tested over all prompts."""

    @property
    def key(self) -> "_Key":
        """What is measured, in either direction."""
        return self.method.name, self.hypothesis.measure


@dataclass(frozen=True, slots=True)
class _Proposal:
    """An option inside its best condition."""

    option: _Option
    found: FoundRule
    p: float
    """The p of the sign test inside, on train."""
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
    proposals = _proposals(options, _table(options, sources, on_train, train), conditions)
    used = {each.option.key: sources[each.option.key] for each in proposals}
    verdicts = {(one.hypothesis_id, one.prompt_id): one for one in on_train}
    verdicts |= {(one.hypothesis_id, one.prompt_id): one for one in _measured(used.values(), measured, heldout)}
    hypotheses: list[Hypothesis] = []
    unscoped: list[Judgement] = []
    for proposal in proposals:
        hypotheses.append(hypothesis := _scoped(proposal))
        source = sources[proposal.option.key].hypothesis.id
        unscoped += [replace(verdicts[source, pair.prompt.id], hypothesis_id=hypothesis.id) for pair in pairs]
    inside = [conditions.inside(proposal.found.rule) for proposal in proposals]
    scoped = [
        one if is_inside else replace(one, verdict=Verdict.NOT_SHOWN, in_scope=False)
        for one, is_inside in zip(unscoped, (bool(each) for mask in inside for each in mask), strict=True)
    ]
    return MeasuredScopes(conditions, tuple(hypotheses), tuple(scoped), tuple(unscoped))


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


def _proposals(options: Sequence[_Option], table: VerdictTable, conditions: Conditions) -> list[_Proposal]:
    """The most promising options inside their best conditions."""
    everyone = np.ones(table.values.shape[1], dtype=np.bool_)
    proposals: list[_Proposal] = []
    for row, (option, found) in enumerate(zip(options, best_conditions(table, conditions), strict=True)):
        if found is None:
            continue
        inside, all_ = table.counts(row, conditions.inside(found.rule)[conditions.train]), table.counts(row, everyone)
        p = sign_test(inside.k_for, inside.k_against)
        overall = sign_test(all_.k_for, all_.k_against)
        if p * len(conditions.terms) <= LARGEST_P and not (option.chosen and p * BETTER_BY > overall):
            effect = (inside.k_for - inside.k_against) / all_.n
            proposals.append(_Proposal(option, found, p, effect))
    return sorted(proposals, key=_most_promising)[:MOST]


def _most_promising(proposal: _Proposal) -> tuple[float, float, str, str]:
    """Returns a sort key that is the same if the models are exchanged."""
    return proposal.p, -proposal.found.score, proposal.option.hypothesis.text, words_of_rule(proposal.found.rule)


def _scoped(proposal: _Proposal) -> Hypothesis:
    """The hypothesis within its scope; its evidence is that of the overall one, as far as it lies in the scope."""
    overall = proposal.option.hypothesis
    scope = scope_of(proposal.found.rule)
    text = f"{overall.text}, {scope.words}"
    digest = hashlib.sha256(f"{overall.direction} {text}".encode()).hexdigest()
    return replace(overall, id=f"{overall.method}-{digest[:12]}", text=text, train_effect=proposal.effect, scope=scope)
