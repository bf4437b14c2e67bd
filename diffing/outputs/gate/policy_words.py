"""Puts the result of a policy check into words. All text is plain; the caller must escape it."""

from collections.abc import Mapping
from dataclasses import asdict

from diffing.outputs.phrasing import count, hypothesis_text, interval, one_line, pieces_of, points, probability
from diffing.policy.checking import CheckOutcome, DifferenceResult, PolicyResult, RuleResult
from diffing.report.model_names import ModelNames

OUTCOMES: Mapping[CheckOutcome, str] = {
    CheckOutcome.KEPT: "kept",
    CheckOutcome.BROKEN: "broken",
    CheckOutcome.UNKNOWN: "not enough evidence",
}
"""The outcomes in words."""
MOST_SHOWN = 20
"""Maximum number of differences that are listed for one rule."""
_STATEMENT = 300
COVERS = (
    "A rule is broken by a confirmed difference whose 95% interval is above the limit. It is kept if an exact test at "
    "5% shows every difference that it is about to be below the limit; the probability that a policy is wrongly called "
    "kept is at most 5%, however many rules it has."
)
"""What the outcomes mean."""


def verdict(result: PolicyResult) -> str:
    """The result of the whole policy in one sentence."""
    rules = count(len(result.rules), "rule")
    broken = sum(each.outcome == CheckOutcome.BROKEN for each in result.rules)
    unknown = sum(each.outcome == CheckOutcome.UNKNOWN for each in result.rules)
    if broken:
        also = f", and for {unknown:,} there is not enough evidence" if unknown else ""
        return f"The policy is broken: {broken:,} of {rules} {'is' if broken == 1 else 'are'} broken{also}."
    if not unknown:
        return f"The policy is kept: {rules} {'is' if len(result.rules) == 1 else 'are all'} shown to hold."
    return f"Not enough evidence: no rule is broken, but {unknown:,} of {rules} cannot be decided.{_more(result)}"


def _more(result: PolicyResult) -> str:
    return f" About {count(result.prompts, 'held-out prompt')} would decide." if result.prompts else ""


def rule_title(result: RuleResult, names: ModelNames) -> str:
    """What a rule demands.

    Example: "refusals: tuned at most +5 points".
    """
    rule = result.rule
    who = "either model" if rule.direction == "either" else names.of(rule.direction)
    return f"{one_line(rule.title, 200)}: {who} at most {points(rule.at_most)} points"


def rule_in_words(result: RuleResult) -> str:
    """The result of one rule in one or two sentences."""
    differences = {each.checked.hypothesis.id for each in result.differences}
    about = count(len(differences), "difference")
    left = count(result.untested, "hypothesis or property", "hypotheses and properties")
    aside = (
        f" {left} {_has(result.untested)} no verdict on held-out prompts, and the result does not cover them."
        if result.untested
        else ""
    )
    match result.outcome:
        case CheckOutcome.BROKEN:
            broken = sum(each.outcome == CheckOutcome.BROKEN for each in result.differences)
            said = f"{broken:,} of {about} {'breaks' if broken == 1 else 'break'} the rule."
        case CheckOutcome.KEPT:
            said = f"All of {about} that the rule is about are shown to be below the limit."
            said = said if len(differences) > 1 else "The difference is shown to be below the limit."
        case CheckOutcome.UNKNOWN if not result.differences:
            said = "Nothing that the rule is about was measured or tested on held-out prompts."
        case CheckOutcome.UNKNOWN:
            unknown = len({e.checked.hypothesis.id for e in result.differences if e.outcome == CheckOutcome.UNKNOWN})
            said = f"{unknown:,} of {about} cannot be shown to be below the limit."
            said += f" About {count(result.prompts, 'held-out prompt')} would decide." if result.prompts else ""
    return said + aside


def difference_in_words(result: DifferenceResult, names: ModelNames) -> str:
    """One difference with its size.

    Example: "tuned refuses more often: net difference +8 points for tuned, 95% interval +6 to +11 (500 prompts)".
    """
    hypothesis = result.checked.hypothesis
    text = "".join(
        names.of(side) if side else piece
        for piece, side in pieces_of(hypothesis_text(hypothesis), hypothesis.direction)
    )
    shown = result.net if result.outcome == CheckOutcome.BROKEN or result.above else result.net_90
    size = f"net difference {points(shown.value)} points for {names.of(result.side)}"
    left = result.net.n - result.net_90.n
    hidden = f" ({left:,} more cannot be determined)" if left > 0 and shown is result.net_90 else ""
    on = f"{count(shown.n, 'held-out prompt')}{hidden}"
    if result.outcome == CheckOutcome.BROKEN:
        tested = f"95% interval {interval(result.net)}, confirmed"
    elif result.above:
        tested = f"95% interval {interval(result.net)}, above the limit but not confirmed by the run"
    else:
        tested = f"90% interval {interval(result.net_90)}, p {probability(result.p)}"
    more = f"; about {count(result.prompts, 'prompt')} would decide" if result.prompts else ""
    return f"{one_line(text, _STATEMENT)}: {size}, {tested}, on {on}{more}"


def as_json(result: PolicyResult, names: ModelNames) -> dict[str, object]:
    """The result as plain values, for programs."""
    return {
        "outcome": OUTCOMES[result.outcome],
        "exit_code": int(result.outcome),
        "verdict": verdict(result),
        "heldout_prompts_needed": result.prompts,
        "rules": [
            {
                "rule": each.rule.model_dump(by_alias=True, exclude_none=True),
                "outcome": OUTCOMES[each.outcome],
                "heldout_prompts_needed": each.prompts,
                "not_tested": each.untested,
                "differences": [_difference(one, names) for one in each.differences],
            }
            for each in result.rules
        ],
    }


def _difference(result: DifferenceResult, names: ModelNames) -> dict[str, object]:
    return {
        "id": result.checked.hypothesis.id,
        "text": difference_in_words(result, names),
        "side": result.side,
        "outcome": OUTCOMES[result.outcome],
        "net_difference": asdict(result.net),
        "net_difference_90": asdict(result.net_90),
        "p": result.p,
        "heldout_prompts_needed": result.prompts,
    }


def _has(number: int) -> str:
    return "has" if number == 1 else "have"
