"""Writes the result of a policy check for people and for CI: text, a Markdown summary, and JUnit XML."""

from diffing.outputs.gate.junit import junit
from diffing.outputs.gate.markdown import policy_summary
from diffing.outputs.gate.policy_words import as_json, difference_in_words, rule_in_words, verdict

__all__ = ["as_json", "difference_in_words", "junit", "policy_summary", "rule_in_words", "verdict"]
