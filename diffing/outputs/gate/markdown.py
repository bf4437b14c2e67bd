"""Writes the result of a policy check as Markdown, for the summary of a CI job."""

from diffing.outputs.gate.policy_words import (
    COVERS,
    MOST_SHOWN,
    OUTCOMES,
    difference_in_words,
    rule_in_words,
    rule_title,
    verdict,
)
from diffing.outputs.markdown_escape import prose
from diffing.policy import PolicyResult, RuleResult
from diffing.policy.checking import CheckOutcome
from diffing.report.model_names import ModelNames

_SIGNS = {CheckOutcome.KEPT: "✅", CheckOutcome.BROKEN: "❌", CheckOutcome.UNKNOWN: "⚠️"}
_NAME, _LINE = 60, 600


def policy_summary(result: PolicyResult, names: ModelNames) -> str:
    """Returns the verdict, a table of the rules, and what breaks them or cannot be decided.

    Text from models and users is escaped, so that none of it becomes markup, a link or a mention.
    """
    head = f"## {_SIGNS[result.outcome]} {prose(names.a, _NAME)} and {prose(names.b, _NAME)}"
    rows = [
        f"| {prose(rule_title(each, names), _LINE)} | {_SIGNS[each.outcome]} {OUTCOMES[each.outcome]} | "
        f"{prose(rule_in_words(each), _LINE)} |"
        for each in result.rules
    ]
    table = "\n".join(["| rule | outcome | |", "|---|---|---|", *rows])
    details = [_details(each, names) for each in result.rules if each.outcome != CheckOutcome.KEPT and each.differences]
    parts = [head, f"**{verdict(result)}**", table, *details, COVERS]
    return "\n\n".join(parts).replace("\u00a0", " ") + "\n"


def _details(result: RuleResult, names: ModelNames) -> str:
    open_ones = [each for each in result.differences if each.outcome != CheckOutcome.KEPT]
    lines = [f"- {_SIGNS[each.outcome]} {prose(difference_in_words(each, names), _LINE)}" for each in open_ones]
    left = len(lines) - MOST_SHOWN
    more = [f"- … and {left:,} more" if left > 0 else ""]
    return "\n".join([f"**{prose(rule_title(result, names), _LINE)}**", "", *lines[:MOST_SHOWN], *filter(None, more)])
