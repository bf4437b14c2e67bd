"""Measures the time and memory that scopes take: `python -m tests.benchmarks.bench_scopes [PROMPTS] [FINDINGS]`.

The prompts have 20 domains and words that are as frequent as in English. All findings are confirmed, so that the best
rule of each is searched and tested.
"""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from diffing.scopes.conditions import find_conditions
from diffing.scopes.exact_tests import p_differs
from diffing.scopes.rule_search import best_conditions, best_rules
from diffing.scopes.verdict_table import VerdictTable
from diffing.types import Message, Prompt

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = 5000
"""Different words; the k-th is 1/k as frequent as the first."""


def vocabulary() -> tuple[list[str], npt.NDArray[np.float64]]:
    """Makes the words, with the share of each in a text."""
    words = [f"w{LETTERS[i % 26]}{LETTERS[i // 26 % 26]}{LETTERS[i // 676]}" for i in range(VOCABULARY)]
    frequencies = 1 / np.arange(1, VOCABULARY + 1)
    return words, frequencies / frequencies.sum()


def prompts(count: int, rng: np.random.Generator) -> list[Prompt]:
    """Draws prompts of 5 to 120 words."""
    words, shares = vocabulary()
    found = []
    for number in range(count):
        drawn = rng.choice(VOCABULARY, int(rng.integers(5, 120)), p=shares)
        text = " ".join(words[i] for i in drawn) + ("?" if rng.random() < 0.5 else ".")
        split = "train" if number % 3 else "heldout"
        found.append(Prompt(f"p{number}", (Message("user", text),), "bench", split, f"domain {LETTERS[number % 20]}"))
    return found


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints the processor time of a step."""
    begun = time.process_time()
    yield
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{what}: {time.process_time() - begun:.1f} s, at most {memory:.0f} MB so far")


def main(count: int = 10_000, findings: int = 150) -> None:
    """Measures every step."""
    rng = np.random.default_rng(0)
    drawn = prompts(count, rng)
    with timed("conditions"):
        conditions = find_conditions(drawn)
    print(f"{len(conditions.terms)} conditions")
    values = rng.choice(np.array([1, -1, 0], dtype=np.int8), size=(findings, count), p=[0.3, 0.2, 0.5])
    for row in range(0, findings, 2):  # every second one is concentrated in a domain
        values[row, conditions.column(row % 20)] = 1
    table = VerdictTable(values)
    with timed("best rules"):
        rules = best_rules(table.at(conditions.train), conditions)
    with timed("best single conditions"):
        best_conditions(table.at(conditions.train), conditions)
    with timed("exact tests"):
        for row, found in enumerate(rules):
            if found is not None:
                inside = conditions.inside(found.rule) & ~conditions.train
                p_differs(table.counts(row, inside), table.counts(row, ~conditions.train))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
