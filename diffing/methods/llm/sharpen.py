"""Has an LLM narrow, split or drop proposed hypotheses, once, before any held-out response is looked at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.methods.llm.embedders import Vectors
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.proposal import NUMBERS, ProposedHypothesis, list_schema, object_schema, read_numbers
from diffing.methods.llm.stages import SHARPEN
from diffing.methods.statements import read_statement, statement_fields
from diffing.models.base import Model
from diffing.numbered_lines import answers_by_number
from diffing.packing import packed, size_of
from diffing.structured_replies import (
    Items,
    LlmQuestion,
    ReplyError,
    UnreadableReply,
    ask_items,
    entries,
    entry,
    offered,
)
from diffing.templates import fence, render
from diffing.types import OnProgress, Side, Usage, Verdict, other_side

SHOWN = 5
"""How many pairs for a hypothesis, pairs against it, and prompts on which it did not show are shown."""
PER_QUESTION = 8
"""Most hypotheses in one question."""
MOST_PARTS = 3
"""Most hypotheses that one can be split into."""
_DECISIONS = ("keep", "change", "drop")
_BECOMES = {"type": "array", "items": object_schema(
    {"differences": NUMBERS, "behaviour": {"type": "string"}, "condition": {"type": "string"}}
)}  # fmt: skip
SCHEMA = list_schema(
    "hypotheses",
    {
        "hypothesis": {"type": "integer"},
        "decision": {"type": "string", "enum": list(_DECISIONS)},
        "becomes": _BECOMES,
    },
)


@dataclass(frozen=True, slots=True)
class SharpenedHypotheses:
    """The hypotheses after they were sharpened."""

    proposals: tuple[ProposedHypothesis, ...]
    """The hypotheses that remain; `before` tells what a changed one was."""
    dropped: tuple[ProposedHypothesis, ...]
    """Those that were dropped."""
    usage: tuple[Usage, ...]
    """The calls and tokens that it took; empty if there was nothing to ask."""
    unreadable: int
    """Hypotheses on which the reply could not be read; they are kept as they were."""


def sharpen(
    model: Model,
    proposals: Sequence[ProposedHypothesis],
    listing: DifferenceListing,
    vectors: Vectors,
    *,
    on_progress: OnProgress,
) -> SharpenedHypotheses:
    """Asks about several hypotheses per question.

    Args:
        model: The differ.
        proposals: The hypotheses.
        listing: The differences of the train pairs; nothing else is shown.
        vectors: One vector per difference. A difference that was not shown follows the most similar one that was.
        on_progress: Told of every answer.
    """
    if not proposals:
        return SharpenedHypotheses((), (), (), 0)
    blocks = {i: _block(proposal, listing) for i, proposal in enumerate(proposals)}
    packs = packed(list(blocks), lambda i: size_of(blocks[i]), most_items=PER_QUESTION)
    questions = [_question([proposals[i] for i in pack], [blocks[i] for i in pack], listing, vectors) for pack in packs]
    asked = ask_items(model, questions, stage=SHARPEN, schema=SCHEMA, on_progress=on_progress)
    kept: list[ProposedHypothesis] = []
    dropped: list[ProposedHypothesis] = []
    for proposal, reply in zip(proposals, (item for items in asked.replies for item in items), strict=True):
        become = (proposal,) if isinstance(reply, UnreadableReply) else reply
        kept += become
        dropped += () if become else (proposal,)
    return SharpenedHypotheses(tuple(kept), tuple(dropped), (asked.usage,), asked.usage.unreadable)


def shown_of(proposal: ProposedHypothesis, side: Side, listing: DifferenceListing) -> list[int]:
    """The differences of one side that are shown: of different pairs, spread over all of them."""
    first: dict[str, int] = {}
    for index in proposal.differences:
        if listing.differences[index].owner == side:
            first.setdefault(listing.differences[index].prompt_id, index)
    return _spread(list(first.values()))


def _spread(items: Sequence[int]) -> list[int]:
    return [items[i * len(items) // SHOWN] for i in range(SHOWN)] if len(items) > SHOWN else list(items)


def _block(proposal: ProposedHypothesis, listing: DifferenceListing) -> str:
    """The lines of one hypothesis."""
    side, verdicts = proposal.direction, proposal.verdicts(listing.differences)
    counts = [proposal.pairs_of(each, listing.differences) for each in (side, other_side(side))]
    both = sum(verdict is Verdict.SAME for verdict in verdicts.values())
    elsewhere = [prompt_id for prompt_id in listing.beginnings if prompt_id not in verdicts]
    lines = [
        f"{listing.letter(side)} | {statement_fields(proposal.statement)} | "
        f"{counts[0]} prompts for, {counts[1]} against, {both} both, {len(elsewhere)} not noted"
    ]
    for word, owner in (("for", side), ("against", other_side(side))):
        lines += [f"{word} | {i + 1} | {listing.described(i, quoted=True)}" for i in shown_of(proposal, owner, listing)]
    lines += [f"not noted | {listing.prompt(elsewhere[i])}" for i in _spread(range(len(elsewhere)))]
    return "\n".join(lines)


def _question(
    proposals: Sequence[ProposedHypothesis], blocks: Sequence[str], listing: DifferenceListing, vectors: Vectors
) -> LlmQuestion[tuple[ProposedHypothesis, ...]]:
    text = render("sharpen", hypotheses=[fence(block) for block in blocks])
    return LlmQuestion(text, lambda value: _read(value, proposals, listing, vectors), len(proposals))


def _read(
    value: object, proposals: Sequence[ProposedHypothesis], listing: DifferenceListing, vectors: Vectors
) -> Items[tuple[ProposedHypothesis, ...]]:
    """What becomes of each hypothesis of a question."""
    return answers_by_number(
        entries(value, "hypotheses"),
        len(proposals),
        lambda item, place: _decided(item, proposals[place], listing, vectors),
        key="hypothesis",
        missing="no entry for this hypothesis",
    )


def _decided(
    item: object, proposal: ProposedHypothesis, listing: DifferenceListing, vectors: Vectors
) -> tuple[ProposedHypothesis, ...]:
    match offered(entry(item, "decision"), _DECISIONS):
        case "keep":
            return (proposal,)
        case "drop":
            return ()
        case _:
            return _changed(entries(entry(item, "becomes"), "becomes"), proposal, listing, vectors)


def _changed(
    becomes: Sequence[object], proposal: ProposedHypothesis, listing: DifferenceListing, vectors: Vectors
) -> tuple[ProposedHypothesis, ...]:
    """The parts of a changed hypothesis, each with the differences that carry it.

    Raises:
        ReplyError: There are none or too many, or one cannot be read.
    """
    if not 1 <= len(becomes) <= MOST_PARTS:
        raise ReplyError(f"a hypothesis that becomes {len(becomes)}")
    sides: tuple[Side, Side] = ("a", "b")
    shown = [i for side in sides for i in shown_of(proposal, side, listing)]
    carrying = [read_numbers(entry(item, "differences"), shown) for item in becomes]
    statements = [read_statement(item) for item in becomes]
    if not all(carrying):
        raise ReplyError("a hypothesis that no difference carries")
    nearest = _nearest_shown(proposal.differences, shown, vectors)
    parts = []
    for statement, own in zip(statements, carrying, strict=True):
        indices = [i for i in proposal.differences if nearest[i] in own]
        part = replace(proposal, statement=statement, before=proposal.statement.text)
        parts.append(part.carried_by(indices, listing.differences))
    return tuple(parts)


def _nearest_shown(indices: Collection[int], shown: Sequence[int], vectors: Vectors) -> Mapping[int, int]:
    """For each difference the most similar one that was shown; for one that was shown, itself."""
    similarity = vectors[list(indices)] @ vectors[list(shown)].T
    nearest = {i: shown[int(row.round(5).argmax())] for i, row in zip(indices, similarity, strict=True)}
    return nearest | {i: i for i in shown}
