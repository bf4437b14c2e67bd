"""From clusters to hypotheses as published: sides, shares, mirrors, what is shown and what is taken."""

import json

import numpy as np
import pytest

from diffing.methods.llm.clustering.published_clustering import (
    StatedCluster,
    clusters_of,
    hypotheses_of,
    mirrored,
    sample,
    sentences_of,
    state_clusters,
)
from diffing.methods.llm.clustering.published_description import TwoSided
from diffing.methods.llm.difference import Difference
from diffing.models.scripted import ScriptedModel
from diffing.types import ignore_progress
from tests.servers.rules import read


def difference(i, owner, has="<MODEL> does p.", lacks="<MODEL> does not."):
    return TwoSided(Difference(f"p{i}", owner, has, "", None, f"a{i}", None if i == 0 else f"b{i}"), lacks)


def flat(n):
    return np.tile(np.array([[1, 0]], dtype=np.float32), (n, 1))


def world(owners, labels):
    """Differences with these owners; labels of their sentences, has and lacks by turns."""
    differences = [difference(i, owner) for i, owner in enumerate(owners)]
    sentences = sentences_of(differences)
    return differences, sentences, clusters_of(sentences, flat(len(sentences)), np.array(labels))


def test_two_sentences_with_an_owner_each():
    one, two = sentences_of([difference(0, "b")])
    assert (one.half, one.owner, one.text) == ("has", "b", "<MODEL> does p.")
    assert (two.half, two.owner, two.text) == ("lacks", "a", "<MODEL> does not.")


def test_direction_and_share():
    _, _, (has, lacks) = world("bbba", [0, 1] * 4)
    assert (has.direction, has.share) == ("b", 0.75)
    assert (lacks.direction, lacks.share) == ("a", 0.75)
    _, _, (mixed,) = world("ab", [0, -1, 0, -1])
    assert mixed.share == 0.5


def test_mirrors():
    # the lacks halves of the very same differences
    _, sentences, clusters = world("bbba", [0, 1] * 4)
    assert mirrored(clusters, sentences) == {1}
    # of some of them: narrower, but nothing of its own
    _, sentences, clusters = world("bbbb", [0, 1, 0, 1, 0, -1, 0, -1])
    assert mirrored(clusters, sentences) == {1}
    # of two clusters: a claim of its own
    _, sentences, clusters = world("bbbb", [0, 2, 0, 2, 1, 2, 1, 2])
    assert mirrored(clusters, sentences) == set()
    # one that is not in the other
    _, sentences, clusters = world("bbb", [0, 1, 0, 1, -1, 1])
    assert mirrored(clusters, sentences) == set()
    # has halves are never dropped
    _, sentences, clusters = world("bbb", [0, 1, 0, 1, 1, 1])
    assert mirrored(clusters, sentences) == set()


def test_the_sample_is_near_and_spread_and_of_one_side():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(200, 8)) * 0.1 + np.eye(8)[0]
    rows[7] = np.eye(8)[1]  # far from all others
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    differences = [difference(i, "b" if i % 4 else "a", has=f"<MODEL> does {i}.") for i in range(100)]
    sentences = sentences_of(differences)
    (cluster,) = clusters_of(sentences, vectors, np.array([0, -1] * 100)[:200])
    chosen = sample(cluster, sentences, vectors)
    assert len(chosen) == len(set(chosen)) == 30
    assert {sentences[i].owner for i in chosen} == {"b"} == {cluster.direction}
    nearest = [i for i in cluster.members if sentences[i].owner == "b"][:15]
    assert chosen[:15] == nearest
    far = next(i for i in chosen[15:])
    assert far in cluster.members[-20:]


def test_each_text_is_shown_once():
    _, sentences, clusters = world("bbbbbb", [0, -1] * 6)
    assert sample(clusters[0], sentences, flat(12)) == [0]


def state(*replies):
    """What becomes of one cluster with these replies, one per attempt."""
    _, sentences, clusters = world("bbba", [0, -1] * 4)
    left = list(replies)
    shown = []

    def answer(conversation, sampling):
        shown.append(read(conversation[-1].content).blocks[1:])
        made = left.pop(0) if len(left) > 1 else left[0]
        return made if isinstance(made, str) else json.dumps(made)

    stated = state_clusters(ScriptedModel("d", answer), clusters, sentences, flat(8), on_progress=ignore_progress)
    assert set(shown) == {("<MODEL> does p.",)}
    return stated


def reply(text, category="style", **more):
    return {"hypothesis": text, "category": category, **more}


@pytest.mark.parametrize(
    "text",
    [
        "<MODEL> opens with praise.",
        "<MODEL> says things like 'Great question!' before it answers, e.g. in chats.",
        "<MODEL> uses more lists, tables etc. than <OTHER MODEL> does.",
    ],
)
def test_hypotheses_that_are_taken(text):
    assert state(reply(f" {text}\n")).statements == (StatedCluster(text, "style"),)


@pytest.mark.parametrize(
    "wrong",
    [
        reply("It opens with praise."),
        reply("<MODEL>"),
        reply("<MODEL> " + "very " * 60 + "long."),
        reply(None),
        reply("<MODEL> opens with praise.", "vibes"),
        {"hypothesis": "<MODEL> opens with praise."},
        "I see nothing in common.",
    ],
)
def test_hypotheses_that_are_not(wrong):
    stated = state(wrong)
    assert stated.statements == (None,)
    assert (stated.usage.calls, stated.usage.unreadable) == (3, 1)
    assert state(wrong, reply("<MODEL> opens with praise.")).statements == (
        StatedCluster("<MODEL> opens with praise.", "style"),
    )


@pytest.mark.parametrize(
    ("named", "speaks_of"),
    [
        ("praise", "praise"),
        (" Praise ", "praise"),
        ("none", None),
        ("flattery", None),
        ("", None),
        (None, None),
        (["praise"], None),
        (7, None),
    ],
)
def test_a_property_is_taken_only_if_it_is_a_measured_one(named, speaks_of):
    differences, sentences, clusters = world("bbba", [0, -1] * 4)
    stated = state(reply("<MODEL> opens with praise.", speaks_of=named))
    assert stated.statements == (StatedCluster("<MODEL> opens with praise.", "style", speaks_of),)
    (hypothesis,) = hypotheses_of(clusters, stated, sentences, differences, pairs=20).values()
    assert hypothesis.speaks_of == speaks_of


def test_evidence_and_effect():
    differences, sentences, clusters = world("bbbbbbba", [0, -1] * 8)
    stated = state(reply("<MODEL> opens with praise."))
    (hypothesis,) = hypotheses_of(clusters, stated, sentences, differences, pairs=20).values()
    assert hypothesis.direction == "b"
    assert hypothesis.id.startswith("llm-")
    assert len(hypothesis.id) == len("llm-") + 8
    # five at most, of the predicted side only, and none of a pair that has no quote
    assert [e.quote for e in hypothesis.evidence] == ["b1", "b2", "b3", "b4", "b5"]
    assert {e.side for e in hypothesis.evidence} == {"b"}
    assert hypothesis.train_effect == (7 - 1) / 20
