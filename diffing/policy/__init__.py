"""Checks a report against a policy: rules on which differences between two models are allowed, and how large."""

from diffing.policy.checking import PolicyResult, RuleResult, check_policy
from diffing.policy.measuring import Checked
from diffing.policy.rules import Policy, Rule, read_policy

__all__ = ["Checked", "Policy", "PolicyResult", "Rule", "RuleResult", "check_policy", "read_policy"]
