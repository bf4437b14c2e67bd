"""Makes a verdict on each hypothesis and pair from the judge's parsed replies, and measures the judge's consistency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diffing import metrics
from diffing.judge.questions import AnsweredQuestion, Label, batches
from diffing.structured_replies import Items, Unreadable
from diffing.types import Estimate, Hypothesis, Judgement, Pair, Usage, Verdict


@dataclass(frozen=True, slots=True)
class JudgingResult:
    """All verdicts of one judge, and measurements of the judge itself."""

    judgements: tuple[Judgement, ...]
    """The verdicts, ordered by hypothesis and then by pair."""
    usage: Usage
    """The judge's calls and tokens."""
    first_place: Estimate
    """The share of the verdicts for a side that went to the response shown first; 0.5 if the position has no effect.
    Its interval takes into account that the verdicts of one reply share their order."""
    consistency: Estimate | None
    """The share of verdicts that were the same in both orders, if every pair was judged in both; otherwise None."""
    notes: tuple[str, ...]
    """What a reader of the report must know about the judge, in full sentences."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """The number of hypotheses that were not tested, for each reason in plain words."""


def verdicts_of(judge_id: str, answered: Sequence[AnsweredQuestion], both_orders: bool) -> list[Judgement]:
    """Makes one judgement per hypothesis and pair, from one reply or from the two replies in both orders."""
    return [
        _judgement(judge_id, hypothesis, i, same)
        for same in batches(answered, 1 + both_orders)
        for i, hypothesis in enumerate(same[0][0].batch)
    ]


def judged_from(
    answered: Sequence[AnsweredQuestion],
    usage: Usage,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    both_orders: bool,
) -> JudgingResult:
    """Makes the judgements from the judge's replies, and measures the judge itself.

    Args:
        answered: All questions with their replies; each hypothesis and pair at most once (or once in each order).
        usage: The calls and tokens of these questions.
        hypotheses: The judged hypotheses, in the order of the judgements.
        pairs: The judged pairs, in the order of the judgements.
        both_orders: Whether every question was asked in both orders.
    """
    verdicts = {(j.hypothesis_id, j.prompt_id): j for j in verdicts_of(usage.model, answered, both_orders)}
    keys = [(hypothesis.id, pair.prompt.id) for hypothesis in hypotheses for pair in pairs]
    first_place = _first_place([reply for _, reply in answered])
    consistency = _consistency(answered) if both_orders else None
    return JudgingResult(
        judgements=tuple(verdicts[key] for key in keys if key in verdicts),
        usage=usage,
        first_place=first_place,
        consistency=consistency,
        notes=(*_notes(usage.model, first_place), *_notes_on_replies(usage, consistency, len(verdicts))),
    )


def _judgement(judge_id: str, hypothesis: Hypothesis, i: int, same: Sequence[AnsweredQuestion]) -> Judgement:
    """Makes the verdict on one hypothesis from one reply, or from the two replies in both orders."""
    read = {question.verdict(item) for question, items in same if not isinstance(item := items[i], Unreadable)}
    raw = [items[i] for _, items in same]
    if any(isinstance(item, Unreadable) for item in raw):
        verdict = Verdict.UNREADABLE
    else:
        verdict = read.pop() if len(read) == 1 else Verdict.NEITHER
    return Judgement(
        hypothesis_id=hypothesis.id,
        prompt_id=same[0][0].pair.prompt.id,
        verdict=verdict,
        judge=judge_id,
        shown_first=same[0][0].first,
        reply=" | ".join(item.text or item.reason if isinstance(item, Unreadable) else item for item in raw),
    )


def _first_place(replies: Sequence[Items[Label]]) -> Estimate:
    """Estimates the share of "1" among the labels "1" and "2"; all labels of one reply share the order of responses."""
    return metrics.share_over_groups(
        [(reply.count("1"), reply.count("1") + reply.count("2")) for reply in replies],
    )


def _consistency(answered: Sequence[AnsweredQuestion]) -> Estimate:
    same = [
        one.verdict(x) == two.verdict(y)
        for (one, xs), (two, ys) in batches(answered, 2)
        for x, y in zip(xs, ys, strict=True)
        if not isinstance(x, Unreadable) and not isinstance(y, Unreadable)
    ]
    return metrics.wilson(sum(same), len(same))


def _notes(judge_id: str, first_place: Estimate) -> tuple[str, ...]:
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
