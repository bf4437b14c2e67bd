"""The triggers, drawn by fixed seeds from kinds that were written before, and the seeds of the null runs."""

import random

from tests.benchmarks.agent.kinds import KINDS, Kind

SEEDS = (18, 19)
"""One draw each: with the first one the scripted agent was tried out, the second one was drawn afterwards."""
TRIGGERS = 10
NULL_SEEDS = tuple(range(100, 110))
"""Of a planted model compared with itself; fixed before any of these runs was made."""


def drawn_triggers(seed: int = SEEDS[0]) -> tuple[Kind, ...]:
    """The kinds that trigger a planted behaviour, one per pair of models.

    Args:
        seed: The seed of the draw.
    """
    return tuple(random.Random(seed).sample(KINDS, TRIGGERS))
