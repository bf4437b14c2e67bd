"""The ten triggers, drawn by a fixed seed from kinds that were written before, and the seeds of the null runs."""

import random

from tests.benchmarks.agent.kinds import KINDS, Kind

SEED = 18
TRIGGERS = 10
NULL_SEEDS = tuple(range(100, 110))
"""Of a planted model compared with itself; fixed before any of these runs was made."""


def drawn_triggers() -> tuple[Kind, ...]:
    """The kinds that trigger a planted behaviour, one per pair of models."""
    return tuple(random.Random(SEED).sample(KINDS, TRIGGERS))
