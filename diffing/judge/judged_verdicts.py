"""Makes a verdict on each hypothesis and pair from the judge's parsed replies, and measures the judge's consistency."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from diffing import metrics
from diffing.estimates import Estimate
from diffing.judge.judge_questions import AnsweredQuestion, Label, batches
from diffing.structured_replies import Items, UnreadableReply
from diffing.types import Hypothesis, Judgement, Pair, Usage, Verdict


@dataclass(frozen=True, slots=True)
class JudgingResult:
    """All verdicts of one judge, and measurements of the judge itself."""

    judgements: tuple[Judgement, ...]
    """The verdicts, ordered by hypothesis and then by pair."""
    answered: tuple[AnsweredQuestion, ...]
    """The questions to the judge with its replies; in both orders, the two about a pair and batch are neighbours."""
    usage: Usage
    """The judge's calls and tokens for verdicts."""
    first_place: Estimate
    """The share of the verdicts for a side that went to the response shown first; 0.5 if the position has no effect.
    Its interval takes into account that the verdicts of one reply share their order."""
    consistency: Estimate | None
    """The share of verdicts that were the same in both orders, if every pair was judged in both; otherwise None."""
    notes: tuple[str, ...]
    """What a reader of the report must know about the judge, in full sentences."""
    scope_usage: Usage | None = None
    """The judge's calls and tokens for deciding which prompts are in the scopes; None if no hypothesis has one."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """The number of hypotheses that were not tested, for each reason in plain words."""


def verdicts_of(judge_id: str, answered: Sequence[AnsweredQuestion], both_orders: bool) -> list[Judgement]:
    """Makes one judgement per hypothesis and pair, from one reply or from the two replies in both orders."""
    return [
        _judgement(judge_id, hypothesis, i, same)
        for same in batches(answered, 1 + both_orders)
        for i, hypothesis in enumerate(same[0][0].batch)
    ]


def verdict_without_question(
    judge_id: str, hypothesis: Hypothesis, prompt_id: str, why: UnreadableReply | None
) -> Judgement:
    """Makes the verdict on a hypothesis for a prompt on which the judge is not asked about it.

    Args:
        judge_id: The judge's id.
        hypothesis: A hypothesis with a scope.
        prompt_id: The id of a prompt that is outside the scope, or of which that is not known.
        why: Why it is not known whether the prompt is in the scope; None if it is outside.
    """
    if why is None:
        return Judgement(hypothesis.id, prompt_id, Verdict.NOT_SHOWN, judge_id, in_scope=False)
    return Judgement(hypothesis.id, prompt_id, Verdict.UNREADABLE, judge_id, reply=why.text or why.reason)


def judged_from(
    answered: Sequence[AnsweredQuestion],
    verdicts: Iterable[Judgement],
    usage: Usage,
    scope_usage: Usage | None,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    both_orders: bool,
) -> JudgingResult:
    """Orders the verdicts, and measures the judge itself.

    Args:
        answered: All questions with their replies.
        verdicts: The verdicts from these replies, and those without a question; one for a hypothesis and pair.
        usage: The calls and tokens of these questions.
        scope_usage: The calls and tokens for deciding scopes.
        hypotheses: The judged hypotheses, in the order of the judgements.
        pairs: The judged pairs, in the order of the judgements.
        both_orders: Whether every question was asked in both orders.
    """
    by_key = {(j.hypothesis_id, j.prompt_id): j for j in verdicts}
    keys = [(hypothesis.id, pair.prompt.id) for hypothesis in hypotheses for pair in pairs]
    first_place = _first_place([reply for _, reply in answered])
    consistency = _consistency(answered) if both_orders else None
    asked = sum(len(question.batch) for question, _ in answered) // (1 + both_orders)
    return JudgingResult(
        judgements=tuple(by_key[key] for key in keys if key in by_key),
        answered=tuple(answered),
        usage=usage,
        first_place=first_place,
        consistency=consistency,
        notes=(
            *_notes_on_place(usage.model, first_place),
            *_notes_on_replies(usage, consistency, asked),
            *_notes_on_scopes(scope_usage),
        ),
        scope_usage=scope_usage,
    )


def _judgement(judge_id: str, hypothesis: Hypothesis, i: int, same: Sequence[AnsweredQuestion]) -> Judgement:
    """Makes the verdict on one hypothesis from one reply, or from the two replies in both orders."""
    read = {question.verdict(item) for question, items in same if not isinstance(item := items[i], UnreadableReply)}
    raw = [items[i] for _, items in same]
    if any(isinstance(item, UnreadableReply) for item in raw):
        verdict = Verdict.UNREADABLE
    else:
        verdict = read.pop() if len(read) == 1 else Verdict.NEITHER
    return Judgement(
        hypothesis_id=hypothesis.id,
        prompt_id=same[0][0].pair.prompt.id,
        verdict=verdict,
        judge=judge_id,
        shown_first=same[0][0].first,
        reply=" | ".join(item.text or item.reason if isinstance(item, UnreadableReply) else item for item in raw),
    )


def _first_place(replies: Sequence[Items[Label]]) -> Estimate:
    """The share of "1" among the labels "1" and "2"; all labels of one reply share the order of responses."""
    return metrics.share_over_groups(
        [(reply.count("1"), reply.count("1") + reply.count("2")) for reply in replies],
    )


def _consistency(answered: Sequence[AnsweredQuestion]) -> Estimate:
    """The share of verdicts that were the same in both orders, given questions of which every two are one in both."""
    same = [
        one.verdict(x) == two.verdict(y)
        for (one, xs), (two, ys) in batches(answered, 2)
        for x, y in zip(xs, ys, strict=True)
        if not isinstance(x, UnreadableReply) and not isinstance(y, UnreadableReply)
    ]
    return metrics.wilson(sum(same), len(same))


def _notes_on_place(judge_id: str, first_place: Estimate) -> tuple[str, ...]:
    value, low, high = first_place.value, first_place.low, first_place.high
    if value is None or low is None or high is None or low <= 0.5 <= high:
        return ()
    place, share, ends = ("first", value, (low, high)) if value > 0.5 else ("second", 1 - value, (1 - high, 1 - low))
    return (
        f"The judge {judge_id} prefers the response shown {place}: {share:.0%} of its decided verdicts went there "
        f"(95% interval {ends[0]:.0%} to {ends[1]:.0%}). The order is drawn at random for every question, so "
        "this weakens findings but does not favour either model.",
    )


def _notes_on_replies(usage: Usage, consistency: Estimate | None, verdicts: int) -> list[str]:
    notes = []
    if usage.unreadable:
        notes.append(
            f"{usage.unreadable} items in the replies of the judge {usage.model} could not be read (for {verdicts} "
            "verdicts); they count in no rate."
        )
    if consistency is not None and consistency.value is not None:
        notes.append(
            f"Asked in both orders, the judge {usage.model} gave the same verdict in {consistency.value:.0%} of "
            f"{consistency.n} cases; the others count for neither side."
        )
    return notes


def _notes_on_scopes(usage: Usage | None) -> tuple[str, ...]:
    if usage is None or not usage.unreadable:
        return ()
    return (
        f"For {usage.unreadable} prompts the judge {usage.model} gave no readable reply on which conditions they meet; "
        "the verdicts of hypotheses with a condition on these prompts count in no rate.",
    )
