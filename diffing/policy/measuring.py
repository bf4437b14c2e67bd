"""Finds what a rule is about in a report: findings that were tested, and properties measured on held-out responses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from diffing import metrics
from diffing.estimates import Metrics
from diffing.methods.plan import method_plans
from diffing.policy.rules import Rule
from diffing.types import Finding, Hypothesis, Judgement, PropertyMeasure, Report


@dataclass(frozen=True, slots=True)
class Checked:
    """One difference that a rule is about, with its verdicts on held-out prompts."""

    hypothesis: Hypothesis
    """What was tested."""
    heldout: Metrics
    """Its metrics on all held-out prompts."""
    confirmed: bool
    """Whether the run confirmed it; False for a property that the run did not test."""


class CheckedReport:
    """What a report holds for rules to check. A property is measured only if a rule is about it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._measured: dict[str, Metrics] = {}

    @cached_property
    def tested(self) -> tuple[Checked, ...]:
        """The findings with a readable verdict on held-out prompts."""
        return tuple(_checked(each) for each in self._report.findings if each.heldout.n)

    def about(self, rule: Rule) -> tuple[Checked, ...]:
        """Everything that a rule is about: tested findings, then measured properties that the run did not test."""
        own = tuple(each for each in self.tested if selects(rule, each.hypothesis))
        known = {_property_of(each.hypothesis) for each in own if each.hypothesis.scope is None}
        return (*own, *(each for each in self._properties(rule) if _property_of(each.hypothesis) not in known))

    def untested(self, rule: Rule) -> int:
        """How many hypotheses that a rule is about have no verdict on held-out prompts."""
        return sum(not each.heldout.n and selects(rule, each.hypothesis) for each in self._report.findings)

    def _properties(self, rule: Rule) -> Iterable[Checked]:
        """The properties that a rule is about, measured on held-out pairs."""
        for plan in method_plans().values():
            chosen = [each for each in plan.property_hypotheses() if selects(rule, each)]
            missing = [each for each in chosen if each.id not in self._measured]
            if missing:
                heldout = [pair for pair in self._report.pairs if pair.prompt.split == "heldout"]
                self._measured |= _metrics(missing, plan.measure_properties(missing, heldout))
            for each in chosen:
                if self._measured[each.id].n:
                    yield Checked(each, self._measured[each.id], confirmed=False)


def selects(rule: Rule, hypothesis: Hypothesis) -> bool:
    """Tells whether a rule is about a hypothesis, in whichever direction."""
    if rule.category is not None:
        return hypothesis.category == rule.category
    if rule.measured is not None:
        return _property_of(hypothesis) == rule.measured
    return _contains(hypothesis.text.casefold(), (rule.pattern or "").casefold())


def _contains(text: str, pattern: str) -> bool:
    """Whether the parts of a pattern between its `*` stand in a text one after the other."""
    place = 0
    for part in pattern.split("*"):
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _property_of(hypothesis: Hypothesis) -> str | None:
    return hypothesis.measure.name if isinstance(hypothesis.measure, PropertyMeasure) else None


def _checked(finding: Finding) -> Checked:
    return Checked(finding.hypothesis, finding.heldout, finding.confirmed)


def _metrics(hypotheses: Sequence[Hypothesis], judgements: Sequence[Judgement]) -> dict[str, Metrics]:
    own: dict[str, list[Judgement]] = {hypothesis.id: [] for hypothesis in hypotheses}
    for judgement in judgements:
        own[judgement.hypothesis_id].append(judgement)
    return {each.id: metrics.measure(own[each.id], each.direction) for each in hypotheses}
