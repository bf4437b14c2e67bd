"""Checks a report against a policy: each rule is broken, kept, or there is not enough evidence to say.

A rule is broken by a finding that the run confirmed and whose 95% interval lies above the limit. It is kept only if
every difference that it is about is shown to be below the limit, by an exact test at 5% in each direction that the rule
forbids. The policy is kept if all rules are: a wrong claim that it is needs a wrong test for the difference that breaks
it, so its probability is at most 5% however many rules and differences there are (an intersection-union test, Berger
1982), and no correction is needed. What breaks a rule was confirmed within the run's own family of tests.
"""

from dataclasses import dataclass
from enum import IntEnum

from diffing.estimates import Estimate, Metrics
from diffing.metrics import net_interval
from diffing.metrics.equivalence import LEVEL, interval_90, p_below, prompts_needed
from diffing.policy.rule_evidence import CheckedDifference, CheckedReport
from diffing.policy.rules import Policy, PolicyRule
from diffing.types import SIDES, Report, Side


class CheckOutcome(IntEnum):
    """The result of a rule or a policy, as the exit code of `diffing check`."""

    KEPT = 0
    """Shown to hold."""
    BROKEN = 1
    """Shown not to hold."""
    UNKNOWN = 3
    """There is not enough evidence."""


@dataclass(frozen=True, slots=True)
class DifferenceResult:
    """One difference that a rule is about, in one direction that the rule forbids."""

    checked: CheckedDifference
    """The difference."""
    side: Side
    """The model that may not show more of it."""
    net: Estimate
    """The net difference for that model, with its 95% interval."""
    net_90: Estimate
    """The same on the prompts on which it can be determined, with its 90% interval, which belongs to a one-sided test
    at 5%."""
    p: float
    """The exact p, on these prompts, of the hypothesis that the net difference is at least the limit."""
    outcome: CheckOutcome
    """The result."""
    above: bool
    """Whether the 95% interval lies above the limit. If the run did not confirm the difference, this breaks nothing."""
    prompts: int | None
    """About how many held-out prompts would decide it; None if it is decided, or prompts are not what is missing."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule."""

    rule: PolicyRule
    """The rule."""
    differences: tuple[DifferenceResult, ...]
    """Everything that the rule is about: what breaks it first, then what is undecided, each the largest first."""
    untested: int
    """How many hypotheses and properties have no readable verdict on held-out prompts, and are not covered."""

    @property
    def outcome(self) -> CheckOutcome:
        """Broken if any difference is too large, kept if all are shown not to be; unknown if there are none."""
        return _together([each.outcome for each in self.differences])

    @property
    def prompts(self) -> int | None:
        """About how many held-out prompts would decide the rule; None if it is decided, or that is not known."""
        needed = [each.prompts for each in self.differences if each.outcome == CheckOutcome.UNKNOWN]
        if self.outcome != CheckOutcome.UNKNOWN or not needed or None in needed:
            return None
        return max(each for each in needed if each is not None)


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """The results of all rules of a policy."""

    rules: tuple[RuleResult, ...]
    """One per rule, in the policy's order."""

    @property
    def outcome(self) -> CheckOutcome:
        """Broken if any rule is, kept if all are."""
        return _together([each.outcome for each in self.rules])

    @property
    def prompts(self) -> int | None:
        """About how many held-out prompts would decide all rules; None if they are decided, or that is not known."""
        needed = [each.prompts for each in self.rules if each.outcome == CheckOutcome.UNKNOWN]
        return None if not needed or None in needed else max(each for each in needed if each is not None)


def check_policy(report: Report, policy: Policy) -> PolicyResult:
    """Checks a report against all rules of a policy.

    Args:
        report: The report. Its held-out responses are measured again for properties that the run did not test.
        policy: The rules.
    """
    found = CheckedReport(report)
    return PolicyResult(tuple(_rule_result(rule, found) for rule in policy.rules))


def _rule_result(rule: PolicyRule, found: CheckedReport) -> RuleResult:
    sides = SIDES if rule.direction == "either" else (rule.direction,)
    results = [_result(checked, side, rule.at_most) for checked in found.about(rule) for side in sides]
    order = (CheckOutcome.BROKEN, CheckOutcome.UNKNOWN, CheckOutcome.KEPT)
    ranked = sorted(results, key=lambda each: (order.index(each.outcome), -(each.net.value or 0.0)))
    return RuleResult(rule, tuple(ranked), found.untested(rule))


def _result(checked: CheckedDifference, side: Side, limit: float) -> DifferenceResult:
    predicted = side == checked.hypothesis.direction
    net = net_interval(*_counts(checked.heldout, predicted))
    known = _counts(checked.determined, predicted)
    p = p_below(*known, limit)
    above = net.low is not None and net.low > limit
    outcome = CheckOutcome.KEPT if p <= LEVEL else CheckOutcome.UNKNOWN
    if above and checked.confirmed and predicted:
        outcome = CheckOutcome.BROKEN
    net_90 = interval_90(*known)
    undecided = outcome == CheckOutcome.UNKNOWN and not above
    return DifferenceResult(
        checked=checked,
        side=side,
        net=net,
        net_90=net_90,
        p=p,
        outcome=outcome,
        above=above,
        prompts=prompts_needed(net_90, known[0], known[1], limit) if undecided else None,
    )


def _counts(heldout: Metrics, predicted: bool) -> tuple[int, int, int]:
    """The verdicts for a side and against it, and all readable ones, given whether it is the predicted side."""
    own, other = (heldout.k_for, heldout.k_against) if predicted else (heldout.k_against, heldout.k_for)
    return own, other, heldout.n


def _together(outcomes: list[CheckOutcome]) -> CheckOutcome:
    if CheckOutcome.BROKEN in outcomes:
        return CheckOutcome.BROKEN
    return CheckOutcome.KEPT if outcomes and set(outcomes) == {CheckOutcome.KEPT} else CheckOutcome.UNKNOWN
