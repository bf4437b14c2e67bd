"""The rules by which a finding is listed below another one, as a further sign of the same behaviour.

From the strongest: `kin`, two properties of one group that go together; `part`, a phrase of what a property measures;
`pairs` and `mirror`, two findings that differ on the same pairs, for the same side or for different ones; `follows`, a
finding that shows where the other one does and adds nothing. All rules look at train verdicts alone.

Verdicts are signed for the side that each finding predicts. So two findings for the same side that exclude one another
on every pair do not go together, and neither do two for different sides whose verdicts are equal: one of them holds
where the other fails, for example in a scope in which a difference is reversed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from diffing.grouping.phrase_use import PhraseUse
from diffing.grouping.verdict_relations import VerdictRelations
from diffing.ranking import PHRASE
from diffing.types import KnownBy, Merged, Side

KIN_AGREEMENT, KIN_R, KIN_COVERED = 0.6, 0.2, 0.8
"""Kin agree on this share of the pairs that both decide, and correlate this much, or the lead is for its side on this
share of the pairs that the other is for."""
SAME_R, LEAST_DECIDED = 0.5, 5
"""What differs on the same pairs correlates this much, and both decide this many of them."""
FOLLOWS, FOLLOWS_CHANCE = 0.7, 0.01
"""The lead is for its side on this share of the pairs that a follower is for, and this is the largest binomial p."""
MOST_RESIDUAL = 0.25
"""A lead explains a finding if it leaves at most this share of its net difference. Train prompts give only an estimate:
with a larger share allowed, held-out prompts would show of too many members that their lead leaves .4 and more."""
FOLLOWS_Z = 1.64
"""What the lead leaves of a follower is less than this many standard errors."""
SHARED_SCOPE = 0.8
"""A lead shares the scope of another finding if this share of the pairs that it is for its side on are in it."""
MORE_Z = 3.0
"""A finding of which the lead leaves more, by this many standard errors or more, keeps a line of its own."""


@dataclass(frozen=True, eq=False)
class JoiningUnit:
    """What joins a line as a whole: findings that say the same, with the one that represents them."""

    entry: Merged
    """What `merge` made of them."""
    rows: tuple[int, ...]
    """The places of its findings in the matrix of verdicts, its lead first."""
    direction: Side
    """The side that its lead predicts."""
    kind: int
    """Whether its lead is a sentence, a phrase or a bare feature; see `ranking.kind_of`."""
    name: str | None
    """The measured property that it is about."""
    group: str
    """The group of that property."""
    stated: str | None
    """The condition that its lead states, in words; None if it states none. Only a judge can tell where it holds."""
    scope: npt.NDArray[np.bool_] | None
    """The train prompts in its confirmed scope; None if it has none. Shape (train prompts,)."""

    @property
    def row(self) -> int:
        """The place of its lead."""
        return self.rows[0]


@dataclass(frozen=True, eq=False)
class JoiningRules:
    """The rules, for the findings of one run."""

    relations: VerdictRelations
    """How the findings' verdicts on train pairs relate to each other."""
    use: PhraseUse
    """What is known of the phrases."""

    def best(self, unit: JoiningUnit, leads: Sequence[JoiningUnit]) -> tuple[JoiningUnit, KnownBy] | None:
        """Returns the lead that a unit joins, and the rule that says so; None if it keeps a line of its own.

        Of several leads it joins the one to which the strongest rule leads, and by that rule the one that it fits best.
        Of leads that fit equally it joins the first.
        """
        for rule in _RULES:
            fits = {place: fit for place, lead in enumerate(leads) if (fit := rule(self, lead, unit)) is not None}
            if fits:
                lead = leads[max(fits, key=lambda place: (fits[place], -place))]
                return lead, self._name(rule, lead, unit)
        return None

    def taken_over(
        self, unit: JoiningUnit, lead: JoiningUnit, members: Sequence[JoiningUnit]
    ) -> list[tuple[JoiningUnit, KnownBy]]:
        """Returns the findings of an earlier line, each with its rule, if a later finding is to lead it; else nothing.

        It leads the line if it explains the line's lead and all members would join it. A phrase never comes before a
        sentence, nor a bare feature before either.

        Args:
            unit: The lead of a later line.
            lead: The lead of the earlier line.
            members: What joined that line.
        """
        if unit.kind > lead.kind or not self.relations.residual[unit.row, lead.row] <= MOST_RESIDUAL:
            return []
        joins = [(each, found[1]) for each in (lead, *members) if (found := self.best(each, [unit])) is not None]
        return joins if len(joins) == 1 + len(members) else []

    def _name(self, rule: "_Rule", lead: JoiningUnit, unit: JoiningUnit) -> KnownBy:
        if rule is JoiningRules._same_pairs:
            return "pairs" if lead.direction == unit.direction else "mirror"
        return _RULES[rule]

    def _kin(self, lead: JoiningUnit, unit: JoiningUnit) -> float | None:
        if lead.direction != unit.direction or not _same_group(lead, unit) or self._says_more(lead, unit):
            return None
        at, of = (lead.row, unit.row), self.relations
        goes_with = of.r[at] >= KIN_R or of.share_for_given[at] >= KIN_COVERED
        return _number(of.r[at]) if of.agreement[at] >= KIN_AGREEMENT and goes_with else None

    def _part(self, lead: JoiningUnit, unit: JoiningUnit) -> float | None:
        if lead.direction != unit.direction or unit.kind != PHRASE or not lead.name or self._says_more(lead, unit):
            return None
        parts: Mapping[str, float] = self.use.parts.get(unit.entry.lead, {})
        return parts.get(lead.name)

    def _same_pairs(self, lead: JoiningUnit, unit: JoiningUnit) -> float | None:
        at, of = (lead.row, unit.row), self.relations
        if not of.r[at] >= SAME_R or min(of.decided[at], of.decided[at[::-1]]) < LEAST_DECIDED:
            return None
        return None if self._says_more(lead, unit) else float(of.r[at])

    def _follows(self, lead: JoiningUnit, unit: JoiningUnit) -> float | None:
        at, of = (lead.row, unit.row), self.relations
        if not (of.share_for_given[at] >= FOLLOWS and of.residual[at] <= MOST_RESIDUAL):
            return None
        if not of.residual_z[at] < FOLLOWS_Z or not self._shares_scope(lead, unit):
            return None
        by_chance = _chance(int(of.both_for[at]), int(of.for_second[at]), float(of.share_for[at]))
        return -float(of.residual[at]) if by_chance <= FOLLOWS_CHANCE else None

    def _shares_scope(self, lead: JoiningUnit, unit: JoiningUnit) -> bool:
        if unit.stated is not None and unit.stated != lead.stated:
            return False
        if unit.scope is None:
            return True
        is_for = self.relations.values[lead.row] == 1
        return bool((is_for & unit.scope).sum() >= SHARED_SCOPE * is_for.sum())

    def _says_more(self, lead: JoiningUnit, unit: JoiningUnit) -> bool:
        """Whether a lead leaves so much of a finding's net difference unexplained that the finding says more."""
        at, of = (lead.row, unit.row), self.relations
        return bool(of.residual[at] > MOST_RESIDUAL and of.residual_z[at] >= MORE_Z)


_Rule: TypeAlias = Callable[[JoiningRules, JoiningUnit, JoiningUnit], float | None]
_RULES: Mapping[_Rule, KnownBy] = {
    JoiningRules._kin: "kin",
    JoiningRules._part: "part",
    JoiningRules._same_pairs: "pairs",
    JoiningRules._follows: "follows",
}


def _same_group(lead: JoiningUnit, unit: JoiningUnit) -> bool:
    """Whether both are about properties of one group, or about the same property."""
    return bool(lead.name and unit.name) and (lead.name == unit.name or bool(lead.group and lead.group == unit.group))


def _number(value: float) -> float:
    return 0.0 if np.isnan(value) else float(value)


def _chance(k: int, n: int, share: float) -> float:
    from scipy.stats import binom

    return float(binom.sf(k - 1, n, share))
