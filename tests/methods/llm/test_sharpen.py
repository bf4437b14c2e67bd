"""Sharpening: what is shown of each hypothesis, and what becomes of it."""

import numpy as np
import pytest

from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.methods.llm.sharpen import sharpen
from diffing.methods.statements import Statement
from diffing.types import ignore_progress
from tests.methods.llm.lists import difference, listing, scripted
from tests.servers.rules import read

GIVEN = listing(*(difference(i, "a" if i < 8 else "b") for i in range(10)), pairs=20)
WHOLE = ProposedHypothesis(Statement("<MODEL> does p."), "a", "style", "praise", tuple(range(10)))
# the first half of the differences lies in one direction, the second in another
VECTORS = np.repeat(np.eye(2, dtype=np.float32), 5, axis=0)


def sharpened(reply, proposals=(WHOLE,), shown=None):
    return sharpen(scripted(reply, shown), proposals, GIVEN, VECTORS, on_progress=ignore_progress)


def decision(decided, *becomes, number=1):
    return {"hypothesis": number, "decision": decided, "becomes": list(becomes)}


def part(numbers, behaviour="<MODEL> does q.", condition=""):
    return {"differences": numbers, "behaviour": behaviour, "condition": condition}


def test_pairs_for_and_against_and_prompts_without_it_are_shown():
    shown = []
    sharpened({"hypotheses": [decision("keep")]}, shown=shown)
    (block,) = read(shown[0]).blocks
    first, *lines = block.splitlines()
    assert first == "X | <MODEL> does p. | - | 8 prompts for, 2 against, 0 both, 10 not noted"
    assert [line.split(" | ")[:2] for line in lines] == [
        *(["for", str(i)] for i in (1, 2, 4, 5, 7)),
        *(["against", str(i)] for i in (9, 10)),
        *(["not noted", f"prompt: prompt {i}"] for i in (10, 12, 14, 16, 18)),
    ]
    assert lines[1] == "for | 2 | <MODEL> does p. | - | prompt: prompt 1 | quote: a1"


def test_kept_and_dropped():
    other = ProposedHypothesis(Statement("<MODEL> does r."), "b", "style", None, (9,))
    result = sharpened({"hypotheses": [decision("drop"), decision("keep", number="2")]}, (WHOLE, other))
    assert (result.proposals, result.dropped) == ((other,), (WHOLE,))


def test_narrowed_with_what_carries_it_and_what_it_was_before():
    """What was not shown follows the most similar one that was: 3 (index 2) that of the first half."""
    result = sharpened({"hypotheses": [decision("change", part([1, 2, 4, 5], condition="when asked"))]})
    (proposal,) = result.proposals
    assert proposal.statement == Statement("<MODEL> does q.", "when asked")
    assert proposal.differences == (0, 1, 2, 3, 4)
    assert (proposal.before, proposal.direction, proposal.speaks_of) == ("<MODEL> does p.", "a", "praise")


def test_split_each_part_with_the_majority_of_its_own():
    parts = part([1, 2, 4, 5]), part([9, 10], "<MODEL> does r.")
    first, second = sharpened({"hypotheses": [decision("change", *parts)]}).proposals
    assert (first.direction, second.direction) == ("a", "b")
    assert second.differences == (8, 9)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        {"hypotheses": []},
        {"hypotheses": [decision("keep", number=2)]},
        {"hypotheses": [decision("improve")]},
        {"hypotheses": [decision("change")]},
        {"hypotheses": [decision("change", *[part([1])] * 4)]},
        {"hypotheses": [decision("change", part([]))]},
        {"hypotheses": [decision("change", part([3]))]},
        {"hypotheses": [decision("change", part([1], "It does q."))]},
        {"hypotheses": [{"hypothesis": 1, "decision": "change"}]},
    ],
)
def test_what_cannot_be_read_keeps_the_hypothesis_and_is_counted(reply):
    result = sharpened(reply)
    assert result.proposals == (WHOLE,)
    assert result.unreadable == 1
    assert result.usage[0].calls == 3


def test_nothing_to_ask():
    assert sharpened("never", ()).usage == ()


def test_several_hypotheses_share_a_question():
    shown = []

    def reply(text):
        return {"hypotheses": [decision("keep", number=i + 1) for i in range(len(read(text).blocks))]}

    result = sharpened(reply, [WHOLE] * 20, shown)
    assert [len(read(text).blocks) for text in shown] == [8, 8, 4]
    assert len(result.proposals) == 20
