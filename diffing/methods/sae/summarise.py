"""Hypotheses from many features by an LLM: per direction, each resting on at most five features that it names.

The LLM writes sentences only. Which side they are about is the direction of the features shown, and how large a
difference is is counted from the features, so neither can be mixed up by it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from diffing.methods.sae.feature_evidence import METHOD, Feature, ReadPair
from diffing.methods.sae.stages import SIFT, SUMMARISE
from diffing.models.base import Model
from diffing.structured_replies import ReplyError, Unreadable, ask, entries, entry, offered
from diffing.templates import fence, render
from diffing.types import (
    SIDES,
    Category,
    Evidence,
    Hypothesis,
    LatentMeasure,
    OnProgress,
    Side,
    Usage,
    ignore_progress,
    other_side,
)

IN_ONE_CALL = 50
"""So many features are summarised at once (papers)."""
IN_A_BATCH = 200
"""More are summarised in batches of so many, and the hypotheses of all batches sifted in one more call (papers)."""
_MOST_FEATURES = 5
_LONGEST = 300
_CATEGORIES: tuple[Category, ...] = get_args(Category)
_SCHEMA = {
    "type": "object",
    "properties": {
        "hypotheses": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "hypothesis": {"type": "string"},
                    "features": {"type": "array", "items": {"type": "integer"}},
                    "category": {"type": "string", "enum": list(_CATEGORIES)},
                },
                "required": ["hypothesis", "features", "category"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["hypotheses"],
    "additionalProperties": False,
}
_MERGE_SCHEMA = {
    "type": "object",
    "properties": {"chosen": {"type": "array", "items": {"type": "integer"}}},
    "required": ["chosen"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence and what it rests on."""

    text: str
    """Starts with `<MODEL>`."""
    category: Category
    """One of the seven."""
    features: tuple[Feature, ...]
    """At most five."""


@dataclass(frozen=True, slots=True)
class Summarised:
    """What became of the features."""

    hypotheses: tuple[Hypothesis, ...]
    """A's first."""
    usage: tuple[Usage, ...]
    """What it took."""
    unreadable: int
    """Lists of features whose summary could not be read."""


def summarise(
    model: Model,
    features: Sequence[Feature],
    pairs: Sequence[ReadPair],
    most: int,
    on_progress: OnProgress = ignore_progress,
) -> Summarised:
    """Hypotheses of both directions, half of `most` each.

    Args:
        model: The LLM.
        features: Labelled, or with tokens to show; of both directions, the largest difference first.
        pairs: What the sizes are counted on.
        most: Hypotheses, at most.
        on_progress: Told of every answer.
    """
    hypotheses: list[Hypothesis] = []
    usage: list[Usage] = []
    unreadable = 0
    for side in SIDES:
        own = [feature for feature in features if feature.screened.direction == side]
        size = IN_ONE_CALL if len(own) <= IN_ONE_CALL else IN_A_BATCH
        groups = [own[start : start + size] for start in range(0, len(own), size)]
        questions = [
            render("summarise_features", features=[fence(_shown(f)) for f in group], most=most // 2) for group in groups
        ]
        asked = ask(model, questions, _read, stage=SUMMARISE[side], schema=_SCHEMA, on_progress=on_progress)
        usage.append(asked.usage)
        claims: list[Claim] = []
        for group, reply in zip(groups, asked.replies, strict=True):
            if isinstance(reply, Unreadable):
                unreadable += 1
            else:
                claims += _claims(reply, group)
        if len(groups) > 1 and len(claims) > most // 2:
            claims, used = _sift(model, claims, most // 2, side, on_progress)
            usage.append(used)
        hypotheses += [_hypothesis(claim, side, pairs) for claim in claims[: most // 2]]
    once = {hypothesis.id: hypothesis for hypothesis in hypotheses}
    return Summarised(tuple(once.values()), tuple(used for used in usage if used.calls), unreadable)


def _shown(feature: Feature) -> str:
    example = f"\nFor example: {feature.examples[0].marked()}" if feature.examples else ""
    return f"{feature.words}{example}"


def _read(value: object) -> list[tuple[str, Category, list[int]]]:
    found = []
    for item in entries(value, "hypotheses"):
        text, numbers = entry(item, "hypothesis"), entry(item, "features")
        if not isinstance(text, str) or not text.strip().startswith("<MODEL>") or len(text) > _LONGEST:
            raise ReplyError("a hypothesis that does not start with <MODEL> or is too long")
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            raise ReplyError("features that are not numbers")
        found.append((" ".join(text.split()), offered(entry(item, "category"), _CATEGORIES), numbers))
    return found


def _claims(reply: Sequence[tuple[str, Category, list[int]]], group: Sequence[Feature]) -> list[Claim]:
    """Numbers that were not offered are dropped, and hypotheses that rest on nothing."""
    claims = []
    for text, category, numbers in reply:
        named = [group[number - 1] for number in dict.fromkeys(numbers) if 1 <= number <= len(group)]
        if named:
            claims.append(Claim(text, category, tuple(named[:_MOST_FEATURES])))
    return claims


def _sift(
    model: Model, claims: Sequence[Claim], most: int, side: Side, on_progress: OnProgress
) -> tuple[list[Claim], Usage]:
    """The claims an LLM chooses; where its reply cannot be read, those with the largest differences."""
    question = render("merge_hypotheses", hypotheses=[fence(claim.text) for claim in claims], most=most)

    def parse(value: object) -> list[int]:
        chosen = entries(value, "chosen")
        numbers = [number for number in chosen if type(number) is int and 1 <= number <= len(claims)]
        if not numbers:
            raise ReplyError("no number that was offered")
        return list(dict.fromkeys(numbers))

    asked = ask(model, [question], parse, stage=SIFT[side], schema=_MERGE_SCHEMA, on_progress=on_progress)
    reply = asked.replies[0]
    if isinstance(reply, Unreadable):
        by_size = sorted(claims, key=lambda claim: -max(abs(f.screened.difference) for f in claim.features))
        return by_size[:most], asked.usage
    return [claims[number - 1] for number in reply], asked.usage


def _hypothesis(claim: Claim, side: Side, pairs: Sequence[ReadPair]) -> Hypothesis:
    indices = [feature.index for feature in claim.features]

    def share(of: Side) -> float:
        return sum(any(pair.latents(of).value(i) > 0 for i in indices) for pair in pairs) / len(pairs)

    evidence = [Evidence(one.prompt_id, one.side, one.quote) for f in claim.features for one in f.examples[:2]]
    digest = hashlib.sha256(f"{side}\0{claim.text}".encode()).hexdigest()[:12]
    return Hypothesis(
        id=f"{METHOD}-{digest}",
        text=claim.text,
        direction=side,
        method=METHOD,
        category=claim.category,
        evidence=tuple(evidence[:_MOST_FEATURES]),
        measure=LatentMeasure(tuple(indices), in_words=True),
        train_effect=share(side) - share(other_side(side)),
    )
