"""Writes the result of a policy check as JUnit XML, which CI systems show as tests: one test case per rule."""

from xml.etree.ElementTree import Element, SubElement, tostring

from diffing.outputs.gate.policy_words import MOST_SHOWN, difference_in_words, rule_in_words, rule_title, verdict
from diffing.policy import PolicyResult, RuleResult
from diffing.policy.checking import CheckOutcome
from diffing.report.model_names import ModelNames, one_line

_LINE = 600
_TAGS = {CheckOutcome.BROKEN: "failure", CheckOutcome.UNKNOWN: "error"}


def junit(result: PolicyResult, names: ModelNames) -> bytes:
    """Returns the XML: a failure for a broken rule, and an error for one without enough evidence."""
    counts = {tag: sum(each.outcome == outcome for each in result.rules) for outcome, tag in _TAGS.items()}
    suite = Element(
        "testsuite",
        name=one_line(f"diffing: {names.a} and {names.b}", _LINE),
        tests=str(len(result.rules)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
    )
    for each in result.rules:
        _add_case(suite, each, names)
    SubElement(suite, "system-out").text = one_line(verdict(result), _LINE)
    content: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add_case(suite: Element, result: RuleResult, names: ModelNames) -> None:
    case = SubElement(suite, "testcase", classname="diffing.policy", name=one_line(rule_title(result, names), _LINE))
    if tag := _TAGS.get(result.outcome):
        problem = SubElement(case, tag, message=one_line(rule_in_words(result), _LINE))
        shown = [each for each in result.differences if each.outcome != CheckOutcome.KEPT][:MOST_SHOWN]
        # one_line leaves only printable characters, so that the XML stays well-formed whatever a model wrote
        problem.text = "\n".join(one_line(difference_in_words(each, names), _LINE) for each in shown)
