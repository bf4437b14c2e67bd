"""Asks an LLM to state hypotheses from many features, each based on at most five features that the LLM names.

Each direction is asked about separately, so the side that a sentence is about is known from the features shown, and the
size of the difference is counted from the features. The LLM can therefore confuse neither.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.stages import LlmStages
from diffing.models.base import Model
from diffing.structured_replies import ReplyError, UnreadableReply, ask, entries, entry, offered
from diffing.templates import fence, render
from diffing.types import (
    SIDES,
    Category,
    Evidence,
    Hypothesis,
    Measure,
    OnProgress,
    Side,
    Stage,
    Usage,
    ignore_progress,
    other_side,
)

IN_ONE_CALL = 50
"""Up to this number of features are summarised in one call, as in the papers."""
IN_A_BATCH = 200
"""More features are summarised in batches of this size, and one more call selects from all hypotheses (papers)."""
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
class FeatureMethod:
    """What the method that found the features adds to the hypotheses about them."""

    name: str
    """The method's name."""
    stages: LlmStages
    """Its names of the stages."""
    measure: Callable[[Sequence[int]], Measure]
    """Returns the measure of a hypothesis in words that is based on the latents of these indices."""


@dataclass(frozen=True, slots=True)
class ClaimedDifference:
    """A sentence of the LLM with the features that it is based on."""

    text: str
    """The sentence, which starts with `<MODEL>`."""
    category: Category
    """One of the seven categories of hypotheses."""
    features: tuple[FeatureEvidence, ...]
    """The features that it is based on, at most five."""


@dataclass(frozen=True, slots=True)
class FeatureSummary:
    """The hypotheses that an LLM stated from features."""

    hypotheses: tuple[Hypothesis, ...]
    """The hypotheses, those that predict side A first."""
    usage: tuple[Usage, ...]
    """Calls and tokens per stage."""
    unreadable: int
    """The number of feature lists whose summary could not be read."""


def summarise(
    model: Model,
    features: Sequence[FeatureEvidence],
    pairs: Sequence[ReadPair],
    most: int,
    of: FeatureMethod,
    on_progress: OnProgress = ignore_progress,
) -> FeatureSummary:
    """States hypotheses for both directions, at most half of `most` for each.

    Args:
        model: The LLM.
        features: Features of both directions with labels or tokens, the largest difference first.
        pairs: The pairs on which the size of each difference is counted.
        most: The largest number of hypotheses.
        of: The method whose features they are.
        on_progress: Called after every answer.
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
        answers = ask(model, questions, _read, stage=of.stages.summarise[side], schema=_SCHEMA, on_progress=on_progress)
        usage.append(answers.usage)
        claims: list[ClaimedDifference] = []
        for group, reply in zip(groups, answers.replies, strict=True):
            if isinstance(reply, UnreadableReply):
                unreadable += 1
            else:
                claims += _claims(reply, group)
        if len(groups) > 1 and len(claims) > most // 2:
            claims, used = _sift(model, claims, most // 2, of.stages.sift[side], on_progress)
            usage.append(used)
        hypotheses += [_hypothesis(claim, side, pairs, of) for claim in claims[: most // 2]]
    once = {hypothesis.id: hypothesis for hypothesis in hypotheses}
    return FeatureSummary(tuple(once.values()), tuple(used for used in usage if used.calls), unreadable)


def _shown(feature: FeatureEvidence) -> str:
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


def _claims(
    reply: Sequence[tuple[str, Category, list[int]]], group: Sequence[FeatureEvidence]
) -> list[ClaimedDifference]:
    """Looks up the features that each sentence names; drops unknown numbers, and sentences without any feature."""
    claims = []
    for text, category, numbers in reply:
        named = [group[number - 1] for number in dict.fromkeys(numbers) if 1 <= number <= len(group)]
        if named:
            claims.append(ClaimedDifference(text, category, tuple(named[:_MOST_FEATURES])))
    return claims


def _sift(
    model: Model, claims: Sequence[ClaimedDifference], most: int, stage: Stage, on_progress: OnProgress
) -> tuple[list[ClaimedDifference], Usage]:
    """Lets an LLM select claims; if its reply cannot be read, takes those with the largest differences."""
    question = render("merge_hypotheses", hypotheses=[fence(claim.text) for claim in claims], most=most)

    def parse(value: object) -> list[int]:
        chosen = entries(value, "chosen")
        numbers = [number for number in chosen if type(number) is int and 1 <= number <= len(claims)]
        if not numbers:
            raise ReplyError("no number that was offered")
        return list(dict.fromkeys(numbers))

    answers = ask(model, [question], parse, stage=stage, schema=_MERGE_SCHEMA, on_progress=on_progress)
    reply = answers.replies[0]
    if isinstance(reply, UnreadableReply):
        by_size = sorted(claims, key=lambda claim: -max(abs(f.screened.difference) for f in claim.features))
        return by_size[:most], answers.usage
    return [claims[number - 1] for number in reply], answers.usage


def _hypothesis(claim: ClaimedDifference, side: Side, pairs: Sequence[ReadPair], of: FeatureMethod) -> Hypothesis:
    indices = [feature.index for feature in claim.features]

    def share(of: Side) -> float:
        return sum(any(pair.latents(of).value(i) > 0 for i in indices) for pair in pairs) / len(pairs)

    evidence = [Evidence(one.prompt_id, one.side, one.quote) for f in claim.features for one in f.examples[:2]]
    digest = hashlib.sha256(f"{side}\0{claim.text}".encode()).hexdigest()[:12]
    return Hypothesis(
        id=f"{of.name}-{digest}",
        text=claim.text,
        direction=side,
        method=of.name,
        category=claim.category,
        evidence=tuple(evidence[:_MOST_FEATURES]),
        measure=of.measure(indices),
        train_effect=share(side) - share(other_side(side)),
    )
