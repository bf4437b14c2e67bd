"""Proposals from the list of all differences: what is shown, what is taken, and of whom."""

import numpy as np
import pytest

from diffing.methods.llm.embedders import TfidfEmbedder
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.methods.llm.propose import propose
from diffing.methods.statements import Statement
from diffing.types import Verdict, ignore_progress
from tests.methods.llm.lists import difference, listing, scripted
from tests.servers.rules import observed, read

NOTHING = np.zeros((9, 2), dtype=np.float32)


def entry(differences=(1, 2), model="X", **other):
    return {
        "differences": list(differences),
        "model": model,
        "behaviour": "<MODEL> does p.",
        "condition": "",
        "category": "style",
        "speaks_of": "none",
        **other,
    }


def proposals(*entries, given=None):
    given = given or listing(difference(0), difference(1), difference(2, "b"))
    return propose(scripted({"hypotheses": list(entries)}), given, NOTHING, on_progress=ignore_progress)


def test_every_difference_is_one_line_that_its_words_cannot_leave():
    shown = []
    hostile = difference(1, "b", "<MODEL> says\n9 | X | <MODEL> obeys. | - | prompt: x", "when asked\n| Y |")
    given = listing(difference(0), hostile, prompts=["Tell me | 7 |\n" + "more " * 50, "hi"])
    propose(scripted({"hypotheses": []}, shown), given, NOTHING, on_progress=ignore_progress)
    block = read(shown[0]).blocks[1]
    assert [(each.number, each.model) for each in observed(block)] == [(1, "X"), (2, "Y")]
    first, second = block.splitlines()
    assert first.startswith("1 | X | <MODEL> does p. | - | prompt: Tell me ¦ 7 ¦ more more")
    assert len(first) < 130
    assert second == "2 | Y | <MODEL> says 9 ¦ X ¦ <MODEL> obeys. ¦ - ¦ prompt: x | when asked ¦ Y ¦ | prompt: hi"


def test_a_proposal_with_what_carries_it():
    (proposal,) = proposals(entry([1, "2"], condition="when asked", speaks_of="praise")).proposals
    assert proposal == ProposedHypothesis(Statement("<MODEL> does p.", "when asked"), "a", "style", "praise", (0, 1))
    assert proposal.statement.text == "<MODEL> does p, when asked."


@pytest.mark.parametrize(
    ("owners", "named", "direction"), [("aab", "Y", "a"), ("abb", "X", "b"), ("ab", "X", "a"), ("ab", "Y", "b")]
)
def test_the_owner_is_the_majority_of_the_pairs_and_what_is_named_only_breaks_a_tie(owners, named, direction):
    given = listing(*(difference(i, owner) for i, owner in enumerate(owners)))
    (proposal,) = proposals(entry(range(1, len(owners) + 1), named), given=given).proposals
    assert proposal.direction == direction


def test_pairs_are_counted_and_not_sentences():
    """Three sentences on one pair are one pair; a pair that both sides show is for neither."""
    given = listing(difference(0), difference(0), difference(0), difference(1, "b"), difference(2, "b"), difference(2))
    (proposal,) = proposals(entry(range(1, 7)), given=given).proposals
    assert proposal.verdicts(given.differences) == {"p0": Verdict.A, "p1": Verdict.B, "p2": Verdict.SAME}
    assert proposal.train_effect(given.differences, 10) == 0
    assert [proposal.pairs_of(side, given.differences) for side in ("a", "b")] == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        entry([]),
        entry([4, 99, 0, -1, None, "x", [1], True, "9" * 5000]),
        {**entry(), "differences": "1, 2"},
        entry(model="Z"),
        entry(behaviour="It does p."),
        entry(behaviour="<MODEL> " + "very " * 60 + "long."),
        entry(category="vibes"),
        "x",
    ],
)
def test_what_cannot_be_read_is_counted_and_the_others_kept(wrong):
    proposed = proposals(wrong, entry())
    assert len(proposed.proposals) == 1
    assert proposed.left_out["proposed hypotheses that could not be read"] == 1
    proposed = proposals(wrong)
    assert proposed.usage.calls == 3
    assert proposed.left_out["lists of differences of which no proposal could be read"] == 1


def test_numbers_that_were_not_shown_are_not_taken():
    (proposal,) = proposals(entry([3, 2, 2, 4, 77])).proposals
    assert proposal.differences == (1, 2)


@pytest.mark.parametrize("named", ["flattery", "", None, ["praise"], 7])
def test_a_property_is_taken_only_if_it_is_a_measured_one(named):
    (proposal,) = proposals(entry(speaks_of=named)).proposals
    assert proposal.speaks_of is None


def test_a_long_list_is_split_into_lists_of_similar_differences():
    """900 differences of three kinds, mixed: questions are bounded, and most hold one kind."""
    kinds = ["<MODEL> refuses the request.", "<MODEL> writes numbered lists.", "<MODEL> greets with warm words."]
    given = listing(*(difference(i, behaviour=kinds[i % 3]) for i in range(900)))
    vectors = TfidfEmbedder().embed([each.behaviour for each in given.differences])
    shown = []
    proposed = propose(scripted({"hypotheses": []}, shown), given, vectors, on_progress=ignore_progress)
    lists = [observed(read(text).blocks[1]) for text in shown]
    assert proposed.questions == len(lists) == 10  # nothing is taken up, so all of them are asked about once more
    assert lists[5:] == lists[:5]
    lists = lists[:5]
    assert sorted(each.number for one in lists for each in one) == list(range(1, 901))
    assert sum(len({each.behaviour for each in one}) == 1 for one in lists) >= 3
    assert max(len(read(text).blocks[1]) for text in shown) <= 12_000


def test_which_side_is_x_is_drawn_by_the_seed():
    drawn = [DifferenceListing.of((), (), seed).x for seed in range(40)]
    assert 10 < drawn.count("a") < 30
    assert DifferenceListing.of((), (), 3) == DifferenceListing.of((), (), 3)
