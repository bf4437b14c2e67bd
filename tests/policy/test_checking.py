"""Rules against reports with planted truth: broken, kept, or not enough evidence."""

from dataclasses import replace

import pytest

from diffing import metrics
from diffing.policy import Policy, PolicyResult, PolicyRule, check_policy
from diffing.policy.checking import CheckOutcome
from diffing.types import (
    Category,
    Finding,
    Finish,
    Hypothesis,
    Judgement,
    Message,
    Pair,
    Prompt,
    PropertyMeasure,
    Report,
    Response,
    Side,
    Verdict,
)
from tests.outputs.samples import empty_report


def finding(
    text: str, k_for: int, k_against: int, n: int, *, side: Side = "b", category: Category = "style"
) -> Finding:
    hypothesis = Hypothesis(f"llm-{text}", f"<MODEL> {text}", side, "llm", category)
    heldout = metrics.confirm({"x": metrics.metrics_of(n, k_for, k_against)})["x"]
    return Finding(hypothesis, metrics.metrics_of(0, 0, 0), heldout, True, metrics.confirmed(heldout))


def report(*findings: Finding, pairs: tuple[Pair, ...] = ()) -> Report:
    return replace(empty_report(), findings=findings, pairs=pairs)


def checked(shown: Report, **rule: object) -> PolicyResult:
    return check_policy(shown, Policy(rules=[PolicyRule.model_validate({"at_most": 0.1, **rule})]))


def answered(refusing: int, prompts: int) -> tuple[Pair, ...]:
    """Held-out pairs in which B refuses the first prompts and A none."""
    no, yes = "I'm sorry, but I can't help with that.", "Take the second road on the left."
    return tuple(
        Pair(
            Prompt(f"p{i}", (Message("user", "How?"),), "test", "heldout"),
            Response(f"p{i}", "org/base", yes, "stop"),
            Response(f"p{i}", "org/tuned", no if i < refusing else yes, "stop"),
        )
        for i in range(prompts)
    )


@pytest.mark.parametrize(("found", "outcome"), [
    (finding("jokes", 60, 2, 200), CheckOutcome.BROKEN),  # +29, 95% interval from +23
    (finding("jokes", 30, 2, 200), CheckOutcome.UNKNOWN),  # +14, from +9: confirmed, but the limit lies in the interval
    (finding("jokes", 12, 10, 400), CheckOutcome.KEPT),  # +0.5
    (finding("jokes", 12, 10, 40), CheckOutcome.UNKNOWN),
    (finding("jokes", 40, 2, 600), CheckOutcome.KEPT),  # +6: confirmed, and shown to be below 10
    (finding("jokes", 60, 2, 200, side="a"), CheckOutcome.KEPT),  # A has more of it, and the rule is about B
])  # fmt: skip
def test_one_finding(found: Finding, outcome: CheckOutcome) -> None:
    result = checked(report(found), pattern="jokes")
    assert result.outcome == outcome
    assert (result.prompts is None) == (outcome != CheckOutcome.UNKNOWN)


def test_either_direction_can_be_forbidden() -> None:
    shown = report(finding("jokes", 60, 2, 200, side="a"))
    assert checked(shown, pattern="jokes", direction="either").outcome == CheckOutcome.BROKEN
    assert checked(shown, pattern="jokes", direction="a").outcome == CheckOutcome.BROKEN
    assert [each.side for each in checked(shown, pattern="jokes", direction="either").rules[0].differences] == [
        *"ab",
    ]


def test_what_is_large_but_not_confirmed_breaks_nothing_and_no_number_of_prompts_is_promised() -> None:
    large = replace(finding("jokes", 60, 2, 200), confirmed=False)
    (rule,) = checked(report(large), pattern="jokes").rules
    assert (rule.outcome, rule.prompts, rule.differences[0].above) == (CheckOutcome.UNKNOWN, None, True)


def test_a_rule_is_about_what_it_names() -> None:
    shown = report(finding("jokes about cats", 60, 2, 200), finding("Rhymes", 2, 2, 400, category="format"))
    assert checked(shown, pattern="joke*CATS").outcome == CheckOutcome.BROKEN
    assert checked(shown, pattern="cats*joke").outcome == CheckOutcome.UNKNOWN  # nothing matches
    assert checked(shown, pattern="rhyme").outcome == CheckOutcome.KEPT
    assert checked(shown, category="format").outcome == CheckOutcome.KEPT
    assert checked(shown, category="style").outcome == CheckOutcome.BROKEN


@pytest.mark.parametrize("pattern", ["«of all»", "“of all”", '"of ALL"', "of all"])
def test_a_phrase_is_matched_in_whatever_marks_it_is_quoted(pattern: str) -> None:
    shown = report(finding("uses the phrase «of all» more often", 60, 2, 200))
    assert checked(shown, pattern=pattern).outcome == CheckOutcome.BROKEN


def test_a_property_that_the_run_did_not_test_is_measured() -> None:
    (kept,) = checked(report(pairs=answered(1, 150)), property="refusals").rules
    assert (kept.outcome, len(kept.differences)) == (CheckOutcome.KEPT, 1)
    one = kept.differences[0]
    assert (one.checked.heldout.k_for, one.checked.heldout.n, one.side) == (1, 150, "b")
    (few,) = checked(report(pairs=answered(1, 20)), property="refusals").rules
    assert few.outcome == CheckOutcome.UNKNOWN
    assert few.prompts is not None
    assert few.prompts > 20


def test_all_properties_of_a_category_are_measured_and_all_must_hold() -> None:
    (rule,) = checked(report(pairs=answered(60, 150)), category="safety and alignment").rules
    assert rule.outcome == CheckOutcome.UNKNOWN  # refusals are frequent, but this report confirmed none
    assert len(rule.differences) == 3
    assert rule.differences[0].above


@pytest.mark.parametrize(("finish", "outcome"), [("stop", CheckOutcome.KEPT), ("length", CheckOutcome.UNKNOWN)])
def test_a_property_that_cut_responses_hide_is_not_called_equal(finish: Finish, outcome: CheckOutcome) -> None:
    """Nobody knows how a cut response would have ended; in a run, such pairs count for neither side."""
    pairs = tuple(replace(pair, a=replace(pair.a, finish=finish)) for pair in answered(0, 150))
    (rule,) = checked(report(pairs=pairs), property="ends_with_question").rules
    assert rule.outcome == outcome
    assert rule.differences[0].checked.determined.n == (150 if finish == "stop" else 0)


def test_english_words_in_another_language_show_nothing() -> None:
    german = "Ich kann dir dabei leider nicht helfen, weil das nicht erlaubt ist und ich das nicht darf."
    pairs = tuple(replace(pair, b=replace(pair.b, text=german)) for pair in answered(0, 150))
    (rule,) = checked(report(pairs=pairs), property="refusals").rules
    assert (rule.outcome, rule.prompts) == (CheckOutcome.UNKNOWN, None)


def test_a_finding_is_called_small_only_where_its_property_can_be_determined() -> None:
    pairs = answered(0, 150)
    pairs = tuple(replace(p, a=replace(p.a, finish="length" if i < 140 else "stop")) for i, p in enumerate(pairs))
    own = finding("ends with a question", 0, 0, 150)
    own = replace(own, hypothesis=replace(own.hypothesis, measure=PropertyMeasure("ends_with_question")))
    verdicts = tuple(Judgement(own.hypothesis.id, p.prompt.id, Verdict.NEITHER, "measured") for p in pairs)
    shown = replace(report(own, pairs=pairs), judgements=verdicts)
    (rule,) = checked(shown, property="ends_with_question").rules
    assert (len(rule.differences), rule.outcome) == (1, CheckOutcome.UNKNOWN)
    assert (rule.differences[0].net.n, rule.differences[0].net_90.n) == (150, 10)


def test_hypotheses_without_a_test_are_counted_and_not_covered() -> None:
    futile = replace(finding("jokes", 0, 0, 0), heldout=metrics.metrics_of(0, 0, 0))
    (rule,) = checked(report(futile), pattern="jokes").rules
    assert (rule.outcome, rule.untested, rule.differences) == (CheckOutcome.UNKNOWN, 1, ())


def test_the_policy_is_kept_only_if_every_rule_is() -> None:
    shown = report(finding("jokes", 60, 2, 200), finding("rhymes", 2, 2, 400), finding("sighs", 2, 2, 20))
    rules = {name: PolicyRule(at_most=0.1, pattern=name) for name in ("jokes", "rhymes", "sighs")}

    def outcome(*names: str) -> CheckOutcome:
        return check_policy(shown, Policy(rules=[rules[name] for name in names])).outcome

    assert outcome("rhymes") == CheckOutcome.KEPT
    assert outcome("rhymes", "sighs") == CheckOutcome.UNKNOWN
    assert outcome("sighs", "jokes", "rhymes") == CheckOutcome.BROKEN
