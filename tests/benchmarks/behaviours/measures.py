"""Measures a report's list of lines: how long it is, how much it repeats, and what its lines hide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from diffing.grouping import SignedVerdicts, merge
from diffing.grouping.verdict_relations import VerdictRelations
from diffing.report.grouped_list import ListEntry
from diffing.report.index import index_of
from diffing.types import Finding, PhraseMeasure, PropertyMeasure, Report, Row

FIRST = 15
"""The number of lines that a reader is expected to look at."""
SAME_R = 0.5
"""A line repeats an earlier one if their verdicts on held-out prompts correlate this much, for the same side or not."""
MORE_RESIDUAL, MORE_Z = 0.4, 3.0
"""A member says more than its line if the lead leaves this much of its net difference on held-out prompts."""


@dataclass(frozen=True)
class ListMeasures:
    """The measures of one report's list."""

    report: Report
    """The report."""

    @cached_property
    def before(self) -> list[str]:
        """The ids of the leads of the list that only joins what says the same, ordered by net difference."""
        unscoped = [finding for finding in self.report.findings if finding.hypothesis.scope is None]
        by_size = sorted(
            unscoped, key=lambda each: (not each.confirmed, -abs(each.heldout.net_difference.value or 0.0))
        )
        entries = merge(by_size, self.report.judgements, self.report.pairs).entries
        return [entry.lead for entry in entries if index_of(self.report).findings[entry.lead].confirmed]

    @property
    def after(self) -> list[str]:
        """The ids of the leads of the lines that are not folded away."""
        return [entry.lead.hypothesis.id for entry in index_of(self.report).differences]

    @cached_property
    def _heldout(self) -> VerdictRelations:
        hypotheses = [finding.hypothesis for finding in self.report.findings]
        return VerdictRelations(SignedVerdicts(hypotheses, self.report.judgements, self.report.pairs, "heldout").values)

    @cached_property
    def _rows(self) -> Mapping[str, int]:
        return {finding.hypothesis.id: row for row, finding in enumerate(self.report.findings)}

    def repeated(self, leads: Sequence[str]) -> int:
        """Counts those of the first lines that repeat an earlier one."""
        rows = [self._rows[lead] for lead in leads[:FIRST]]
        r = abs(self._heldout.r)
        return sum(any(r[row, earlier] >= SAME_R for earlier in rows[:place]) for place, row in enumerate(rows))

    @cached_property
    def signs(self) -> int:
        """The number of confirmed findings that joined a line as a further sign."""
        return len(self._signs)

    @property
    def says_more(self) -> int:
        """The number of these that say more than their line on held-out prompts."""
        of = self._heldout
        pairs = [(self._rows[lead], self._rows[member]) for lead, member in self._signs]
        return sum(bool(of.residual[at] >= MORE_RESIDUAL and of.residual_z[at] >= MORE_Z) for at in pairs)

    @property
    def _signs(self) -> list[tuple[str, str]]:
        return [
            (entry.lead.hypothesis.id, member.finding.hypothesis.id)
            for entry in index_of(self.report).entries
            for member in entry.members
            if member.finding.confirmed and not member.says_the_same
        ]

    def row(self, name: str) -> Row:
        """Returns one row of the table of results."""
        index = index_of(self.report)
        return {
            "pair": name,
            "confirmed": len(index.confirmed),
            "lines_before": len(self.before),
            "lines": len(self.after),
            "wording": len(index.wording),
            "features": len(index.bare_features),
            "repeated_before": self.repeated(self.before),
            "first_before": min(FIRST, len(self.before)),
            "repeated": self.repeated(self.after),
            "first": min(FIRST, len(self.after)),
            "signs": self.signs,
            "says_more": self.says_more,
            "refuses_before": place_of(self.before, index.findings, "refusals"),
            "refuses": place_of(self.after, index.findings, "refusals"),
        }


def place_of(leads: Sequence[str], findings: Mapping[str, Finding], name: str) -> int | None:
    """The place of the first line that a measured property leads, counted from 1; None if there is none."""
    measures = [findings[lead].hypothesis.measure for lead in leads]
    return measures.index(PropertyMeasure(name)) + 1 if PropertyMeasure(name) in measures else None


def lines_until(entries: Iterable[ListEntry], planted: Sequence[Mapping[str, Any]]) -> int | None:
    """Counts the lines until every planted behaviour is in one of them; None if one is in no line.

    Args:
        entries: The lines, in order.
        planted: The behaviours, as `tests/benchmarks/demo/planted.json` describes them.
    """
    missing = {each["id"]: each for each in planted}
    for place, entry in enumerate(entries, 1):
        findings = [entry.lead, *(member.finding for member in entry.members)]
        missing = {name: each for name, each in missing.items() if not any(shows(f, each) for f in findings)}
        if not missing:
            return place
    return None


def shows(finding: Finding, planted: Mapping[str, Any]) -> bool:
    """Whether a confirmed finding says what was planted, of the model in which it was planted."""
    side = "a" if planted["model"] == "base" else "b"
    finds = {*map(PropertyMeasure, planted["finds"]["properties"]), *map(PhraseMeasure, planted["finds"]["phrases"])}
    return finding.confirmed and finding.hypothesis.direction == side and finding.hypothesis.measure in finds
