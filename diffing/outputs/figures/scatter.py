"""Draws a scatter plot of sparse features: the rate of each in model A's and in model B's responses."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from diffing.outputs.figures.svg import ReportPicture, linked, mark, text, tooltip
from diffing.outputs.phrasing import count, one_line, percent
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.report.sae_tables import ListedFeature, RatePoint, rates_of
from diffing.types import SIDES, Report, Side

MAX_POINTS = 3_000
"""Maximum number of unnamed marks; if there are more, rates are rounded to whole percent."""
MAX_CHOSEN = 1_000
"""Maximum number of features that are drawn with a name; those with the largest differences."""
_LEFT, _TOP, _SIDE = 14, 3, 80
"""Left and top end of the square of the axes, and the length of its sides, in percent of the picture."""


def scatter(report: Report, listed: frozenset[int] = frozenset()) -> ReportPicture:
    """Draws the share of responses in which each feature is active, in percent: B's over A's, with the diagonal.

    Features that were followed up are coloured by the side in which they are active more often, and named in a tooltip.
    All other features that are ever active are in the background, with one mark for all that have the same rates.

    Args:
        report: The report with tables of features.
        listed: Indices of the features that have a row in the page; their marks link to it.
    """
    names = index_of(report).names
    chosen = [feature for feature in index_of(report).features if feature.chosen][:MAX_CHOSEN]
    others = _others(rates_of(report), chosen)
    drawn = [(rate.a, rate.b) for rate in others] + [(feature.rate_a, feature.rate_b) for feature in chosen]
    reach = math.ceil(10 * max(map(max, drawn), default=1.0)) * 10 or 10
    marks = [_chosen(feature, names, reach, listed) for feature in chosen]
    body = Markup("").join((_axes(names, reach), _background(others, reach), *marks))
    return ReportPicture("scatter", "Rates of features in both models", _description(others, chosen), None, body)


def _description(others: Sequence[RatePoint], chosen: Sequence[ListedFeature]) -> str:
    more = [sum(feature.direction == side for feature in chosen) for side in SIDES]
    return (
        f"{count(len(chosen), 'feature')} that were followed up, {more[0]} of them more frequent in A and {more[1]} in "
        f"B, in front of {sum(rate.features for rate in others):,} others."
    )


def _others(rates: Iterable[RatePoint], chosen: Sequence[ListedFeature]) -> list[RatePoint]:
    """Counts the unnamed features at each pair of rates; rounded to 101 x 101 places if there are too many."""
    places = Counter({(rate.a, rate.b): rate.features for rate in rates})
    places.subtract((feature.rate_a, feature.rate_b) for feature in chosen)
    places = +places
    if len(places) > MAX_POINTS:
        exact, places = places, Counter()
        for (a, b), features in exact.items():
            places[round(a, 2), round(b, 2)] += features
    return [RatePoint(a, b, features) for (a, b), features in sorted(places.items())]


def _at(a: float, b: float, reach: int) -> tuple[float, float]:
    """Converts two rates to percentages of the picture's width and height."""
    return round(_LEFT + _SIDE * 100 * a / reach, 2), round(_TOP + _SIDE * (1 - 100 * b / reach), 2)


def _background(rates: Sequence[RatePoint], reach: int) -> Markup:
    """Draws a circle per pair of rates, whose size shows how many features have them.

    Plain string formatting is enough, because the circles contain only numbers; there can be thousands.
    """
    circles = []
    for rate in rates:
        x, y = _at(rate.a, rate.b, reach)
        radius = round(2 + math.log2(rate.features), 1)
        title = f"{count(rate.features, 'feature')}: {_exact(rate.a)}, {_exact(rate.b)}"
        circles.append(f'<circle cx="{x:g}%" cy="{y:g}%" r="{radius:g}"><title>{title}</title></circle>')
    return Markup(f'<g class="others">{"".join(circles)}</g>')


def _exact(share: float) -> str:
    return f"{100 * share:.3g}%"


def _chosen(feature: ListedFeature, names: ModelNames, reach: int, listed: frozenset[int]) -> Markup:
    name = feature.label or feature.top_tokens or "no label"
    rates = zip(SIDES, (feature.rate_a, feature.rate_b), strict=True)
    shares = (f"{percent(rate)} of {one_line(names.of(side), 24)}'s responses" for side, rate in rates)
    tip = tooltip(f"feature {feature.name}: {one_line(name, 180)}", *shares)
    x, y = _at(feature.rate_a, feature.rate_b, reach)
    drawn = _mark(feature.direction, x, y)
    return linked(tip + drawn, f"feature-{feature.index}" if feature.index in listed else None)


def _mark(side: Side, x: float, y: float) -> Markup:
    """Draws a mark at a height in percent: `mark` takes pixels, so the mark gets a nested element at that height."""
    return Markup('<svg y="{}%" overflow="visible">{}</svg>').format(
        f"{y:g}", mark(side, f"{x:g}%", 0, filled=True, radius=4.5)
    )


def _axes(names: ModelNames, reach: int) -> Markup:
    """Draws equal axes from 0 to `reach` percent, and the diagonal."""
    low, high = _at(0, 0, reach), _at(reach / 100, reach / 100, reach)
    line = Markup('<line class="{}" x1="{}%" y1="{}%" x2="{}%" y2="{}%"/>')
    parts = []
    for tick in range(0, reach + 1, 20 if reach > 50 else 10):
        x, y = _at(tick / 100, tick / 100, reach)
        parts.append(line.format("grid", x, low[1], x, high[1]))
        parts.append(line.format("grid", low[0], y, high[0], y))
        parts.append(_label(f"{tick}%", x, low[1], "middle", 18))
        parts.append(_label(f"{tick}%", low[0] - 1.5, y, "end", 4))
    parts.append(line.format("diagonal", *low, *high))
    right, up = (one_line(names.of(side), 24) for side in SIDES)
    parts.append(_label(f"active in {right}'s responses →", high[0], low[1], "end", 40, "head a"))
    parts.append(_label(f"↑ in {up}'s responses", low[0] + 1.5, high[1], "start", 16, "head b"))
    return Markup("").join(parts)


def _label(line: str, x: float, y: float, anchor: str, below: int, style: str = "note") -> Markup:
    """Draws text some pixels below a place in percent."""
    placed = text([line], f"{x:g}%", below, anchor, style=style)
    return Markup('<svg y="{}%" overflow="visible">{}</svg>').format(f"{y:g}", placed)
