"""Has an LLM state in one sentence what the differences of a cluster have in common.

Knows clusters of differences, not how they were found.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from diffing.methods.llm.embedders import Vectors
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.proposal import NUMBERS, ProposedHypothesis, object_schema, read_proposal, statement_schema
from diffing.methods.llm.propose import ProposedHypotheses, listed_properties
from diffing.methods.llm.stages import STATE
from diffing.methods.plan import property_sentences
from diffing.models.base import Model
from diffing.structured_replies import Askable, LlmQuestion, UnreadableReply, ask_items, entries, entry
from diffing.templates import fence, render
from diffing.types import OnProgress, Row

SHOWN = 30
"""How many differences of a cluster are shown."""
NOTHING = "clusters whose differences have nothing in common"
UNREADABLE = "clusters whose hypothesis could not be read"


@dataclass(frozen=True, slots=True)
class NothingInCommon:
    """The reply that the differences of a cluster have nothing in common."""


def state_clusters(
    model: Model,
    clusters: Sequence[Sequence[int]],
    listing: DifferenceListing,
    vectors: Vectors,
    *,
    on_progress: OnProgress,
) -> ProposedHypotheses:
    """Asks once per cluster.

    Args:
        model: The differ.
        clusters: Indices of the differences of each cluster, nearest to its centre first.
        listing: The differences.
        vectors: One vector per difference.
        on_progress: Told of every answer.
    """
    properties = property_sentences()
    questions: Sequence[Askable[ProposedHypothesis | NothingInCommon]] = [
        _question(cluster, listing, vectors, properties) for cluster in clusters
    ]
    asked = ask_items(
        model,
        questions,
        stage=STATE,
        schema=object_schema({"differences": NUMBERS, **statement_schema(properties)}),
        on_progress=on_progress,
    )
    replies = [reply for (reply,) in asked.replies]
    left_out = {
        NOTHING: sum(isinstance(reply, NothingInCommon) for reply in replies),
        UNREADABLE: sum(isinstance(reply, UnreadableReply) for reply in replies),
    }
    proposals = tuple(reply for reply in replies if isinstance(reply, ProposedHypothesis))
    rows = tuple(_row(*each, listing) for each in zip(clusters, replies, strict=True))
    return ProposedHypotheses(proposals, asked.usage, left_out, len(clusters), {"clusters": rows})


def _row(
    cluster: Sequence[int], reply: ProposedHypothesis | NothingInCommon | UnreadableReply, listing: DifferenceListing
) -> Row:
    """What became of one cluster, for the report."""
    owners = [listing.differences[i].owner for i in cluster]
    stated = reply.statement.text if isinstance(reply, ProposedHypothesis) else None
    return {
        "differences": len(cluster),
        "of_a": owners.count("a"),
        "of_b": owners.count("b"),
        "outcome": "stated" if stated else "nothing in common" if isinstance(reply, NothingInCommon) else "unreadable",
        "stated_as": stated,
    }


def spread_sample(cluster: Sequence[int], vectors: Vectors, most: int = SHOWN) -> list[int]:
    """Differences that stand for a cluster: those nearest to its centre, then those farthest from all chosen."""
    chosen, left = list(cluster[: most // 2]), list(cluster[most // 2 :])
    while left and len(chosen) < most:
        nearest = (vectors[left] @ vectors[chosen].T).max(axis=1)
        chosen.append(left.pop(int(nearest.round(5).argmin())))
    return chosen


def _question(
    cluster: Sequence[int], listing: DifferenceListing, vectors: Vectors, properties: Mapping[str, str]
) -> LlmQuestion[ProposedHypothesis | NothingInCommon]:
    shown = sorted(spread_sample(cluster, vectors))
    on_x, on_y = (len({listing.differences[i].prompt_id for i in cluster if listing.differences[i].owner == side})
                  for side in (listing.side("X"), listing.side("Y")))  # fmt: skip
    text = render(
        "state",
        properties=listed_properties(properties),
        observations=len(cluster),
        pairs=len({listing.differences[i].prompt_id for i in cluster}),
        pairs_x=on_x,
        pairs_y=on_y,
        shown=len(shown),
        differences=fence("\n".join(listing.numbered(i, quoted=True) for i in shown)),
    )
    return LlmQuestion(text, lambda value: (_read(value, cluster, shown, listing, properties),))


def _read(
    value: object, cluster: Sequence[int], shown: Sequence[int], listing: DifferenceListing, properties: Collection[str]
) -> ProposedHypothesis | NothingInCommon:
    """The hypothesis of a cluster. Differences that were not shown carry it as well: the LLM saw a sample.

    Raises:
        ReplyError: It is not one.
    """
    if not entries(entry(value, "differences"), "differences"):
        return NothingInCommon()
    proposal = read_proposal(value, listing.x, shown, properties, listing.differences)
    return proposal.carried_by((*proposal.differences, *(set(cluster) - set(shown))), listing.differences)
