"""Finds responses in which a property is counted and others in which it is not, so that readers can judge the count."""

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

from diffing.methods.lexical.evidence_quotes import quote_of_property
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import is_measurable, read_pair
from diffing.methods.property_info import PropertyExample, PropertyExamples
from diffing.types import SIDES, Pair, Side

EXAMPLES = 3
"""Number of examples of each kind."""


def examples_of(measured: MeasuredProperty, pairs: Sequence[Pair]) -> PropertyExamples:
    """Measures a property in all responses and picks examples of both sides in turn, in the order of the pairs.

    Args:
        measured: The property.
        pairs: All pairs of a report; those without an answer of one side are left out.
    """
    every = {side: list(_measured(measured, pairs, side)) for side in SIDES}
    known = {side: [each for each in every[side] if each.value is not None] for side in SIDES}
    counted = {side: [each for each in known[side] if each.value] for side in SIDES}
    others = {side: [each for each in known[side] if not each.value] for side in SIDES}
    return PropertyExamples(
        counted=_in_turn(counted["a"], counted["b"]),
        not_counted=_in_turn(others["a"], others["b"]),
        responses=(len(known["a"]), len(known["b"])),
        responses_counted=(len(counted["a"]), len(counted["b"])),
        unknown=sum(len(every[side]) - len(known[side]) for side in SIDES),
    )


def _measured(measured: MeasuredProperty, pairs: Sequence[Pair], side: Side) -> Iterator[PropertyExample]:
    for pair in filter(is_measurable, pairs):
        exchange = read_pair(pair).whole[SIDES.index(side)]
        value = measured.value(exchange)
        yield PropertyExample(pair.prompt.id, side, value, quote_of_property(measured, exchange))


def _in_turn(a: Sequence[PropertyExample], b: Sequence[PropertyExample]) -> tuple[PropertyExample, ...]:
    """Picks the first examples of both sides in turn."""
    alternating = (each for both in zip_longest(a, b) for each in both if each is not None)
    return tuple(islice(alternating, EXAMPLES))
