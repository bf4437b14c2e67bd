"""Clusters of differences by the words of their behaviours, and what the LLM says of them."""

import numpy as np
import pytest

from diffing.methods.llm.clustering.similar import similar_differences
from diffing.methods.llm.clustering.state import spread_sample, state_clusters
from diffing.methods.llm.embedders import TfidfEmbedder
from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.methods.statements import Statement
from diffing.types import ignore_progress
from tests.methods.llm.lists import difference, listing, scripted
from tests.servers.rules import observed, read

KINDS = ("<MODEL> refuses the request.", "<MODEL> writes numbered lists.")


def clusters(differences, **options):
    vectors = TfidfEmbedder().embed([each.behaviour for each in differences])
    return similar_differences(differences, vectors, way="average", least_pairs=3, seed=0, **options)


def test_both_owners_of_one_behaviour_are_together_and_other_behaviours_apart():
    differences = [difference(i, "b" if i < 10 else "a", KINDS[i % 2]) for i in range(14)]
    assert [sorted(each) for each in clusters(differences)] == [[*range(0, 14, 2)], [*range(1, 14, 2)]]


def test_size_is_counted_in_pairs():
    """Four sentences on one pair recur on none other."""
    differences = [*[difference(0, "a", KINDS[0])] * 4, *(difference(i, "a", KINDS[1]) for i in range(3))]
    assert clusters(differences) == [[4, 5, 6]]


def test_what_is_shown_is_near_and_spread():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(100, 8)) * 0.1 + np.eye(8)[0]
    rows[99] = np.eye(8)[1]  # far from all others
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    chosen = spread_sample(range(100), vectors)
    assert len(set(chosen)) == 30
    assert chosen[:15] == [*range(15)]
    assert chosen[15] == 99
    assert spread_sample([3, 1], vectors) == [3, 1]


GIVEN = listing(*(difference(i, "a" if i < 4 else "b") for i in range(6)), pairs=9)
VECTORS = np.repeat(np.eye(1, 2, dtype=np.float32), 40, axis=0)


def stated(reply, cluster=range(6), given=GIVEN, shown=None):
    return state_clusters(scripted(reply, shown), [list(cluster)], given, VECTORS, on_progress=ignore_progress)


def reply(numbers, **other):
    return {
        "differences": numbers,
        "behaviour": "<MODEL> does p.",
        "condition": "",
        "category": "style",
        "speaks_of": "none",
        **other,
    }


def test_counts_prompts_and_quotes_are_shown():
    shown = []
    stated(reply([1]), shown=shown)
    assert "There are 6 observations on 6 prompts, of X on 4 of them and of Y on 2. The list shows 6." in shown[0]
    lines = observed(read(shown[0]).blocks[1])
    assert [(each.number, each.model) for each in lines] == [(i + 1, "X" if i < 4 else "Y") for i in range(6)]
    assert lines[2].more == ("prompt: prompt 2", "quote: a2")


def test_a_statement_with_what_carries_it():
    result = stated(reply([1, 2, 5], condition="when asked"))
    assert result.proposals == (
        ProposedHypothesis(Statement("<MODEL> does p.", "when asked"), "a", "style", None, (0, 1, 4)),
    )
    assert result.tables["clusters"] == (
        {"differences": 6, "of_a": 4, "of_b": 2, "outcome": "stated", "stated_as": "<MODEL> does p, when asked."},
    )


def test_what_was_not_shown_of_a_large_cluster_carries_it_too():
    given = listing(*(difference(i) for i in range(40)))
    (proposal,) = stated(reply([1]), range(40), given).proposals
    assert len(proposal.differences) == 11


def test_nothing_in_common_is_an_answer():
    result = stated(reply([], behaviour=""))
    assert (result.proposals, result.usage.calls) == ((), 1)
    assert result.left_out["clusters whose differences have nothing in common"] == 1


@pytest.mark.parametrize("wrong", ["I see.", reply([9]), reply([1], behaviour="p"), reply([1], category="vibes"), {}])
def test_what_cannot_be_read_is_counted(wrong):
    result = stated(wrong)
    assert (result.proposals, result.usage.calls) == ((), 3)
    assert result.left_out["clusters whose hypothesis could not be read"] == 1
