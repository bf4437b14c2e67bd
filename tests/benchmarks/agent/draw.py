"""The triggers, drawn by fixed seeds from kinds that were written before, and the seeds of the null runs."""

import random

from tests.benchmarks.agent.kinds import KINDS, Kind

SEEDS = (18, 19, 20)
"""One draw each. With the first two the scripted agent and the method were tried out, and the way in which long answers
are shortened was changed; the third was drawn afterwards and run once."""
TRIGGERS = 10
NULL_SEEDS = tuple(range(100, 110))
"""Of a planted model compared with itself; fixed before any of these runs was made."""
MORE_NULL_SEEDS = tuple(range(1000, 1120))
"""More of them, for a narrower interval."""


def drawn_triggers(seed: int = SEEDS[0]) -> tuple[Kind, ...]:
    """The kinds that trigger a planted behaviour, one per pair of models.

    Args:
        seed: The seed of the draw.
    """
    return tuple(random.Random(seed).sample(KINDS, TRIGGERS))
