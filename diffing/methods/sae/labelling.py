"""Labels by an LLM: an old label is scored, a new one written and scored on the SAME examples, the better one kept.

All examples come from the side in which the feature is active more often. Positives activate it and negatives do not;
those that a label is written from are not those it is scored on. The scorer sees one passage at a time, unmarked, and
is not told which it is.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffing.methods.sae.activation_cache import CachedReading
from diffing.methods.sae.feature_evidence import Example, Feature, ReadPair
from diffing.methods.sae.stages import LABEL, SCORE_LABELS, SCORE_NEW_LABELS
from diffing.models.base import Model
from diffing.structured_replies import ReplyError, Unreadable, ask, entry, offered
from diffing.templates import fence, render
from diffing.types import OnProgress, Stage, Usage, ignore_progress

KEPT_FROM = 0.75
"""The papers' least score of a label."""
SCORED = 10
"""Examples a label is scored on; half of them activate the feature (papers)."""
WRITTEN_FROM = 20
"""Examples a label is written from, likewise (papers)."""
_LONGEST = 1_200
"""Characters of a passage, at most."""
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
class Examples:
    """What one feature is labelled and scored with; no response is in both halves."""

    written: tuple[Example, ...]
    """Positives to write from, with their active tokens."""
    written_silent: tuple[str, ...]
    """Negatives to write from."""
    scored: tuple[tuple[str, bool], ...]
    """Passages to score on, and whether the feature is active there."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Features with their labels."""

    features: tuple[Feature, ...]
    """In the order given; without a label where none was good enough."""
    usage: tuple[Usage, ...]
    """What it took, per stage."""
    unlabelled: int
    """Features of which no label scored enough."""


def label_features(
    model: Model,
    features: Sequence[Feature],
    pairs: Sequence[ReadPair],
    reading: CachedReading,
    on_progress: OnProgress = ignore_progress,
) -> Labelled:
    """At most 21 calls a feature: 10 to score the label it has, 1 to write another, 10 to score that."""
    examples = [choose_examples(feature, pairs, reading) for feature in features]
    old, used_old = _score(model, [feature.label for feature in features], examples, SCORE_LABELS, on_progress)
    new_labels, used_write = _write(model, examples, on_progress)
    new, used_new = _score(model, new_labels, examples, SCORE_NEW_LABELS, on_progress)
    made = []
    for feature, label, old_score, new_score in zip(features, new_labels, old, new, strict=True):
        keep_new = label is not None and new_score is not None and (old_score is None or new_score > old_score)
        score = new_score if keep_new else old_score
        if score is None or score < KEPT_FROM:
            made.append(replace(feature, label=None, label_source=None, label_score=None))
        elif keep_new:
            made.append(replace(feature, label=label, label_source=model.id, label_score=score))
        else:
            made.append(replace(feature, label_score=score))
    usage = tuple(used for used in (used_old, used_write, used_new) if used.calls)
    return Labelled(tuple(made), usage, sum(feature.label is None for feature in made))


def choose_examples(feature: Feature, pairs: Sequence[ReadPair], reading: CachedReading) -> Examples:
    """Draws by hash, so that they are the same in every run and not only the strongest."""
    side, index = feature.screened.direction, feature.index

    def drawn(pair: ReadPair) -> str:
        return hashlib.sha256(f"{index}\0{pair.pair.prompt.id}".encode()).hexdigest()

    ordered = sorted((pair for pair in pairs if pair.pair.response(side).text.strip()), key=drawn)
    active = [pair for pair in ordered if pair.latents(side).value(index) > 0]
    silent = [pair for pair in ordered if pair.latents(side).value(index) == 0]
    half, rest = SCORED // 2, WRITTEN_FROM // 2
    # where there are few, both uses get their share
    to_score, to_score_silent = min(half, len(active) // 2), min(half, len(silent) // 2)

    def traced(pair: ReadPair) -> Example:
        tokens = reading.trace(pair.exchange(side), [index])[index]
        return Example(pair.pair.prompt.id, side, pair.pair.response(side).text, tokens)

    positives = [example for pair in active[: to_score + rest] if (example := traced(pair)).tokens]
    scored = [(_passage(example), True) for example in positives[:to_score]]
    scored += [(pair.pair.response(side).text[:_LONGEST], False) for pair in silent[:to_score_silent]]
    return Examples(
        written=tuple(positives[to_score:]),
        written_silent=tuple(
            pair.pair.response(side).text[:_LONGEST] for pair in silent[to_score_silent : to_score_silent + rest]
        ),
        scored=tuple(sorted(scored, key=lambda one: hashlib.sha256(one[0].encode()).digest())),
    )


def _passage(example: Example) -> str:
    """The response, or as much of it around the strongest token as may be shown."""
    first = max(min(example.strongest.first - _LONGEST // 2, len(example.response) - _LONGEST), 0)
    return example.response[first : first + _LONGEST]


def _marked(example: Example) -> str:
    if len(example.response) <= _LONGEST:
        return example.marked(whole=True)
    return example.marked()


def _write(model: Model, examples: Sequence[Examples], on_progress: OnProgress) -> tuple[list[str | None], Usage]:
    places = [place for place, one in enumerate(examples) if one.written]
    questions = [
        render(
            "label_feature",
            active=[fence(_marked(example)) for example in examples[place].written],
            silent=[fence(text) for text in examples[place].written_silent],
        )
        for place in places
    ]
    asked = ask(model, questions, _read_label, stage=LABEL, schema=_LABEL_SCHEMA, on_progress=on_progress)
    labels: list[str | None] = [None] * len(examples)
    for place, reply in zip(places, asked.replies, strict=True):
        labels[place] = None if isinstance(reply, Unreadable) else reply
    return labels, asked.usage


def _score(
    model: Model, labels: Sequence[str | None], examples: Sequence[Examples], stage: Stage, on_progress: OnProgress
) -> tuple[list[float | None], Usage]:
    """Share of readable answers that are right, per label; None without a label, examples of both kinds or answers."""
    owners: list[tuple[int, bool]] = []
    questions: list[str] = []
    for place, (label, one) in enumerate(zip(labels, examples, strict=True)):
        if label is not None and {active for _, active in one.scored} == {True, False}:
            for passage, active in one.scored:
                owners.append((place, active))
                questions.append(render("score_label", label=fence(label), passage=fence(passage)))
    asked = ask(model, questions, _read_score, stage=stage, schema=_SCORE_SCHEMA, on_progress=on_progress)
    right: dict[int, list[bool]] = {}
    for (place, active), reply in zip(owners, asked.replies, strict=True):
        if not isinstance(reply, Unreadable):
            right.setdefault(place, []).append(reply == active)
    scores = [sum(right[place]) / len(right[place]) if place in right else None for place in range(len(labels))]
    return scores, asked.usage


def _read_label(value: object) -> str:
    label = entry(value, "label")
    if not isinstance(label, str) or not label.strip():
        raise ReplyError("no label")
    if len(label) > _LONGEST_LABEL:
        raise ReplyError("a label that is too long")
    return " ".join(label.split())


def _read_score(value: object) -> bool:
    return offered(entry(value, "has_it"), ("yes", "no")) == "yes"
