"""Makes hypotheses of described differences as arXiv 2602.10371 does: clusters them, and an LLM states each cluster.

Knows sentences, their owners and their vectors; not how they were found.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diffing.methods.llm.clustering.partition import Labels
from diffing.methods.llm.clustering.published_description import TwoSided
from diffing.methods.llm.clustering.state import spread_sample
from diffing.methods.llm.embedders import Vectors
from diffing.methods.llm.hypotheses import QUOTES, identifier
from diffing.methods.llm.proposal import NO_PROPERTY, object_schema, read_property
from diffing.methods.llm.propose import listed_properties
from diffing.methods.llm.stages import STATE
from diffing.methods.plan import property_sentences
from diffing.methods.statements import CATEGORIES, sentence
from diffing.models.base import Model
from diffing.structured_replies import UnreadableReply, ask, entry, offered
from diffing.templates import fence, render
from diffing.types import Category, Evidence, Hypothesis, OnProgress, Side, Usage, other_side

LEAST_SHARE = 0.65
"""Clusters whose larger share is below this are left out, as in the paper."""


@dataclass(frozen=True, slots=True)
class DifferenceHalf:
    """One half of a difference."""

    difference: int
    """Which difference, by number."""
    half: str
    """`has` or `lacks`."""
    owner: Side
    """The side that `<MODEL>` stands for."""
    text: str
    """The sentence."""


@dataclass(frozen=True, slots=True)
class HalfCluster:
    """Sentences that say the same."""

    number: int
    """Its label."""
    members: tuple[int, ...]
    """Places of its sentences, nearest to its centre first."""
    direction: Side
    """The side that owns the larger share; `a` where both own half."""
    share: float
    """That share."""


@dataclass(frozen=True, slots=True)
class StatedCluster:
    """What the LLM wrote about one cluster."""

    text: str
    """The hypothesis; starts with `<MODEL>`."""
    category: Category
    """One of the seven categories."""
    speaks_of: str | None = None
    """See `Hypothesis.speaks_of`."""


@dataclass(frozen=True, slots=True)
class StatedClusters:
    """What the LLM wrote about all clusters."""

    statements: tuple[StatedCluster | None, ...]
    """One per cluster; None if the reply could not be read."""
    usage: Usage
    """The calls and tokens that it took."""


def sentences_of(differences: Sequence[TwoSided]) -> tuple[DifferenceHalf, ...]:
    """Two sentences per difference: the owner has the property, the other side lacks it."""
    return tuple(
        half
        for i, each in enumerate(differences)
        for half in (
            DifferenceHalf(i, "has", each.difference.owner, each.difference.behaviour),
            DifferenceHalf(i, "lacks", other_side(each.difference.owner), each.lacks),
        )
    )


def clusters_of(sentences: Sequence[DifferenceHalf], vectors: Vectors, labels: Labels) -> tuple[HalfCluster, ...]:
    """The clusters, in the order of their numbers."""
    clusters = []
    for number in range(int(labels.max(initial=-1)) + 1):
        places = np.flatnonzero(labels == number)
        closeness = vectors[places] @ vectors[places].mean(axis=0)
        # rounded, so that what is equally near keeps its order on every machine
        members = tuple(int(place) for place in places[np.argsort(-closeness.round(5), kind="stable")])
        share_of_a = sum(sentences[i].owner == "a" for i in members) / len(members)
        direction: Side = "a" if share_of_a >= 0.5 else "b"
        clusters.append(HalfCluster(number, members, direction, max(share_of_a, 1 - share_of_a)))
    return tuple(clusters)


def mirrored(clusters: Sequence[HalfCluster], sentences: Sequence[DifferenceHalf]) -> set[int]:
    """Numbers of the clusters that say again, from the other side, what another cluster says.

    A difference takes part twice: "X does p" and "Y does not do p". The paper tests both. Where a cluster consists of
    `lacks` halves only and the `has` halves of the very same differences lie together in one cluster of the other
    direction, testing it would repeat that test with the sides exchanged; the `has` cluster is kept. Everything less
    certain (a cluster of `lacks` halves from several clusters) is a claim of its own and is tested.
    """
    has = {c.number: {sentences[i].difference for i in c.members if sentences[i].half == "has"} for c in clusters}
    all_of = {c.number: {sentences[i].difference for i in c.members} for c in clusters}
    return {
        one.number
        for one in clusters
        if not has[one.number]
        and any(all_of[one.number] <= has[other.number] and other.direction != one.direction for other in clusters)
    }


def state_clusters(
    model: Model,
    clusters: Sequence[HalfCluster],
    sentences: Sequence[DifferenceHalf],
    vectors: Vectors,
    *,
    on_progress: OnProgress,
) -> StatedClusters:
    """Asks the LLM once per cluster and shows it at most 30 of the cluster's sentences."""
    properties = property_sentences()
    questions = [
        render(
            "state_as_published",
            sentences=[fence(sentences[i].text) for i in sample(cluster, sentences, vectors)],
            properties=listed_properties(properties),
        )
        for cluster in clusters
    ]
    asked = ask(
        model,
        questions,
        lambda value: _parse(value, properties),
        stage=STATE,
        schema=_schema(properties),
        on_progress=on_progress,
    )
    return StatedClusters(
        tuple(None if isinstance(reply, UnreadableReply) else reply for reply in asked.replies), asked.usage
    )


def sample(cluster: HalfCluster, sentences: Sequence[DifferenceHalf], vectors: Vectors) -> list[int]:
    """Places of at most 30 sentences that stand for the cluster.

    Only sentences owned by the cluster's direction, so that `<MODEL>` is one model in all of them; each text once.
    """
    once = {sentences[i].text: i for i in reversed(cluster.members) if sentences[i].owner == cluster.direction}
    return spread_sample(sorted(once.values(), key=cluster.members.index), vectors)


def hypotheses_of(
    clusters: Sequence[HalfCluster],
    stated: StatedClusters,
    sentences: Sequence[DifferenceHalf],
    differences: Sequence[TwoSided],
    pairs: int,
) -> dict[int, Hypothesis]:
    """The hypothesis of every cluster that has one, by cluster number; clusters stated in the same words share one."""
    by_text: dict[tuple[Side, str], list[tuple[HalfCluster, StatedCluster]]] = {}
    for cluster, statement in zip(clusters, stated.statements, strict=True):
        if statement is not None:
            by_text.setdefault((cluster.direction, statement.text), []).append((cluster, statement))
    hypotheses: dict[int, Hypothesis] = {}
    for same in by_text.values():
        first, statement = same[0]
        together = replace(first, members=tuple(i for cluster, _ in same for i in cluster.members))
        hypothesis = _hypothesis(together, statement, sentences, differences, pairs)
        hypotheses |= {cluster.number: hypothesis for cluster, _ in same}
    return hypotheses


def _hypothesis(
    cluster: HalfCluster,
    statement: StatedCluster,
    sentences: Sequence[DifferenceHalf],
    differences: Sequence[TwoSided],
    pairs: int,
) -> Hypothesis:
    """The hypothesis, with quotes of the predicted side as evidence.

    `train_effect` is (pairs in which the cluster speaks of the predicted side - pairs in which of the other) / `pairs`.
    """
    quotes: dict[str, Evidence] = {}
    owners: dict[Side, set[str]] = {"a": set(), "b": set()}
    for i in cluster.members:
        difference = differences[sentences[i].difference].difference
        owners[sentences[i].owner].add(difference.prompt_id)
        quote = difference.quote(cluster.direction) if sentences[i].owner == cluster.direction else None
        if quote and difference.prompt_id not in quotes and len(quotes) < QUOTES:
            quotes[difference.prompt_id] = Evidence(difference.prompt_id, cluster.direction, quote)
    ahead = len(owners[cluster.direction]) - len(owners[other_side(cluster.direction)])
    return Hypothesis(
        id=identifier(statement.text, cluster.direction),
        text=statement.text,
        direction=cluster.direction,
        method="llm",
        category=statement.category,
        evidence=tuple(quotes.values()),
        train_effect=ahead / pairs,
        speaks_of=statement.speaks_of,
    )


def _schema(properties: Collection[str]) -> Mapping[str, object]:
    labels = {"category": CATEGORIES, "speaks_of": (*properties, NO_PROPERTY)}
    choices = {name: {"type": "string", "enum": list(offered)} for name, offered in labels.items()}
    return object_schema({"hypothesis": {"type": "string"}, **choices})


def _parse(value: object, properties: Collection[str]) -> StatedCluster:
    category = offered(entry(value, "category"), CATEGORIES)
    return StatedCluster(sentence(entry(value, "hypothesis")), category, read_property(value, properties))
