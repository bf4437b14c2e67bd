"""Verdicts of an LLM: which response of a pair fits a hypothesis better (arXiv 2602.10371).

Knows nothing of predicted directions: the judge is not told which model a hypothesis speaks about, and the verdict is
the side whose response fits. What follows from it is for `metrics` to say.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from diffing import metrics
from diffing.ask import Items, Question, ReplyError, Unreadable, ask_items, entries, entry, offered
from diffing.models.base import Model
from diffing.templates import fence, fence_conversation, render
from diffing.types import (
    Estimate,
    Hypothesis,
    Judgement,
    OnProgress,
    Pair,
    Side,
    Usage,
    Verdict,
    ignore_progress,
    other_side,
)

T = TypeVar("T")
Fits: TypeAlias = Literal["1", "2", "N/A"]
LABELS: tuple[Fits, ...] = ("1", "2", "N/A")
SCHEMA = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"statement": {"type": "integer"}, "fits": {"type": "string", "enum": list(LABELS)}},
                "required": ["statement", "fits"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}


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


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One question to the judge: a pair in one order, with up to a batch of hypotheses."""

    pair: Pair
    batch: tuple[Hypothesis, ...]
    first: Side

    def verdict(self, fits: Fits) -> Verdict:
        """The side a label means, through the order shown."""
        if fits == "N/A":
            return Verdict.NEITHER
        side = self.first if fits == "1" else other_side(self.first)
        return Verdict.A if side == "a" else Verdict.B


def judge(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    *,
    batch: int = 10,
    both_orders: bool = False,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> Judged:
    """Asks for one verdict on every hypothesis for every pair.

    Args:
        model: The judge.
        hypotheses: To be judged; in questions of up to `batch`.
        pairs: Train and held-out alike.
        batch: Hypotheses per question.
        both_orders: Ask everything twice, the responses swapped; a disagreement is NEITHER.
        seed: Of the order in which the two responses are shown, drawn by hash per pair and batch.
        on_progress: Told of every answer.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    sheets = _sheets(_groups(hypotheses, batch), pairs, both_orders, seed)
    asked = ask_items(
        model, [_question(sheet) for sheet in sheets], stage="judge", schema=SCHEMA, on_progress=on_progress
    )
    answered = list(zip(sheets, asked.replies, strict=True))
    orders = 2 if both_orders else 1
    verdicts = {
        (hypothesis.id, same[0][0].pair.prompt.id): _judgement(model.id, hypothesis, i, same)
        for same in _groups(answered, orders)
        for i, hypothesis in enumerate(same[0][0].batch)
    }
    first_place = _first_place([reply for _, reply in answered])
    consistency = _consistency(answered) if both_orders else None
    return Judged(
        judgements=tuple(verdicts[hypothesis.id, pair.prompt.id] for hypothesis in hypotheses for pair in pairs),
        usage=asked.usage,
        first_place=first_place,
        consistency=consistency,
        notes=(
            *_notes(model.id, first_place),
            *_notes_on_replies(asked.usage, consistency, len(hypotheses) * len(pairs)),
        ),
    )


def _sheets(
    groups: Sequence[tuple[Hypothesis, ...]], pairs: Sequence[Pair], both_orders: bool, seed: int
) -> list[_Sheet]:
    sheets: list[_Sheet] = []
    for group in groups:
        for pair in pairs:
            first = _first(seed, pair, group)
            sheets += [_Sheet(pair, group, side) for side in ((first, other_side(first)) if both_orders else (first,))]
    return sheets


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


def _groups(items: Sequence[T], size: int) -> list[tuple[T, ...]]:
    return [tuple(items[i : i + size]) for i in range(0, len(items), size)]


def _first(seed: int, pair: Pair, group: Sequence[Hypothesis]) -> Side:
    """Which response is shown first: a fair coin that is the same in every rerun."""
    key = "\0".join([str(seed), pair.prompt.id, *(hypothesis.id for hypothesis in group)])
    return "a" if hashlib.sha256(key.encode()).digest()[0] % 2 == 0 else "b"


def _question(sheet: _Sheet) -> Question[Fits]:
    text = render(
        "judge",
        count=len(sheet.batch),
        prompt=fence_conversation(sheet.pair.prompt.messages),
        response_1=fence(sheet.pair.response(sheet.first).text),
        response_2=fence(sheet.pair.response(other_side(sheet.first)).text),
        hypotheses=[fence(hypothesis.text) for hypothesis in sheet.batch],
    )
    return Question(text, functools.partial(_parse, len(sheet.batch)), items=len(sheet.batch))


def _parse(count: int, value: object) -> Items[Fits]:
    """One label per statement; a statement without one, with two different ones or a wrong one is unreadable."""
    found: dict[str, Fits | Unreadable] = {}
    numbers = [str(i + 1) for i in range(count)]
    for item in entries(value, "verdicts"):
        try:
            number = offered(entry(item, "statement"), numbers)
        except ReplyError:
            continue
        try:
            label: Fits | Unreadable = offered(entry(item, "fits"), LABELS)
        except ReplyError as error:
            label = Unreadable(str(error))
        found[number] = label if found.get(number, label) == label else Unreadable("two different labels")
    return tuple(found.get(number, Unreadable("no verdict on this statement")) for number in numbers)


def _judgement(judge_id: str, hypothesis: Hypothesis, i: int, same: Sequence[tuple[_Sheet, Items[Fits]]]) -> Judgement:
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
    """Share of labels "1" among "1" and "2", with Wilson's interval at the effective number of verdicts.

    The order is drawn once per reply, so the verdicts of one reply are not independent: the variance of the share is
    that of a ratio over replies, and the effective number is the one at which a binomial share has this variance (Korn
    and Graubard 1998, Confidence intervals for proportions with small expected number of positive counts, Survey
    Methodology 24).
    """
    counts = [(reply.count("1"), reply.count("1") + reply.count("2")) for reply in replies]
    k, n = sum(first for first, _ in counts), sum(decided for _, decided in counts)
    if n == 0:
        return metrics.wilson(0, 0)
    share = k / n
    variance = sum((first - share * decided) ** 2 for first, decided in counts) / n**2
    # with a share of 0 or 1 nothing varies: each reply counts once
    effective = share * (1 - share) / variance if variance > 0 else sum(decided > 0 for _, decided in counts)
    effective = max(1, min(n, round(effective)))
    interval = metrics.wilson(round(share * effective), effective)
    low, high = min(interval.low or 0.0, share), max(interval.high or 0.0, share)
    return Estimate(value=share, low=low, high=high, n=n)


def _consistency(answered: Sequence[tuple[_Sheet, Items[Fits]]]) -> Estimate:
    same = [
        one.verdict(x) == two.verdict(y)
        for (one, xs), (two, ys) in _groups(answered, 2)
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
