"""Measures the time and memory of making lines: `python -m tests.benchmarks.bench_grouping [PAIRS] [FINDINGS]`.

All findings are confirmed; a third of them are phrases, whose sentences are looked up in responses of about 150 words.
"""

import sys

import numpy as np

from diffing import metrics
from diffing.grouping import group_by_behaviour, merge
from diffing.judgements import Judgements
from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.properties import BY_NAME
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
from tests.benchmarks.bench_scopes import prompts, timed

SENTENCES = (
    "I'm sorry, but I cannot help with that request.",
    "Perhaps you should ask a doctor, since it depends on many things.",
    "1. First, put the pan on the stove and wait until it is hot!",
    "Great question, and let me know if you have any other questions.",
    "The water is cold in winter, however it is warm in the summer months.",
    "For example, **bold words** and (remarks in parentheses) are common here.",
)


def pairs_of(count: int, rng: np.random.Generator) -> list[Pair]:
    """Draws responses of 12 sentences to as many prompts."""
    found = []
    for prompt in prompts(count, rng):
        a, b = ("\n".join(SENTENCES[i] for i in rng.integers(0, len(SENTENCES), 12)) for _ in "ab")
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


def main(count: int = 10_000, number: int = 150) -> None:
    """Measures every step."""
    rng = np.random.default_rng(0)
    pairs = pairs_of(count, rng)
    base = rng.choice(3, size=(20, count), p=[0.3, 0.1, 0.6])
    verdicts = (Verdict.A, Verdict.B, Verdict.NEITHER)
    findings: list[Finding] = []
    judgements: list[Judgement] = []
    for i, measure in enumerate(measures_of(number)):
        drawn = np.where(rng.random(count) < 0.5, base[i % 20], rng.choice(3, size=count, p=[0.3, 0.1, 0.6]))
        side: Side = "a" if i % 4 else "b"
        own = [Judgement(f"h{i}", pair.prompt.id, verdicts[v], "m") for pair, v in zip(pairs, drawn, strict=True)]
        judgements += own
        by_split = [
            metrics.measure((j for j, p in zip(own, pairs, strict=True) if p.prompt.split == split), side)
            for split in ("train", "heldout")
        ]
        hypothesis = Hypothesis(f"h{i}", f"<MODEL> does {i}", side, "m", "style", measure=measure)
        findings.append(Finding(hypothesis, by_split[0], by_split[1], True, True))
    columns = Judgements.of(judgements)
    with timed("what says the same"):
        entries = merge(findings, columns, pairs).entries
    with timed("families"):
        made = group_by_behaviour(
            entries, findings, columns, pairs, methods=[LexicalMethod()], inside=lambda rule: np.ones(count, np.bool_)
        )
    print(f"{len(made.lines)} lines of {len(entries)} entries")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
