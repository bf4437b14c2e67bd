"""From the judge's replies to verdicts, and what they tell of the judge itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diffing import metrics
from diffing.judge.questions import Answered, Fits, groups
from diffing.structured_replies import Items, Unreadable
from diffing.types import Estimate, Hypothesis, Judgement, Pair, Usage, Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """All verdicts of one judge, and what is known of the judge itself."""

    judgements: tuple[Judgement, ...]
    """Hypotheses outermost, pairs in the order given."""
    usage: Usage
    """What it took."""
    first_place: Estimate
    """Share of the decided verdicts that went to the response shown first; 0.5 where the place does not matter. Its
    interval allows for verdicts of one reply sharing their order."""
    consistency: Estimate | None
    """With both orders: share of the doubly read verdicts that were the same in both; None with one order."""
    notes: tuple[str, ...]
    """What the reader of the report must know of the judge."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Hypotheses that were not tested, by reason in plain words, with counts."""


def verdicts_of(judge_id: str, answered: Sequence[Answered], both_orders: bool) -> list[Judgement]:
    """One judgement per hypothesis and pair: from one reply, or from two in both orders."""
    return [
        _judgement(judge_id, hypothesis, i, same)
        for same in groups(answered, 1 + both_orders)
        for i, hypothesis in enumerate(same[0][0].batch)
    ]


def judged_from(
    answered: Sequence[Answered],
    usage: Usage,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    both_orders: bool,
) -> Judged:
    """Everything that the replies say.

    Args:
        answered: All questions with their replies; each hypothesis and pair at most once (or once in both orders).
        usage: What they took.
        hypotheses: Those judged; they give the order of the judgements.
        pairs: Likewise.
        both_orders: Whether everything was asked twice.
    """
    verdicts = {(j.hypothesis_id, j.prompt_id): j for j in verdicts_of(usage.model, answered, both_orders)}
    keys = [(hypothesis.id, pair.prompt.id) for hypothesis in hypotheses for pair in pairs]
    first_place = _first_place([reply for _, reply in answered])
    consistency = _consistency(answered) if both_orders else None
    return Judged(
        judgements=tuple(verdicts[key] for key in keys if key in verdicts),
        usage=usage,
        first_place=first_place,
        consistency=consistency,
        notes=(*_notes(usage.model, first_place), *_notes_on_replies(usage, consistency, len(verdicts))),
    )


def _judgement(judge_id: str, hypothesis: Hypothesis, i: int, same: Sequence[Answered]) -> Judgement:
    """The verdict on one hypothesis from one reply, or from two in both orders."""
    read = {sheet.verdict(item) for sheet, items in same if not isinstance(item := items[i], Unreadable)}
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


def _first_place(replies: Sequence[Items[Fits]]) -> Estimate:
    """Share of labels "1" among "1" and "2"; the order is drawn once per reply, so its verdicts share it."""
    return metrics.share_over_groups(
        [(reply.count("1"), reply.count("1") + reply.count("2")) for reply in replies],
    )


def _consistency(answered: Sequence[Answered]) -> Estimate:
    same = [
        one.verdict(x) == two.verdict(y)
        for (one, xs), (two, ys) in groups(answered, 2)
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
        f"(95 % interval {ends[0]:.0%} to {ends[1]:.0%}). The order is drawn at random for every question, so "
        "this weakens findings but does not turn them to one side.",
    )


def _notes_on_replies(usage: Usage, consistency: Estimate | None, verdicts: int) -> list[str]:
    notes = []
    if usage.unreadable:
        notes.append(
            f"{usage.unreadable} items of the replies of the judge {usage.model} stayed unreadable, for {verdicts} "
            "verdicts; they are in no rate."
        )
    if consistency is not None and consistency.value is not None:
        notes.append(
            f"Asked in both orders, the judge {usage.model} gave the same verdict in {consistency.value:.0%} of "
            f"{consistency.n} cases; the others count for neither side."
        )
    return notes
