"""Finds what a rule is about in a report: findings that were tested, and properties measured on held-out responses."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from diffing import metrics
from diffing.estimates import Metrics
from diffing.methods.plan import method_plans
from diffing.policy.rules import PolicyRule
from diffing.report.index import index_of
from diffing.report.run_pairs import pairs_of_run
from diffing.types import Finding, Hypothesis, Judgement, PropertyMeasure, Report, Verdict

_QUOTES = str.maketrans(dict.fromkeys("«»“”„", '"'))


@dataclass(frozen=True, slots=True)
class CheckedDifference:
    """One difference that a rule is about, with its verdicts on held-out prompts."""

    hypothesis: Hypothesis
    """What was tested."""
    heldout: Metrics
    """Its metrics on all held-out prompts."""
    determined: Metrics
    """The same on those prompts alone on which it can be determined: a property that cannot be seen in a cut response,
    or in one of another language, does not speak for “no difference” there."""
    confirmed: bool
    """Whether the run confirmed it; False for a property that the run did not test."""


class CheckedReport:
    """What a report holds for rules to check. A property is measured only if a rule is about it."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._heldout = [pair for pair in pairs_of_run(report) if pair.prompt.split == "heldout"]
        self._measured: dict[str, Sequence[Judgement]] = {}
        """The verdicts on the hypothesis that B has more of a property, by the property."""

    def about(self, rule: PolicyRule) -> tuple[CheckedDifference, ...]:
        """Everything that a rule is about: tested findings, then measured properties that the run did not test."""
        own = [each for each in self._report.findings if each.heldout.n and selects(rule, each.hypothesis)]
        properties = _property_hypotheses(rule)
        tested = {_property_of(each.hypothesis) for each in own if each.hypothesis.scope is None}
        self._measure({name for each in own if (name := _property_of(each.hypothesis))})
        self._measure({name for each in properties if (name := _property_of(each))})
        rest = [self._of_property(each) for each in properties if _property_of(each) not in tested]
        # a property that a rule names must be shown; of a category, what no response shows is told as not covered
        return (*map(self._of_finding, own), *(each for each in rest if each.heldout.n or rule.measured))

    def untested(self, rule: PolicyRule) -> int:
        """How many hypotheses and properties that a rule is about have no readable verdict on held-out prompts."""
        findings = sum(not each.heldout.n and selects(rule, each.hypothesis) for each in self._report.findings)
        if rule.measured:
            return findings
        known = [each for each in _property_hypotheses(rule) if _property_of(each) in self._measured]
        return findings + sum(not self._of_property(each).heldout.n for each in known)

    def _of_finding(self, finding: Finding) -> CheckedDifference:
        return CheckedDifference(finding.hypothesis, finding.heldout, self._determined(finding), finding.confirmed)

    def _of_property(self, hypothesis: Hypothesis) -> CheckedDifference:
        measured = metrics.measure(self._measured[_property_of(hypothesis) or ""], hypothesis.direction)
        return CheckedDifference(hypothesis, measured, measured, confirmed=False)

    def _determined(self, finding: Finding) -> Metrics:
        """A finding's metrics on the prompts on which its property can be determined."""
        verdicts = self._measured.get(_property_of(finding.hypothesis) or "")
        if verdicts is None:
            return finding.heldout
        known = {each.prompt_id for each in verdicts if each.verdict != Verdict.UNREADABLE}
        own = index_of(self._report).verdicts_on(finding.hypothesis.id)
        return metrics.measure([each for each in own if each.prompt_id in known], finding.hypothesis.direction)

    def _measure(self, names: Collection[str]) -> None:
        """Measures properties on the held-out pairs, each once."""
        for plan in method_plans().values():
            missing = [
                each
                for each in plan.property_hypotheses()
                if (name := _property_of(each)) in names and name not in self._measured
            ]
            verdicts = plan.measure_properties(missing, self._heldout) if missing else []
            for place, each in enumerate(missing):
                start = place * len(self._heldout)
                self._measured[_property_of(each) or ""] = verdicts[start : start + len(self._heldout)]


def selects(rule: PolicyRule, hypothesis: Hypothesis) -> bool:
    """Tells whether a rule is about a hypothesis, in whichever direction."""
    if rule.category is not None:
        return hypothesis.category == rule.category
    if rule.measured is not None:
        return _property_of(hypothesis) == rule.measured
    return _contains(_folded(hypothesis.text), _folded(rule.pattern or ""))


def _folded(text: str) -> str:
    """A text in lower case with straight quotation marks; a phrase is stored in «», and shown in “”."""
    return text.casefold().translate(_QUOTES)


def _contains(text: str, pattern: str) -> bool:
    """Whether the parts of a pattern between its `*` stand in a text one after the other."""
    place = 0
    for part in pattern.split("*"):
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _property_hypotheses(rule: PolicyRule) -> list[Hypothesis]:
    """The hypotheses, that B has more of it, on each property that a rule is about."""
    return [each for plan in method_plans().values() for each in plan.property_hypotheses() if selects(rule, each)]


def _property_of(hypothesis: Hypothesis) -> str | None:
    return hypothesis.measure.name if isinstance(hypothesis.measure, PropertyMeasure) else None
