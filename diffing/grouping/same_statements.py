"""Asks an LLM which hypotheses mean the same. It sees no verdicts, and its answer alone merges nothing."""

import functools
import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import combinations
from typing import Literal, TypeAlias

from diffing.models.base import Model
from diffing.numbered_lines import line_number, numbered
from diffing.packing import packed
from diffing.stages import MERGE
from diffing.structured_replies import LlmQuestion, ReplyError, UnreadableReply, ask_items, entries, entry
from diffing.templates import render
from diffing.types import Hypothesis, OnProgress, Side, Usage, ignore_progress, other_side

Relation: TypeAlias = Literal["same", "narrower"]
"""`same`: two sentences say the same. `narrower`: one of them only adds a condition or a degree."""
Pairs: TypeAlias = dict[tuple[int, int], Relation]
"""The relations of sentences by their places, `(i, j)` with i < j."""
COMPARED_AT_ONCE = 100
"""The largest number of sentences in one question. If there are more, sentences of similar wording share a question,
and only these are compared."""
_CHARACTERS = 10_000
"""The largest number of characters of sentences in one question, so that it fits into a small context window."""
_NUMBERS = {"type": "array", "items": {"type": "integer"}}
SCHEMA = {
    "type": "object",
    "properties": {
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"same": _NUMBERS, "narrower": _NUMBERS},
                "required": ["same", "narrower"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["groups"],
    "additionalProperties": False,
}


def ask_same(
    model: Model, hypotheses: Sequence[Hypothesis], on_progress: OnProgress = ignore_progress
) -> tuple[Pairs, Usage]:
    """Asks an LLM which sentences say the same about the models, in two readings of different order.

    Args:
        model: The LLM.
        hypotheses: Hypotheses of one run; their directions say which model each is about.
        on_progress: Called after every answer.

    Returns:
        The pairs on which both readings agree that they belong together, and the usage. A pair is `same` only if both
        readings say so. A reading that cannot be read finds nothing.

    Raises:
        ModelError: The LLM cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    texts = [_named(hypothesis) for hypothesis in hypotheses]
    neighbours = _by_wording(texts)
    packs = packed(neighbours, lambda place: len(texts[place]), most=_CHARACTERS, most_items=COMPARED_AT_ONCE)
    lists = [order for pack in packs if len(pack) > 1 for order in _two_orders(pack, hypotheses)]
    questions = [_question([texts[place] for place in order]) for order in lists]
    asked = ask_items(model, questions, stage=MERGE, schema=SCHEMA, on_progress=on_progress)
    found = [
        {} if isinstance(items[0], UnreadableReply) else _at_places(items[0], order)
        for items, order in zip(asked.replies, lists, strict=True)
    ]
    both: Pairs = {}
    for one, two in zip(found[::2], found[1::2], strict=True):
        both |= {pair: "same" if one[pair] == two[pair] == "same" else "narrower" for pair in one.keys() & two.keys()}
    return both, asked.usage


def _named(hypothesis: Hypothesis) -> str:
    names: dict[Side, str] = {"a": "Model A", "b": "Model B"}
    own, other = names[hypothesis.direction], names[other_side(hypothesis.direction)]
    return hypothesis.text.replace("<MODEL>", own).replace("<OTHER MODEL>", other)


def _two_orders(pack: Sequence[int], hypotheses: Sequence[Hypothesis]) -> tuple[list[int], list[int]]:
    """An order drawn by hash and its reverse, so that no method and neither model profits from its place."""
    order = sorted(pack, key=lambda place: hashlib.sha256(hypotheses[place].id.encode()).digest())
    return order, order[::-1]


def _by_wording(texts: Sequence[str]) -> list[int]:
    """The places of the texts in an order in which similar ones are neighbours: each is followed by its nearest."""
    near = _nearness(texts)
    order, left = [0] if texts else [], set(range(1, len(texts)))
    while left:
        order.append(max(left, key=lambda place: (near[order[-1]][place], -place)))
        left.remove(order[-1])
    return order


def _nearness(texts: Sequence[str]) -> Sequence[Sequence[float]]:
    """Cosines between texts, by the embedder that needs no network; all 0 if its libraries are not installed."""
    if len(texts) < 2 or find_spec("sklearn") is None:
        return [[0.0] * len(texts)] * len(texts)
    from diffing.methods.llm.embedders import TfidfEmbedder

    vectors = TfidfEmbedder().embed(texts)
    cosines: list[list[float]] = (vectors @ vectors.T).round(6).tolist()
    return cosines


def _question(texts: Sequence[str]) -> LlmQuestion[Pairs]:
    text = render("same_statements", count=len(texts), statements=numbered(texts))
    return LlmQuestion(text, functools.partial(_parse, len(texts)))


def _parse(count: int, value: object) -> tuple[Pairs]:
    """The relations by line. A group that cannot be read makes the whole reply unreadable."""
    found: Pairs = {}
    # more groups than statements cannot be meant
    for group in entries(value, "groups")[:count]:
        same = set(_lines(entry(group, "same"), count))
        narrower = set(_lines(group.get("narrower", []), count)) - same if isinstance(group, dict) else set()
        related: Pairs = {_ordered(i, j): "narrower" for i in same for j in narrower}
        related |= {pair: "same" for pair in combinations(sorted(same), 2)}
        # of a pair that two groups relate differently, only the weaker relation is certain
        found |= {pair: "narrower" if found.get(pair) == "narrower" else relation for pair, relation in related.items()}
    return (found,)


def _lines(value: object, count: int) -> list[int]:
    if not isinstance(value, list):
        raise ReplyError("a group that is not a list")
    return [line for line in (line_number(each, count) for each in value) if line is not None]


def _ordered(i: int, j: int) -> tuple[int, int]:
    return (i, j) if i < j else (j, i)


def _at_places(pairs: Pairs, order: Sequence[int]) -> Pairs:
    """The relations by the places of the sentences instead of their lines in a list."""
    return {_ordered(order[i], order[j]): relation for (i, j), relation in pairs.items()}
