"""Goes through the shapes of one part of the benchmark; each has random numbers of its own."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from diffing.types import OnProgress, Stage

Shape = TypeVar("Shape")


def with_generators(
    part: str, shapes: Iterable[Shape], seed: tuple[int, int], on_progress: OnProgress
) -> Iterator[tuple[Shape, np.random.Generator]]:
    """Yields every shape with its generator, and reports progress once the shape is done with.

    Args:
        part: The name of the part, for progress.
        shapes: What to go through.
        seed: The seed of the benchmark, and the number of the part's first shape. No two shapes of the benchmark have
            the same number, so adding one to a part leaves the other parts' results as they are.
        on_progress: Called after every shape.
    """
    every = tuple(shapes)
    base, first = seed
    for number, shape in enumerate(every):
        yield shape, np.random.default_rng((base, first + number))
        on_progress(Stage(part), number + 1, len(every))
