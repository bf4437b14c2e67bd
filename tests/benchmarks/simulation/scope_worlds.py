"""Simulated runs with conditions on prompts: differences that live in one domain, everywhere, or nowhere."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diffing.scope import Term
from diffing.scopes.conditions import PromptConditions, conditions_of
from tests.benchmarks.simulation.worlds import INDEPENDENT, Correlation, Sizes, Truths, Verdicts, draw, nulls

World: TypeAlias = Literal["nothing", "frequency by domain", "everywhere", "one domain", "shuffled"]
"""What holds: nothing; nothing, but how often verdicts name a side depends on the domain; some differences everywhere
alike; some in one domain each; the same, but the conditions are shuffled over the prompts, so that no scope is true."""
DOMAINS = 10
"""Domains of a run, of equal size."""
WORDS = 93
"""Words that divide the prompts. Together with domains, their common parts and forms these are 110 conditions."""
HYPOTHESES = 60
"""Hypotheses of a run."""
_GROUPS = ("north", "east", "south")
"""Words in the names of three domains each; the last domain has none."""
_FORMS = ("more than 40 words", "fewer than 12 words", "question", "several lines")


@dataclass(frozen=True, slots=True)
class ScopeShape:
    """Runs of one kind."""

    world: World
    """What holds."""
    sizes: Sizes
    """Prompts."""
    frequency: float
    """Share of prompts on which a hypothesis is decided at random where it does not hold."""
    correlation: Correlation = INDEPENDENT
    """Between the hypotheses where none holds."""
    real: int = 0
    """How many of the hypotheses hold somewhere."""
    strength: float = 0.0
    """Share of the prompts on which a verdict is for the side where the hypothesis holds."""


@dataclass(frozen=True, eq=False)
class ScopeRun:
    """The data of one run."""

    conditions: PromptConditions
    """The conditions, train prompts first."""
    verdicts: Verdicts
    """What is true; shape (hypotheses, prompts)."""
    domain_of: NDArray[np.int64]
    """For each hypothesis the place of the domain in which it holds, -1 if there is none."""
    holds: NDArray[np.bool_]
    """For each hypothesis whether it holds over all prompts together."""


def draw_run(shape: ScopeShape, rng: np.random.Generator) -> ScopeRun:
    """Draws the prompts, their conditions, and the verdicts of one run.

    Args:
        shape: The kind of run.
        rng: The generator.
    """
    prompts = shape.sizes.train + shape.sizes.heldout
    domains = rng.permutation(np.arange(prompts) % DOMAINS)
    verdicts = draw(nulls(HYPOTHESES, shape.frequency), prompts, shape.correlation, rng)
    domain_of = np.full(HYPOTHESES, -1)
    if shape.world == "frequency by domain":
        busy = rng.integers(0, DOMAINS, HYPOTHESES)[:, None] == domains[None, :]
        often = draw(nulls(HYPOTHESES, min(1.0, 3 * shape.frequency)), prompts, shape.correlation, rng)
        verdicts = np.where(busy, often, verdicts)
    if shape.world in ("one domain", "shuffled"):
        domain_of[: shape.real] = rng.integers(0, DOMAINS, shape.real)
        inside = domain_of[:, None] == domains[None, :]
        verdicts = np.where(inside & (rng.random(verdicts.shape) < shape.strength), np.int8(1), verdicts)
    if shape.world == "everywhere":
        real = Truths(rng.uniform(0.1, 0.9, shape.real), rng.uniform(0.7, 1.0, shape.real))
        verdicts[: shape.real] = draw(real, prompts, INDEPENDENT, rng)
    if shape.world == "shuffled":
        domains = rng.permutation(domains)
        domain_of[:] = -1
    holds = np.arange(HYPOTHESES) < shape.real
    return ScopeRun(_conditions(domains, shape.sizes.train, rng), verdicts, domain_of, holds)


def domain_name(place: int) -> str:
    """The name of a domain; three share a word."""
    letter = "abcdefghij"[place]
    return f"{letter} {_GROUPS[place // 3]}" if place < 3 * len(_GROUPS) else letter


def _conditions(domains: NDArray[np.int64], train: int, rng: np.random.Generator) -> PromptConditions:
    """The conditions of a run: half of the words are more frequent in one domain."""
    names = np.array([domain_name(place) for place in range(DOMAINS)])
    met = {Term("domain", name): names[domains] == name for name in names}
    met |= {Term("part", group): np.char.endswith(names[domains], group) for group in _GROUPS}
    met |= {Term("form", form): rng.random(len(domains)) < 0.33 for form in _FORMS}
    for number in range(WORDS):
        share = np.full(len(domains), rng.uniform(0.05, 0.4))
        if number % 2:
            share = np.where(domains == rng.integers(0, DOMAINS), 0.5, 0.05)
        met[Term("word", f"word {number}")] = rng.random(len(domains)) < share
    found = {term: np.flatnonzero(mask).tolist() for term, mask in met.items()}
    return conditions_of(found, np.arange(len(domains)) < train)
