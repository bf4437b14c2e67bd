"""Checks a report against a policy: rules on which differences between two models are allowed, and how large."""

from diffing.policy.checking import PolicyResult, RuleResult, check_policy
from diffing.policy.rule_evidence import CheckedDifference
from diffing.policy.rules import Policy, PolicyRule, read_policy

__all__ = ["CheckedDifference", "Policy", "PolicyResult", "PolicyRule", "RuleResult", "check_policy", "read_policy"]
