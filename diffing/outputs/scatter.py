"""Plotly scatter of features: rate in A against rate in B. Knows no page and no file."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from diffing.outputs.figures import COLOURS, SYMBOLS, shown_text
from diffing.outputs.words import count, percent
from diffing.report.features import Feature, Rate, rates_of
from diffing.report.index import index_of
from diffing.report.names import Names
from diffing.types import SIDES, Report, Side

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_POINTS = 3_000
"""Points of features that are not named; where there are more, rates are rounded to whole percent."""
MAX_CHOSEN = 1_000
"""Features drawn by name, those with the largest differences."""
_TEXT = "#808790"
_GRID = "rgba(128,135,144,0.25)"


def scatter(report: Report) -> "go.Figure":
    """Share of responses in which a feature is active, in percent: B's over A's, with the diagonal.

    Features that were followed up are coloured by the side in which they are active more often, and named on hover;
    their `customdata` is the feature's index. All others that are ever active stand in the background, one mark for all
    that have the same rates.

    Args:
        report: Its tables of the SAE method are drawn.
    """
    import plotly.graph_objects as go

    names = index_of(report).names
    chosen = [feature for feature in index_of(report).features if feature.chosen][:MAX_CHOSEN]
    others = _others(rates_of(report), chosen)
    figure = go.Figure()
    if others:
        figure.add_trace(_background(others, names))
    for side in SIDES:
        if of_side := [feature for feature in chosen if feature.direction == side]:
            figure.add_trace(_chosen(of_side, side, names))
    drawn = [(rate.a, rate.b) for rate in others] + [(feature.rate_a, feature.rate_b) for feature in chosen]
    _lay_out(figure, names, math.ceil(10 * max(map(max, drawn), default=1.0)) * 10 or 10)
    return figure


def _others(rates: Iterable[Rate], chosen: Sequence[Feature]) -> list[Rate]:
    """The features that are not drawn by name, at no more than 101 x 101 places where there are too many."""
    places = Counter({(rate.a, rate.b): rate.features for rate in rates})
    places.subtract((feature.rate_a, feature.rate_b) for feature in chosen)
    places = +places
    if len(places) > MAX_POINTS:
        exact, places = places, Counter()
        for (a, b), features in exact.items():
            places[round(a, 2), round(b, 2)] += features
    return [Rate(a, b, features) for (a, b), features in sorted(places.items())]


def _background(rates: Sequence[Rate], names: Names) -> "go.Scatter":
    import plotly.graph_objects as go

    return go.Scatter(
        name="other features",
        x=[round(100 * rate.a, 3) for rate in rates],
        y=[round(100 * rate.b, 3) for rate in rates],
        mode="markers",
        marker={
            "color": _TEXT,
            "size": [round(4 + 2 * math.log2(rate.features), 1) for rate in rates],
            "line": {"width": 0},
            "opacity": 0.45,
        },
        hoverinfo="text",
        hovertext=[f"{count(rate.features, 'feature')}<br>{_both(rate.a, rate.b, names)}" for rate in rates],
    )


def _chosen(features: Sequence[Feature], side: Side, names: Names) -> "go.Scatter":
    import plotly.graph_objects as go

    return go.Scatter(
        name=f"more in {shown_text(names.of(side), 24)}",
        x=[round(100 * feature.rate_a, 3) for feature in features],
        y=[round(100 * feature.rate_b, 3) for feature in features],
        customdata=[feature.index for feature in features],
        mode="markers",
        marker={"color": COLOURS[side], "symbol": SYMBOLS[side], "size": 9},
        hoverinfo="text",
        hovertext=[_hover(feature, names) for feature in features],
    )


def _hover(feature: Feature, names: Names) -> str:
    named = shown_text(feature.label or feature.top_tokens or "no label", 180, 60)
    return f"feature {feature.index}: {named}<br>{_both(feature.rate_a, feature.rate_b, names)}"


def _both(a: float, b: float, names: Names) -> str:
    shown = zip(SIDES, (a, b), strict=True)
    return "<br>".join(f"{percent(rate)} of {shown_text(names.of(side), 24)}'s responses" for side, rate in shown)


def _lay_out(figure: "go.Figure", names: Names, reach: int) -> None:
    """Equal axes from 0 to `reach` percent, and the diagonal."""
    axis: dict[str, Any] = {
        "range": [-0.03 * reach, 1.03 * reach],
        "dtick": 20 if reach > 50 else 10,
        "ticksuffix": " %",
        "constrain": "domain",
        "gridcolor": _GRID,
        "zeroline": False,
        "fixedrange": True,
    }
    figure.update_layout(
        template="none",
        margin={"l": 64, "r": 28, "t": 12, "b": 112},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": _TEXT},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
        hovermode="closest",
        dragmode=False,
        hoverlabel={"align": "left"},
        xaxis={
            **axis,
            "title": {"text": f"active in {shown_text(names.a, 24)}'s responses", "font": {"size": 13}},
        },
        yaxis={
            **axis,
            "title": {"text": f"in {shown_text(names.b, 24)}'s responses", "font": {"size": 13}, "standoff": 8},
            "scaleanchor": "x",
        },
    )
    diagonal = {"color": _TEXT, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=0, y0=0, x1=reach, y1=reach, layer="below", line=diagonal)
