"""Holm's correction, which bounds the probability of any false confirmation, whatever the dependence of the tests."""

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Returns for each p-value the smallest family-wise error rate at which it is significant, in the order given.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    adjusted, largest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda each: ps[each])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = largest
    return adjusted
