"""Hypotheses that name the same behaviour become one, with all that carries them."""

import numpy as np
import pytest

from diffing.methods.llm.embedders import TfidfEmbedder
from diffing.methods.llm.join import join, same_words
from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.methods.statements import Statement
from diffing.types import ignore_progress
from tests.methods.llm.lists import difference, listing, scripted
from tests.servers.rules import observed, read

OWNERS = "aaabbbbb"
GIVEN = listing(*(difference(i, owner) for i, owner in enumerate(OWNERS)))


def proposal(text, *indices, direction="a"):
    return ProposedHypothesis(Statement(text), direction, "style", None, indices)


ONE = proposal("<MODEL> does p.", 0, 1)
TWO = proposal("<MODEL> is doing p.", 2)
THREE = proposal("<MODEL> practises p.", 3, 4, 5, 6, direction="b")


def no_vectors(sentences):
    raise AssertionError("not needed")


def joined(groups, proposals=(ONE, TWO, THREE)):
    return join(scripted({"groups": groups}), proposals, GIVEN, no_vectors, on_progress=ignore_progress)


def test_a_group_becomes_its_best_with_the_differences_of_all():
    result = joined([{"hypotheses": [1, 2], "best": 2}])
    assert result.proposals == (proposal("<MODEL> is doing p.", 0, 1, 2), THREE)
    assert result.absorbed == (ONE,)
    assert [usage.calls for usage in result.usage] == [1]


def test_the_majority_of_all_pairs_decides_whose_it_is():
    result = joined([{"hypotheses": [1, 3], "best": 1}])
    assert result.proposals == (proposal("<MODEL> does p.", 0, 1, 3, 4, 5, 6, direction="b"), TWO)


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [{"hypotheses": [1], "best": 1}],
        [{"hypotheses": [4, 9], "best": 4}],
        [{"hypotheses": [], "best": 1}],
        [{"hypotheses": [1, 1], "best": 1}],
    ],
)
def test_what_is_no_group_unites_nothing(groups):
    assert joined(groups).proposals == (ONE, TWO, THREE)


def test_nobody_is_in_two_groups_and_a_wrong_best_is_replaced():
    result = joined([{"hypotheses": [1, 2], "best": 3}, {"hypotheses": [2, 3], "best": 2}])
    assert [each.statement.text for each in result.proposals] == ["<MODEL> does p.", "<MODEL> practises p."]


@pytest.mark.parametrize("reply", ["", {"groups": None}, {"groups": [{"hypotheses": [1, 2]}]}, {"groups": ["x"]}])
def test_a_reply_that_cannot_be_read_unites_nothing_and_is_counted(reply):
    result = join(scripted(reply), [ONE, TWO], GIVEN, no_vectors, on_progress=ignore_progress)
    assert result.proposals == (ONE, TWO)
    assert result.unreadable == 1


def test_the_same_words_need_no_question():
    again = proposal("<MODEL> does p.", 1, 2)
    assert same_words([ONE, again], GIVEN.differences) == ([proposal("<MODEL> does p.", 0, 1, 2)], [again])
    model = scripted("never")
    result = join(model, [ONE, again], GIVEN, no_vectors, on_progress=ignore_progress)
    assert (result.proposals, result.usage, model.requests) == ((proposal("<MODEL> does p.", 0, 1, 2),), (), [])


def test_many_are_asked_about_beside_similar_ones_and_then_once_more():
    """300 hypotheses on 30 behaviours: two rounds of bounded questions leave 30."""
    many = [proposal(f"<MODEL> does {i % 30:03} in the {i // 30} way {'so' * 40}.", i % 8) for i in range(300)]
    shown = []

    def reply(text):
        groups = {}
        for each in observed(read(text).blocks[0]):
            groups.setdefault(each.behaviour.split()[2], []).append(each.number)
        return {"groups": [{"hypotheses": each, "best": each[0]} for each in groups.values() if len(each) > 1]}

    result = join(scripted(reply, shown), many, GIVEN, TfidfEmbedder().embed, on_progress=ignore_progress)
    assert len(result.proposals) == 30
    assert len(shown) > 2
    assert max(len(read(text).blocks[0]) for text in shown) <= 12_000
    assert len(result.usage) == 1
    assert result.usage[0].calls == len(shown)
    assert sum(len(each.differences) for each in result.proposals) == len({(i % 30, i % 8) for i in range(300)})


def test_vectors_of_equal_sentences_keep_an_order():
    from diffing.methods.llm.neighbours import order_of_neighbours

    assert sorted(order_of_neighbours(np.ones((5, 2), dtype=np.float32) / 2**0.5)) == list(range(5))
    assert order_of_neighbours(np.ones((1, 2), dtype=np.float32)) == [0]
