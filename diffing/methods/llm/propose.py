"""Has an LLM read the list of all described differences and propose hypotheses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diffing.methods.llm.embedders import Vectors
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.neighbours import order_of_neighbours
from diffing.methods.llm.proposal import NUMBERS, ProposedHypothesis, list_schema, read_proposal, statement_schema
from diffing.methods.llm.stages import PROPOSE
from diffing.methods.plan import property_sentences
from diffing.models.base import Model
from diffing.packing import MOST_MATERIAL, packed_evenly, size_of
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
from diffing.templates import Fenced, fence, render
from diffing.types import OnProgress, Row, Usage


@dataclass(frozen=True, slots=True)
class ProposedHypotheses:
    """What an LLM proposed."""

    proposals: tuple[ProposedHypothesis, ...]
    """The hypotheses, in the order of the replies."""
    usage: Usage
    """The calls and tokens that they took."""
    left_out: Mapping[str, int]
    """How much could not be used, by reason."""
    questions: int
    """The number of lists or clusters that the differences were split into."""
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """Records of how the differences were split, for the report."""


@dataclass(frozen=True, slots=True)
class _ReadProposals:
    proposals: tuple[ProposedHypothesis, ...]
    unreadable: int


def propose(
    model: Model, listing: DifferenceListing, vectors: Vectors, *, on_progress: OnProgress
) -> ProposedHypotheses:
    """Asks once over all differences, or, if they are too many for one question, once per list of similar ones.

    Several lists may each hold too little of a rare behaviour, so what no hypothesis of theirs takes up is asked about
    once more.

    Args:
        model: The differ.
        listing: The differences.
        vectors: One vector per difference.
        on_progress: Told of every answer.
    """
    indices = range(len(listing.differences))
    found = _propose_over(model, listing, _lists(listing, indices, vectors), on_progress)
    carrying = {i for proposal in found.proposals for i in proposal.differences}
    rest = [i for i in indices if i not in carrying]
    if found.questions < 2 or len(rest) < 2:
        return found
    more = _propose_over(model, listing, _lists(listing, rest, vectors), on_progress)
    return ProposedHypotheses(
        proposals=(*found.proposals, *more.proposals),
        usage=_sum(found.usage, more.usage),
        left_out={reason: count + more.left_out[reason] for reason, count in found.left_out.items()},
        questions=found.questions + more.questions,
    )


def _propose_over(
    model: Model, listing: DifferenceListing, lists: Sequence[Sequence[int]], on_progress: OnProgress
) -> ProposedHypotheses:
    properties = property_sentences()
    asked = ask_items(
        model,
        [_question(listing, indices, properties) for indices in lists],
        stage=PROPOSE,
        schema=_schema(properties),
        on_progress=on_progress,
    )
    readings = [reply for (reply,) in asked.replies if not isinstance(reply, UnreadableReply)]
    left_out = {
        "lists of differences of which no proposal could be read": len(lists) - len(readings),
        "proposed hypotheses that could not be read": sum(reading.unreadable for reading in readings),
    }
    proposals = tuple(proposal for reading in readings for proposal in reading.proposals)
    return ProposedHypotheses(proposals, asked.usage, left_out, len(lists))


def _sum(one: Usage, two: Usage) -> Usage:
    return replace(
        one,
        calls=one.calls + two.calls,
        prompt_tokens=one.prompt_tokens + two.prompt_tokens,
        completion_tokens=one.completion_tokens + two.completion_tokens,
        unreadable=one.unreadable + two.unreadable,
    )


def listed_properties(properties: Mapping[str, str]) -> Fenced:
    """The measured properties, one line each."""
    return fence("\n".join(f"{name}: {sentence}" for name, sentence in properties.items()))


def _lists(listing: DifferenceListing, indices: Sequence[int], vectors: Vectors) -> list[list[int]]:
    """The differences of each question, out of those given by index; similar ones are in the same."""
    sizes = {i: size_of(listing.numbered(i)) + 1 for i in indices}
    order = list(indices)
    if sum(sizes.values()) > MOST_MATERIAL:
        order = [indices[place] for place in order_of_neighbours(vectors[order])]
    return [sorted(pack) for pack in packed_evenly(order, lambda i: sizes[i])]


def _question(
    listing: DifferenceListing, indices: Sequence[int], properties: Mapping[str, str]
) -> LlmQuestion[_ReadProposals]:
    text = render(
        "propose",
        properties=listed_properties(properties),
        count=len(indices),
        differences=fence("\n".join(listing.numbered(i) for i in indices)),
    )
    return LlmQuestion(text, lambda value: _read(value, listing, frozenset(indices), properties))


def _read(
    value: object, listing: DifferenceListing, shown: Collection[int], properties: Collection[str]
) -> Items[_ReadProposals]:
    """The hypotheses that can be read.

    Raises:
        ReplyError: There are entries, but not one can be read: as good as no reply, so it is asked for again.
    """
    proposals, unreadable = [], 0
    for item in entries(value, "hypotheses"):
        try:
            named = listing.side(offered(entry(item, "model"), ("X", "Y")))
            proposals.append(read_proposal(item, named, shown, properties, listing.differences))
        except ReplyError:
            unreadable += 1
    if unreadable and not proposals:
        raise ReplyError("no hypothesis that can be read")
    return (_ReadProposals(tuple(proposals), unreadable),)


def _schema(properties: Collection[str]) -> dict[str, object]:
    model = {"type": "string", "enum": ["X", "Y"]}
    return list_schema("hypotheses", {"differences": NUMBERS, "model": model, **statement_schema(properties)})
