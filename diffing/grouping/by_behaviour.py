"""Merges entries of a report's list that are signs of one behaviour, such as two phrases of a refusal.

`merge` says which findings say the same. A family goes further: its members say other things, but of the same
behaviour, such as refusals, apologies and the phrase «I cannot». Leads are taken in the order of `diffing.ranking`,
confirmed ones first, sentences before phrases before internal features, and whatever an earlier lead explains joins
that lead's line; see `joining` for the rules. Train verdicts decide what joins. Held-out verdicts decide, through the
ranking, which finding leads; among those that say the same `merge` chooses by train verdicts, so that the size shown
is not the luckiest of several. An earlier lead that says less than a later one gives up its place: "more words of
politeness", if nearly all of these are thanks, is a sign of "thanks the user", which is shown by further words too.

What is not confirmed joins nothing: below a confirmed behaviour it would look like one more sign of it.
A finding that says more than its line keeps a line of its own, and members that speak for the other side stay visible
in the line. Findings that `merge` took for the same are one member, represented by their lead; they join together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from diffing.grouping.joining import JoiningRules, JoiningUnit
from diffing.grouping.phrase_use import PhraseUse, phrase_use
from diffing.grouping.verdict_agreement import SignedVerdicts
from diffing.grouping.verdict_relations import VerdictRelations
from diffing.metrics import concentrated
from diffing.ranking import (
    FEATURE,
    PHRASE,
    TIERS,
    kind_of,
    place_of,
    properties,
    property_of,
    tie_of,
    weight_of,
    weight_where_it_applies,
)
from diffing.scope import ScopeRule
from diffing.types import Block, Finding, Judgement, KnownBy, Merged, Pair

LARGE = 0.25
"""A phrase leads a line among the behaviours if its net difference is certainly at least this large."""
BLOCKS: tuple[Block, ...] = ("behaviours", "wording", "features")
Mask: TypeAlias = npt.NDArray[np.bool_]
Inside: TypeAlias = Callable[[ScopeRule], Mask]
"""Tells which prompts of the run, in the order of its pairs, are in a measured scope."""


@dataclass(frozen=True, slots=True)
class BehaviourGroups:
    """The lines of a report, and what the order of its findings depends on."""

    lines: tuple[Merged, ...]
    """Every finding in exactly one line: confirmed leads first; of these the behaviours, then the folded blocks."""
    weights: Mapping[str, float]
    """w * c of each finding by hypothesis id, with what is known of phrases; see `ranking.weight_of`."""


def group_by_behaviour(
    entries: Sequence[Merged],
    findings: Sequence[Finding],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    *,
    methods: Iterable[object],
    inside: Inside,
    applies: Mapping[str, float] | None = None,
) -> BehaviourGroups:
    """Makes lines of entries that say the same.

    Args:
        entries: The result of `merge`: every finding in exactly one entry.
        findings: All findings.
        judgements: Their verdicts; only those on train pairs are looked at.
        pairs: All pairs.
        methods: The methods of the run, which can tell what phrases are a part of.
        inside: Tells which prompts are in a measured scope.
        applies: The share of the run's prompts to which hypotheses apply that were tested only where they apply, by id.
    """
    behaviour = SignedVerdicts([finding.hypothesis for finding in findings], judgements, pairs)
    run = _Run(tuple(findings), tuple(pairs), behaviour, phrase_use(findings, methods, pairs), inside, applies or {})
    joined = run.joined([run.unit(entry) for entry in entries])
    weights = run.weights | run.weights_of_parts(joined)
    lines = sorted((run.line(line, weights) for line in joined), key=lambda line: run.place_of_line(line, weights))
    return BehaviourGroups(tuple(lines), weights)


@dataclass(frozen=True, eq=False)
class _Line:
    """The units of one line: the one that leads it, and those that joined, each by a rule."""

    lead: JoiningUnit
    joined: list[tuple[JoiningUnit, KnownBy]]


@dataclass(frozen=True, eq=False)
class _Run:
    """What lines are made from."""

    findings: tuple[Finding, ...]
    pairs: tuple[Pair, ...]
    behaviour: SignedVerdicts
    use: PhraseUse
    inside: Inside
    applies: Mapping[str, float]

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The place of each finding by its hypothesis id."""
        return {finding.hypothesis.id: row for row, finding in enumerate(self.findings)}

    @cached_property
    def relations(self) -> VerdictRelations:
        return VerdictRelations(self.behaviour.values)

    @cached_property
    def weights(self) -> dict[str, float]:
        hypotheses = (finding.hypothesis for finding in self.findings)
        known = {each.id: weight_of(each, exclusive=each.id in self.use.exclusive) for each in hypotheses}
        narrow = {
            name: weight_where_it_applies(known[name], self.applies[name]) for name in known.keys() & self.applies
        }
        return known | narrow

    def unit(self, entry: Merged) -> JoiningUnit:
        """Makes a unit of findings that say the same."""
        hypotheses = [self.findings[self.rows[member]].hypothesis for member in entry.members]
        name = next((name for name in map(property_of, hypotheses) if name), None)
        info = properties().get(name or "")
        return JoiningUnit(
            entry=entry,
            rows=tuple(self.rows[member] for member in entry.members),
            direction=hypotheses[0].direction,
            kind=kind_of(hypotheses[0]),
            name=name,
            group=info.group if info else "",
            stated=hypotheses[0].scope.words if hypotheses[0].scope and hypotheses[0].scope.kind == "stated" else None,
            scope=self._scope(self.findings[self.rows[entry.lead]]),
        )

    def _scope(self, finding: Finding) -> Mask | None:
        """The train prompts in the confirmed scope of a finding; None if it has none."""
        concentration = concentrated(finding)
        if concentration is None or concentration.scope.rule is None:
            return None
        return self.inside(concentration.scope.rule)[[pair.prompt.split == "train" for pair in self.pairs]]

    def joined(self, units: Sequence[JoiningUnit]) -> list[_Line]:
        """Lets every unit lead a line or join that of an earlier one, and later leads take over what they explain."""
        rules = JoiningRules(self.relations, self.use)
        lines: dict[str, _Line] = {}
        for unit in sorted(units, key=self._turn):
            confirmed = self.findings[unit.row].confirmed
            found = rules.best(unit, [line.lead for line in lines.values()]) if confirmed else None
            if found is None:
                lines[unit.entry.lead] = _Line(unit, [])
            else:
                lines[found[0].entry.lead].joined.append((unit, found[1]))
        return self._taken_over(list(lines.values()), rules)

    def _taken_over(self, lines: Sequence[_Line], rules: JoiningRules) -> list[_Line]:
        """Lets the leads of later lines take over the earlier lines that they explain."""
        kept: list[_Line] = []
        for line in lines:
            for earlier in [each for each in kept if self._may_take_over(line.lead, each.lead)]:
                if taken := rules.taken_over(line.lead, earlier.lead, [member for member, _ in earlier.joined]):
                    line.joined.extend(taken)
                    kept.remove(earlier)
            kept.append(line)
        return kept

    def _may_take_over(self, later: JoiningUnit, earlier: JoiningUnit) -> bool:
        """Whether a finding is confirmed, and tells of whether a model answers if the earlier lead does.

        Refusing is never told as a sign of something that weighs less.
        """
        least, (own, other) = TIERS["answering"], (self._weight(unit.row, self.weights) for unit in (later, earlier))
        return self.findings[later.row].confirmed and (own >= least or other < least)

    def _turn(self, unit: JoiningUnit) -> tuple[object, ...]:
        lead = self.findings[unit.row]
        place = min(place_of(self.findings[row], self._weight(row, self.weights)) for row in unit.rows)
        return not lead.confirmed, unit.kind, place, tie_of(lead)

    def _weight(self, row: int, weights: Mapping[str, float]) -> float:
        return weights[self.findings[row].hypothesis.id]

    def weights_of_parts(self, lines: Iterable[_Line]) -> dict[str, float]:
        """The weights of phrases that joined a line as a part of what its lead measures."""
        found: dict[str, float] = {}
        for line in lines:
            for unit, known_by in line.joined:
                for member in unit.entry.members if known_by == "part" else ():
                    if line.lead.name in self.use.parts.get(member, {}):
                        hypothesis = self.findings[self.rows[member]].hypothesis
                        exclusive = member in self.use.exclusive
                        found[member] = weight_of(hypothesis, exclusive=exclusive, part_of=line.lead.name)
        return found

    def line(self, line: _Line, weights: Mapping[str, float]) -> Merged:
        """Puts the findings of a line in order: its lead, those for its side, those for the other side."""
        lead = line.lead.row
        known = dict(zip(line.lead.rows, line.lead.entry.known_by, strict=True))
        for unit, rule in line.joined:
            known |= {row: self._known_by(rule, line.lead, row) for row in unit.rows}
        others = sorted(known.keys() - {lead}, key=lambda row: self._place_in_line(row, line.lead, weights))
        rows = [lead, *others]
        return Merged(
            lead=line.lead.entry.lead,
            members=tuple(self.findings[row].hypothesis.id for row in rows),
            known_by=tuple(known[row] for row in rows),
            agreement=tuple(self.behaviour.like(lead, row).agreement for row in rows),
            residual=(None, *(_defined(self.relations.residual[lead, row]) for row in others)),
            block=self._block(line.lead),
        )

    def _known_by(self, rule: KnownBy, lead: JoiningUnit, row: int) -> KnownBy:
        if rule not in ("pairs", "mirror"):
            return rule
        return "pairs" if self.findings[row].hypothesis.direction == lead.direction else "mirror"

    def _place_in_line(self, row: int, lead: JoiningUnit, weights: Mapping[str, float]) -> tuple[object, ...]:
        finding = self.findings[row]
        place = place_of(finding, self._weight(row, weights))
        if finding.hypothesis.direction == lead.direction:
            return 0, 0, place, tie_of(finding)
        # the first of the other side stands in the line itself, so what a person understands comes first
        return 1, kind_of(finding.hypothesis), place, tie_of(finding)

    def _block(self, lead: JoiningUnit) -> Block:
        """Where a line belongs: a phrase says little on its own, unless it is large, or one side's alone in a scope."""
        finding = self.findings[lead.row]
        if lead.kind == FEATURE:
            return "features"
        if lead.kind == PHRASE and not self._tells(finding):
            return "wording"
        return "behaviours"

    def _tells(self, finding: Finding) -> bool:
        large = finding.confirmed and (finding.heldout.net_difference.low or 0.0) >= LARGE
        return large or (finding.hypothesis.id in self.use.exclusive and concentrated(finding) is not None)

    def place_of_line(self, line: Merged, weights: Mapping[str, float]) -> tuple[object, ...]:
        """The place of a line: that of its strongest member."""
        lead = self.findings[self.rows[line.lead]]
        place = min(place_of(self.findings[self.rows[member]], weights[member]) for member in line.members)
        return not lead.confirmed, BLOCKS.index(line.block), place, tie_of(lead)


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
