"""How work grows with its input, measured side by side, so that a busy machine slows both alike."""

import time
from collections.abc import Callable

FACTOR = 4
"""Times the input grows. Linear work grows as much, quadratic work 16-fold."""
LINEAR = 9.0
"""At most so much for linear work: between 4 and 16, with room for caches and other programs."""


def growth(work: Callable[[int], object], size: int) -> float:
    """Processor time for `FACTOR * size` in proportion to that for `size`: the least of three each, taken in turns."""
    times: dict[int, list[float]] = {size: [], FACTOR * size: []}
    for _ in range(3):
        for each, taken in times.items():
            begun = time.thread_time()
            work(each)
            taken.append(time.thread_time() - begun)
    return min(times[FACTOR * size]) / min(times[size])
