"""Draws the small picture of one net difference and its interval that stands beside its numbers in a table."""

from markupsafe import Markup

from diffing.estimates import Estimate
from diffing.outputs.figures.geometry import span_of
from diffing.types import Side


def whisker(net: Estimate, direction: Side, reach: float) -> Markup:
    """Draws the interval on an axis without labels; empty if the difference is undefined.

    Args:
        net: The net difference, signed for `direction`.
        direction: The side whose behaviour the finding predicts; side a's differences extend to the left.
        reach: The difference at either end of the axis, the same for all rows of a table.
    """
    at = span_of(net, direction, reach)
    if at is None:
        return Markup("")
    low, value, high = (f"{place:g}" for place in at)
    shape = f'<circle cx="{value}" cy="6" r="2.6"/>'
    if direction == "b":
        shape = f'<path class="mark" d="M{value} 2.6l3.4 3.4-3.4 3.4-3.4-3.4z"/>'
    return Markup(  # safe, because it contains only numbers
        f'<svg class="whisker {direction}" viewBox="-4 0 108 12" aria-hidden="true" focusable="false">'
        f'<path class="axis" d="M50 0V12"/><path class="span" d="M{low} 6H{high}"/>{shape}</svg>'
    )
