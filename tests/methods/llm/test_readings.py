"""Real descriptions: what careful readers wrote about four pairs of recorded models, question by question.

Each file holds the number of train pairs and, per difference, the pair's number, the side that shows the behaviour, the
sentence and its condition. Responses, prompts and quotes are not kept.
"""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from diffing.methods.llm.difference import Difference
from diffing.methods.llm.embedders import TfidfEmbedder
from diffing.methods.llm.join import join
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.llm_results import split_by_pairs
from diffing.methods.llm.propose import propose
from diffing.models.scripted import ScriptedModel
from diffing.types import ignore_progress, other_side
from tests.servers.rules import observed, read

READINGS = sorted(Path(__file__).with_name("readings").glob("*.json"))


def listed(path: Path) -> DifferenceListing:
    reading = json.loads(path.read_text(encoding="utf-8"))
    differences = [
        Difference(str(pair), owner, behaviour, condition, "style", None, None)
        for pair, owner, behaviour, condition in reading["differences"]
    ]
    return DifferenceListing(differences, {str(i): f"Prompt {i}." for i in range(1, reading["train"] + 1)}, "a")


def groups_same_sentences(conversation, sampling):
    """Proposes every sentence that stands in the list; joins nothing."""
    reading = read(conversation[-1].content)
    if reading.task == "join":
        return '{"groups": []}'
    numbers = defaultdict(list)
    for each in observed(reading.blocks[1]):
        numbers[each.behaviour].append(each)
    return json.dumps(
        {
            "hypotheses": [
                {
                    "differences": [each.number for each in same],
                    "model": same[0].model,
                    "behaviour": behaviour,
                    "condition": "",
                    "category": "style",
                    "speaks_of": "none",
                }
                for behaviour, same in numbers.items()
            ]
        }
    )


@pytest.mark.parametrize("path", READINGS, ids=lambda path: path.stem)
def test_nothing_that_recurs_in_a_real_reading_is_lost(path: Path) -> None:
    """A sentence is a hypothesis if one side alone shows it on three pairs or more, and more often than the other."""
    listing = listed(path)
    pairs: dict[str, dict[str, set[str]]] = defaultdict(lambda: {"a": set(), "b": set()})
    for each in listing.differences:
        pairs[each.behaviour][each.owner].add(each.prompt_id)
    expected = {
        (behaviour, side, len(own), len(others))
        for behaviour, shown in pairs.items()
        for side in ("a", "b")
        if len(own := shown[side] - shown[other_side(side)]) >= 3
        and len(own) > len(others := shown[other_side(side)] - shown[side])
    }
    assert len(expected) >= 8
    model, embedder = ScriptedModel("reader", groups_same_sentences), TfidfEmbedder()
    vectors = embedder.embed([each.behaviour for each in listing.differences])
    proposed = propose(model, listing, vectors, on_progress=ignore_progress)
    joined = join(model, proposed.proposals, listing, embedder.embed, on_progress=ignore_progress)
    enough, _ = split_by_pairs(joined.proposals, listing)
    assert {
        (
            each.statement.behaviour,
            each.direction,
            each.pairs_of(each.direction, listing.differences),
            each.pairs_of(other_side(each.direction), listing.differences),
        )
        for each in enough
    } == expected
