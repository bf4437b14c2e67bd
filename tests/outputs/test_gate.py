"""The result of a policy check for people and for CI, whatever models wrote."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from diffing.outputs.gate import as_json, junit, policy_summary, verdict
from diffing.policy import Policy, PolicyResult, PolicyRule, check_policy
from diffing.report.model_names import ModelNames
from tests.hostile import CORE
from tests.policy.test_checking import finding, report

NAMES = ModelNames("base", "tuned")


def result() -> PolicyResult:
    shown = report(finding("jokes", 60, 2, 200), finding("rhymes", 2, 2, 400), finding("sighs", 2, 2, 20))
    return check_policy(
        shown, Policy(rules=[PolicyRule(at_most=0.1, pattern=each) for each in ("jokes", "rhymes", "sighs")])
    )


def test_the_verdict_counts_rules() -> None:
    checked = result()
    assert verdict(checked) == (
        "The policy is broken: 1 of 3\u00a0rules is broken, and for 1 there is not enough evidence."
    )
    assert verdict(PolicyResult(checked.rules[1:2])) == "The policy is kept: 1\u00a0rule is shown to hold."
    assert verdict(PolicyResult(checked.rules[1:])) == (
        "Not enough evidence: no rule is broken, but 1 of 2\u00a0rules cannot be decided. "
        f"About {checked.rules[2].prompts}\u00a0held-out prompts would decide."
    )


def test_junit_has_a_case_per_rule() -> None:
    suite = ElementTree.fromstring(junit(result(), NAMES))
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    assert [[child.tag for child in case] for case in suite.iter("testcase")] == [["failure"], [], ["error"]]
    (failure,) = suite.iter("failure")
    assert failure.text == (
        "tuned jokes: net difference +29 points for tuned, 95% interval +23 to +36, confirmed, on 200 held-out prompts"
    )


def test_the_summary_has_a_row_per_rule() -> None:
    text = policy_summary(result(), NAMES)
    assert "| pattern jokes: tuned at most +10 points | ❌ broken | 1 of 1 difference breaks the rule. |" in text
    assert "| pattern rhymes: tuned at most +10 points | ✅ kept |" in text
    assert "at most 5%" in text


def test_programs_get_the_numbers() -> None:
    told = as_json(result(), NAMES)
    assert (told["outcome"], told["exit_code"]) == ("broken", 1)
    first, *_ = told["rules"]  # type: ignore[misc]
    assert first["rule"] == {"at_most": 0.1, "direction": "b", "pattern": "jokes"}


@pytest.mark.parametrize("attack", CORE.values(), ids=CORE)
def test_hostile_text_stays_text(attack: str) -> None:
    own = finding("jokes", 60, 2, 200)
    own = replace(own, hypothesis=replace(own.hypothesis, text=f"<MODEL> {attack} jokes"))
    rule = PolicyRule(at_most=0.1, pattern="jokes", name=attack.encode(errors="replace").decode()[:100] or "x")
    checked = check_policy(report(own), Policy(rules=[rule]))
    names = ModelNames(attack[:48] or "a", "b")
    suite = ElementTree.fromstring(junit(checked, names))
    assert [case.tag for case in suite] == ["testcase", "system-out"]
    text = policy_summary(checked, names)
    assert len(text.splitlines()) == 13
    assert "<" not in text.replace("`", "") or "&lt;" in text or "<" not in attack
    assert not {"\x1b", "\u202e"} & set(text)
