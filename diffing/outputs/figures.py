"""Plotly figures of a report. Knows no page and no file; neutral colours that are legible on light and dark."""

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.outputs.words import interval, one_line, points, statement
from diffing.report.index import index_of
from diffing.report.names import Names
from diffing.types import SIDES, Finding, Report, Side

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS: dict[Side, str] = {"a": "#3b82c4", "b": "#d9730d"}
"""Blue and orange: told apart with every common colour blindness, and at least 3:1 on white and on near-black."""
SYMBOLS: dict[Side, str] = {"a": "circle", "b": "diamond"}
"""Form says the side again, filling says confirmed (`-open` is not)."""
MAX_ROWS = 40
"""Entries in one forest plot; the first of the merged list."""
_TEXT = "#808790"
_GRID = "rgba(128,135,144,0.25)"
_ROW = 46
_WRAP = {False: 54, True: 46}
"""Characters per line of a label, which has two lines."""


def forest(report: Report, *, narrow: bool = False) -> "go.Figure":
    """Net differences on held-out prompts with 95 % intervals, in percentage points, the strongest on top.

    To the left model A does it more, to the right model B: the x value is the net difference, signed by the finding's
    side. Filled marks are confirmed, open ones are not. At most `MAX_ROWS` entries of the merged list, each by its
    lead; those without held-out verdicts are skipped.

    Args:
        report: Its leading findings are drawn in their order.
        narrow: For phones: the text stands above each interval instead of left of it.
    """
    import plotly.graph_objects as go

    index = index_of(report)
    names = index.names
    shown = [each for each in index.leads if each.heldout.net_difference.value is not None][:MAX_ROWS]
    figure = go.Figure()
    for side in SIDES:
        for confirmed in (True, False):
            rows = [
                (row, finding)
                for row, finding in enumerate(shown)
                if finding.hypothesis.direction == side and finding.confirmed == confirmed
            ]
            if rows:
                figure.add_trace(_trace(rows, side, names))
    _lay_out(figure, shown, names, narrow=narrow)
    return figure


def _trace(rows: Sequence[tuple[int, Finding]], side: Side, names: Names) -> "go.Scatter":
    """The findings of one side that are all confirmed or all not."""
    import plotly.graph_objects as go

    confirmed = rows[0][1].confirmed
    sign = -1 if side == "a" else 1
    nets = [finding.heldout.net_difference for _, finding in rows]
    ends = [sorted(100 * sign * (end or 0.0) for end in (net.low, net.high)) for net in nets]
    x = [round(100 * sign * (net.value or 0.0), 4) for net in nets]
    return go.Scatter(
        name=f"{shown_text(names.of(side), 24)} more{'' if confirmed else ', not confirmed'}",
        x=x,
        y=[row for row, _ in rows],
        mode="markers",
        marker={
            "color": COLOURS[side],
            "symbol": SYMBOLS[side] if confirmed else f"{SYMBOLS[side]}-open",
            "size": 11,
            "line": {"width": 2, "color": COLOURS[side]},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [round(high - value, 4) for (_, high), value in zip(ends, x, strict=True)],
            "arrayminus": [round(value - low, 4) for (low, _), value in zip(ends, x, strict=True)],
            "color": COLOURS[side],
            "thickness": 2.5 if confirmed else 1.2,
            "width": 5,
        },
        opacity=1.0 if confirmed else 0.75,
        hoverinfo="text",
        hovertext=[_hover(finding, names) for _, finding in rows],
    )


def _hover(finding: Finding, names: Names) -> str:
    net = finding.heldout.net_difference
    lines = textwrap.wrap(one_line(statement(finding, names), 300), 60) or [""]
    told = f"{points(net.value)} points, 95 % interval {interval(net)}, n = {finding.heldout.n}"
    status = "confirmed" if finding.confirmed else "not confirmed"
    return "<br>".join([*map(_escaped, lines), f"{told}, {status}"])


def _lay_out(figure: "go.Figure", shown: Sequence[Finding], names: Names, *, narrow: bool) -> None:
    """Axes, legend and labels."""
    labels = [shown_text(statement(finding, names), 2 * _WRAP[narrow] - 8, _WRAP[narrow]) for finding in shown]
    figure.update_layout(
        template="none",
        height=_ROW * (1.35 if narrow else 1) * max(len(shown), 1) + 110,
        margin={"l": 8, "r": 12, "t": 34, "b": 96},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": _TEXT},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
        hovermode="closest",
        dragmode=False,
        hoverlabel={"align": "left"},
    )
    reach = _reach(shown)
    ticks = [tick for tick in range(-100, 101, 25 if reach > 50 else 10) if abs(tick) <= reach]
    figure.update_xaxes(
        range=[-reach, reach], tickvals=ticks, ticktext=[str(abs(tick)) for tick in ticks], side="bottom",
        title=None if narrow else {"text": "net difference, percentage points", "font": {"size": 13}},
        gridcolor=_GRID, zeroline=True, zerolinecolor=_TEXT, zerolinewidth=1, fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(
        range=[len(shown) - 0.5, -0.5 if not narrow else -0.8], tickvals=list(range(len(shown))), ticktext=labels,
        showticklabels=not narrow, automargin=True, showgrid=False, zeroline=False, fixedrange=True,
        ticklabelstandoff=10,
    )  # fmt: skip
    _annotate(figure, labels, names, narrow=narrow)


def _annotate(figure: "go.Figure", labels: Sequence[str], names: Names, *, narrow: bool) -> None:
    """What left and right mean; where the plot is narrow, also the rows' labels, above their intervals."""
    left, right = (shown_text(names.of(side), 18 if narrow else 36) for side in SIDES)
    for text, x, anchor in ((f"← {left} more", 0, "left"), (f"{right} more →", 1, "right")):
        figure.add_annotation(
            text=text, x=x, xanchor=anchor, xref="paper", y=1, yanchor="bottom", yref="paper", showarrow=False
        )
    if narrow:
        for row, label in enumerate(labels):
            figure.add_annotation(
                text=label, x=0, xanchor="left", xref="paper", align="left",
                y=row - 0.18, yanchor="bottom", yref="y", showarrow=False, font={"size": 12},
            )  # fmt: skip


def _reach(shown: Sequence[Finding]) -> int:
    """How far the axis goes to both sides, in points: to the widest interval, rounded up."""
    nets = [finding.heldout.net_difference for finding in shown]
    widest = max((abs(100 * end) for net in nets for end in (net.low, net.high) if end is not None), default=50.0)
    return min(int(widest // 10 + 1) * 10, 102)


def shown_text(text: str, length: int, wrap: int | None = None) -> str:
    """Text that plotly shows as it is: on one line or wrapped, cut, its own markup escaped.

    Args:
        text: Any text.
        length: Characters at most.
        wrap: Characters per line; None is one line.
    """
    line = one_line(text, length)
    lines = textwrap.wrap(line, wrap) if wrap else [line]
    return "<br>".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    """Text without plotly's tags and entities, and without the `$` that stands for formulas."""
    return html.escape(text, quote=False).replace("$", "&#36;")
