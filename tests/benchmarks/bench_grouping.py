"""Measures the time and memory that scopes, lines and coverage take together.

`python -m tests.benchmarks.bench_grouping [PAIRS] [FINDINGS] [CHARACTERS]`. All findings are confirmed; a third of them
are phrases, whose sentences are looked up in the responses. A response has 12 of a few sentences, about 600 characters,
and then words that are as frequent as in English, up to the given number of characters.
"""

import sys

import numpy as np

from diffing import metrics
from diffing.coverage import cover
from diffing.grouping import group_by_behaviour, merge
from diffing.judgements import Judgements
from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.properties import BY_NAME
from diffing.scopes.conditions import find_conditions
from diffing.scopes.rule_search import best_conditions, best_rules
from diffing.scopes.verdict_table import VerdictTable
from diffing.types import (
    Finding,
    Hypothesis,
    Judgement,
    LatentMeasure,
    Measure,
    Pair,
    PhraseMeasure,
    PropertyMeasure,
    Response,
    Side,
    Verdict,
)
from tests.benchmarks.bench_scopes import VOCABULARY, prompts, timed, vocabulary

SENTENCES = (
    "I'm sorry, but I cannot help with that request.",
    "Perhaps you should ask a doctor, since it depends on many things.",
    "1. First, put the pan on the stove and wait until it is hot!",
    "Great question, and let me know if you have any other questions.",
    "The water is cold in winter, however it is warm in the summer months.",
    "For example, **bold words** and (remarks in parentheses) are common here.",
)


def pairs_of(count: int, rng: np.random.Generator, characters: int) -> list[Pair]:
    """Draws responses of 12 sentences, and of more up to a number of characters, to as many prompts."""
    words, shares = vocabulary()
    found = []

    def text() -> str:
        begun = "\n".join(SENTENCES[i] for i in rng.integers(0, len(SENTENCES), 12))
        drawn = [words[i] for i in rng.choice(VOCABULARY, max(0, characters - len(begun)) // 4, p=shares)]
        sentences = (f"{' '.join(drawn[i : i + 15]).capitalize()}." for i in range(0, len(drawn), 15))
        return " ".join((begun, *sentences))[: max(characters, len(begun))]

    for prompt in prompts(count, rng):
        a, b = text(), text()
        found.append(Pair(prompt, Response(prompt.id, "a", a, "stop"), Response(prompt.id, "b", b, "stop")))
    return found


def measures_of(count: int) -> list[Measure | None]:
    """A third each of phrases, properties and SAE features."""
    words = sorted({word.strip(",.!*()").lower() for sentence in SENTENCES for word in sentence.split()})
    names = sorted(BY_NAME)
    kinds = (
        lambda i: PhraseMeasure(words[i % len(words)]),
        lambda i: PropertyMeasure(names[i % len(names)]),
        lambda i: LatentMeasure((i,)),
    )
    return [kinds[i % 3](i) for i in range(count)]


def main(count: int = 10_000, number: int = 150, characters: int = 0) -> None:
    """Measures every step."""
    rng = np.random.default_rng(0)
    with timed("drawing responses"):
        pairs = pairs_of(count, rng, characters)
    base = rng.choice(3, size=(20, count), p=[0.3, 0.1, 0.6])
    verdicts = (Verdict.A, Verdict.B, Verdict.NEITHER)
    findings: list[Finding] = []
    judgements: list[Judgement] = []
    values = np.zeros((number, count), dtype=np.int8)
    for i, measure in enumerate(measures_of(number)):
        drawn = np.where(rng.random(count) < 0.5, base[i % 20], rng.choice(3, size=count, p=[0.3, 0.1, 0.6]))
        side: Side = "a" if i % 4 else "b"
        own = [Judgement(f"h{i}", pair.prompt.id, verdicts[v], "m") for pair, v in zip(pairs, drawn, strict=True)]
        judgements += own
        values[i] = np.array([1, -1, 0], dtype=np.int8)[drawn] * (1 if side == "a" else -1)
        by_split = [
            metrics.measure((j for j, p in zip(own, pairs, strict=True) if p.prompt.split == split), side)
            for split in ("train", "heldout")
        ]
        hypothesis = Hypothesis(f"h{i}", f"<MODEL> does {i}", side, "m", "style", measure=measure)
        findings.append(Finding(hypothesis, by_split[0], by_split[1], True, True))
    columns = Judgements.of(judgements)
    del judgements
    with timed("scopes"):
        conditions = find_conditions([pair.prompt for pair in pairs])
        train = VerdictTable(values).at(conditions.train)
        best_rules(train, conditions)
        best_conditions(train, conditions)
    with timed("what says the same"):
        entries = merge(findings, columns, pairs).entries
    with timed("families"):
        made = group_by_behaviour(
            entries, findings, columns, pairs, methods=[LexicalMethod()], inside=lambda rule: np.ones(count, np.bool_)
        )
    with timed("coverage"):
        cover(findings, made.lines, columns, pairs)
    print(f"{len(made.lines)} lines of {len(entries)} entries")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
