"""Labels features with an LLM: scores a published label, writes a new one, and keeps the better of the two.

Both labels are scored on the same examples. All examples come from the side in which the feature is active more often:
it is active in the positive ones and not in the negative ones. No example is used both to write a label and to score
it. The scoring LLM sees one passage at a time, without marks, and tells from the label alone whether it is positive.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffing.methods.features.active_tokens import Tracer, trace_all
from diffing.methods.features.feature_evidence import FeatureEvidence, FeatureExample
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.stages import LlmStages
from diffing.models.base import Model
from diffing.structured_replies import ReplyError, UnreadableReply, ask, entry, offered
from diffing.templates import fence, render
from diffing.types import OnProgress, Stage, Usage, ignore_progress

KEPT_FROM = 0.75
"""The lowest score with which a label is kept, as in the papers."""
SCORED = 10
"""The number of examples on which a label is scored; half of them are positive, as in the papers."""
WRITTEN_FROM = 20
"""The number of examples from which a label is written; half of them are positive, as in the papers."""
_LONGEST = 1_200
"""The largest number of characters of a passage."""
_LONGEST_LABEL = 200
_LABEL_SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string"}},
    "required": ["label"],
    "additionalProperties": False,
}
_SCORE_SCHEMA = {
    "type": "object",
    "properties": {"has_it": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["has_it"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class LabellingExamples:
    """The examples for labelling one feature; no response is used both for writing and for scoring."""

    written: tuple[FeatureExample, ...]
    """Positive examples for writing, with their active tokens."""
    written_silent: tuple[str, ...]
    """Negative examples for writing."""
    scored: tuple[tuple[str, bool], ...]
    """Passages for scoring, each with a flag that says whether the feature is active in it."""


@dataclass(frozen=True, slots=True)
class LabelledFeatures:
    """Features with the labels that were good enough."""

    features: tuple[FeatureEvidence, ...]
    """The features in the order given; a feature has no label if none was good enough."""
    usage: tuple[Usage, ...]
    """Calls and tokens per stage."""
    unlabelled: int
    """The number of features without a label that was good enough."""


def label_features(
    model: Model,
    features: Sequence[FeatureEvidence],
    pairs: Sequence[ReadPair],
    tracer: Tracer,
    stages: LlmStages,
    on_progress: OnProgress = ignore_progress,
) -> LabelledFeatures:
    """Labels features with at most 21 calls each: 10 to score its label, 1 to write another, 10 to score that.

    Args:
        model: The LLM that writes and scores.
        features: The features, with their published labels if there are any.
        pairs: The pairs from which examples are drawn.
        tracer: Finds the tokens at which a feature is active.
        stages: The method's names of the stages.
        on_progress: Called after every answer.
    """
    examples = [choose_examples(feature, pairs, tracer) for feature in features]
    old, used_old = _score(model, [feature.label for feature in features], examples, stages.score_labels, on_progress)
    new_labels, used_write = _write(model, examples, stages.label, on_progress)
    new, used_new = _score(model, new_labels, examples, stages.score_new_labels, on_progress)
    result = []
    for feature, label, old_score, new_score in zip(features, new_labels, old, new, strict=True):
        keep_new = label is not None and new_score is not None and (old_score is None or new_score > old_score)
        score = new_score if keep_new else old_score
        if score is None or score < KEPT_FROM:
            result.append(replace(feature, label=None, label_source=None, label_score=None))
        elif keep_new:
            result.append(replace(feature, label=label, label_source=model.id, label_score=score))
        else:
            result.append(replace(feature, label_score=score))
    usage = tuple(used for used in (used_old, used_write, used_new) if used.calls)
    return LabelledFeatures(tuple(result), usage, sum(feature.label is None for feature in result))


def choose_examples(feature: FeatureEvidence, pairs: Sequence[ReadPair], tracer: Tracer) -> LabellingExamples:
    """Draws a feature's examples by hash, so that they are the same in every run and not only the strongest ones."""
    side, index = feature.screened.direction, feature.index

    def drawn(pair: ReadPair) -> str:
        return hashlib.sha256(f"{index}\0{pair.pair.prompt.id}".encode()).hexdigest()

    ordered = sorted((pair for pair in pairs if pair.pair.response(side).text.strip()), key=drawn)
    active = [pair for pair in ordered if pair.latents(side).value(index) > 0]
    silent = [pair for pair in ordered if pair.latents(side).value(index) == 0]
    half, rest = SCORED // 2, WRITTEN_FROM // 2
    # if there are few examples, writing and scoring share them equally
    to_score, to_score_silent = min(half, len(active) // 2), min(half, len(silent) // 2)

    shown = active[: to_score + rest]
    traces = trace_all(tracer, [(pair.exchange(side), [index]) for pair in shown])
    positives = [
        FeatureExample(pair.pair.prompt.id, side, pair.pair.response(side).text, tokens)
        for pair, trace in zip(shown, traces, strict=True)
        if (tokens := trace[index])
    ]
    scored = [(_passage(example), True) for example in positives[:to_score]]
    scored += [(pair.pair.response(side).text[:_LONGEST], False) for pair in silent[:to_score_silent]]
    return LabellingExamples(
        written=tuple(positives[to_score:]),
        written_silent=tuple(
            pair.pair.response(side).text[:_LONGEST] for pair in silent[to_score_silent : to_score_silent + rest]
        ),
        scored=tuple(sorted(scored, key=lambda one: hashlib.sha256(one[0].encode()).digest())),
    )


def _passage(example: FeatureExample) -> str:
    """Returns the response, or the longest allowed passage around its strongest token."""
    first = max(min(example.strongest.first - _LONGEST // 2, len(example.response) - _LONGEST), 0)
    return example.response[first : first + _LONGEST]


def _marked(example: FeatureExample) -> str:
    if len(example.response) <= _LONGEST:
        return example.marked(whole=True)
    return example.marked()


def _write(
    model: Model, examples: Sequence[LabellingExamples], stage: Stage, on_progress: OnProgress
) -> tuple[list[str | None], Usage]:
    places = [place for place, one in enumerate(examples) if one.written]
    questions = [
        render(
            "label_feature",
            active=[fence(_marked(example)) for example in examples[place].written],
            silent=[fence(text) for text in examples[place].written_silent],
        )
        for place in places
    ]
    answers = ask(model, questions, _read_label, stage=stage, schema=_LABEL_SCHEMA, on_progress=on_progress)
    labels: list[str | None] = [None] * len(examples)
    for place, reply in zip(places, answers.replies, strict=True):
        labels[place] = None if isinstance(reply, UnreadableReply) else reply
    return labels, answers.usage


def _score(
    model: Model,
    labels: Sequence[str | None],
    examples: Sequence[LabellingExamples],
    stage: Stage,
    on_progress: OnProgress,
) -> tuple[list[float | None], Usage]:
    """Scores each label by its share of correct answers; None without a label, answers or examples of both kinds."""
    owners: list[tuple[int, bool]] = []
    questions: list[str] = []
    for place, (label, one) in enumerate(zip(labels, examples, strict=True)):
        if label is not None and {active for _, active in one.scored} == {True, False}:
            for passage, active in one.scored:
                owners.append((place, active))
                questions.append(render("score_label", label=fence(label), passage=fence(passage)))
    answers = ask(model, questions, _read_score, stage=stage, schema=_SCORE_SCHEMA, on_progress=on_progress)
    right: dict[int, list[bool]] = {}
    for (place, active), reply in zip(owners, answers.replies, strict=True):
        if not isinstance(reply, UnreadableReply):
            right.setdefault(place, []).append(reply == active)
    scores = [sum(right[place]) / len(right[place]) if place in right else None for place in range(len(labels))]
    return scores, answers.usage


def _read_label(value: object) -> str:
    label = entry(value, "label")
    if not isinstance(label, str) or not label.strip():
        raise ReplyError("no label")
    if len(label) > _LONGEST_LABEL:
        raise ReplyError("a label that is too long")
    return " ".join(label.split())


def _read_score(value: object) -> bool:
    return offered(entry(value, "has_it"), ("yes", "no")) == "yes"
