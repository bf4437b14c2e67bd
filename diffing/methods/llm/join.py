"""Merges hypotheses of the LLM method that name the same behaviour.

That may be of different models: if some lists show more of it from one model and others from the other, only all of
them together tell which model shows it more often.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diffing.methods.llm.difference import Difference
from diffing.methods.llm.embedders import Vectors
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.neighbours import order_of_neighbours
from diffing.methods.llm.proposal import NUMBERS, ProposedHypothesis, list_schema, read_numbers
from diffing.methods.llm.stages import JOIN
from diffing.methods.statements import Statement, statement_fields
from diffing.models.base import Model
from diffing.packing import packed_evenly, size_of
from diffing.structured_replies import Items, LlmQuestion, UnreadableReply, ask_items, entries, entry
from diffing.templates import fence, render
from diffing.types import OnProgress, Usage, other_side

SCHEMA = list_schema("groups", {"hypotheses": NUMBERS, "best": {"type": "integer"}})


@dataclass(frozen=True, slots=True)
class JoinedHypotheses:
    """The hypotheses after those that say the same were united."""

    proposals: tuple[ProposedHypothesis, ...]
    """The hypotheses that remain."""
    absorbed: tuple[ProposedHypothesis, ...]
    """Those that were taken into others."""
    usage: tuple[Usage, ...]
    """The calls and tokens that it took; empty if there was nothing to ask."""
    unreadable: int
    """Questions whose reply could not be read, so that nothing was united."""


_Group = tuple[int, tuple[int, ...]]
"""The number of the best hypothesis and those of the others, as indices."""


def join(
    model: Model,
    proposals: Sequence[ProposedHypothesis],
    listing: DifferenceListing,
    embed: Callable[[Sequence[str]], Vectors],
    *,
    on_progress: OnProgress,
) -> JoinedHypotheses:
    """Asks which hypotheses say the same, and unites them with the differences that carry them.

    If they are too many for one question, similar ones are asked about first, and then once more what remains.

    Args:
        model: The differ.
        proposals: The hypotheses.
        listing: The differences.
        embed: Gives one vector per sentence; called only if there are several questions.
        on_progress: Told of every answer.
    """
    remaining, absorbed = same_words(proposals, listing.differences)
    usage: list[Usage] = []
    for _ in range(2):
        packs = _packs(remaining, listing, embed)
        questions = [_question(remaining, pack, listing) for pack in packs if len(pack) > 1]
        if not questions:
            break
        asked = ask_items(model, questions, stage=JOIN, schema=SCHEMA, on_progress=on_progress)
        usage.append(asked.usage)
        groups = [group for (reply,) in asked.replies if not isinstance(reply, UnreadableReply) for group in reply]
        absorbed += [remaining[i] for _, others in groups for i in others]
        remaining, repeated = same_words(_united(remaining, groups, listing.differences), listing.differences)
        absorbed += repeated
        if len(packs) == 1:
            break
    return JoinedHypotheses(tuple(remaining), tuple(absorbed), _sum(usage), sum(each.unreadable for each in usage))


def same_words(
    proposals: Sequence[ProposedHypothesis], differences: Sequence[Difference]
) -> tuple[list[ProposedHypothesis], list[ProposedHypothesis]]:
    """Unites hypotheses in the same words, which needs no question.

    Returns:
        Those that remain, and those that were taken into them.
    """
    found: dict[str, ProposedHypothesis] = {}
    absorbed = []
    for each in proposals:
        first = found.setdefault(each.statement.text, each)
        if first is not each:
            found[each.statement.text] = first.carried_by((*first.differences, *each.differences), differences)
            absorbed.append(each)
    return list(found.values()), absorbed


def _sum(usage: Sequence[Usage]) -> tuple[Usage, ...]:
    """The rounds as one stage."""
    if not usage:
        return ()
    calls, read, written, unreadable = (
        sum(getattr(each, name) for each in usage)
        for name in ("calls", "prompt_tokens", "completion_tokens", "unreadable")
    )
    return (Usage(usage[0].stage, usage[0].model, calls, read, written, unreadable),)


def _packs(
    proposals: Sequence[ProposedHypothesis], listing: DifferenceListing, embed: Callable[[Sequence[str]], Vectors]
) -> list[list[int]]:
    sizes = [size_of(_line(i, proposal, listing)) + 1 for i, proposal in enumerate(proposals)]
    packs = packed_evenly(range(len(proposals)), lambda i: sizes[i])
    if len(packs) < 2:
        return packs
    order = order_of_neighbours(embed([proposal.statement.text for proposal in proposals]))
    return [sorted(pack) for pack in packed_evenly(order, lambda i: sizes[i])]


def _line(index: int, proposal: ProposedHypothesis, listing: DifferenceListing) -> str:
    shown = Statement(proposal.statement.behaviour, proposal.statement.condition)
    sides = (proposal.direction, other_side(proposal.direction))
    ahead, behind = (proposal.pairs_of(side, listing.differences) for side in sides)
    return f"{index + 1} | {listing.letter(proposal.direction)} | {statement_fields(shown)} | {ahead} to {behind}"


def _question(
    proposals: Sequence[ProposedHypothesis], pack: Sequence[int], listing: DifferenceListing
) -> LlmQuestion[tuple[_Group, ...]]:
    lines = "\n".join(_line(i, proposals[i], listing) for i in pack)
    text = render("join", count=len(pack), hypotheses=fence(lines))
    return LlmQuestion(text, lambda value: _read(value, frozenset(pack)))


def _read(value: object, shown: frozenset[int]) -> Items[tuple[_Group, ...]]:
    """The groups; a hypothesis is in the first one that names it."""
    groups: list[_Group] = []
    taken: set[int] = set()
    for item in entries(value, "groups"):
        members = read_numbers(entry(item, "hypotheses"), shown)
        best = next(iter(read_numbers([entry(item, "best")], members)), members[0] if members else -1)
        if best in taken or best < 0:
            continue
        others = tuple(i for i in members if i != best and i not in taken)
        if others:
            groups.append((best, others))
            taken |= {best, *others}
    return (tuple(groups),)


def _united(
    proposals: Sequence[ProposedHypothesis], groups: Sequence[_Group], differences: Sequence[Difference]
) -> list[ProposedHypothesis]:
    united = {
        best: proposals[best].carried_by(
            [index for i in (best, *others) for index in proposals[i].differences], differences
        )
        for best, others in groups
    }
    gone = {i for _, others in groups for i in others}
    return [united.get(i, proposal) for i, proposal in enumerate(proposals) if i not in gone]
