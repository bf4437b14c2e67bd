"""Pictures of results: estimates with their intervals, as rows of a picture or as lines. Knows no page."""

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diffing.bench.page.cells import cell, number, observations
from diffing.bench.results import Column, Figure, Result
from diffing.outputs.words import one_line
from diffing.types import Row

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

COLOURS = ("#3b82c4", "#d9730d", "#2a9d6f", "#a565c9", "#a98a1d", "#cc4a74")
"""At least 3:1 on white and on near-black."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
MOST = 40
"""Texts in one picture; the first ones."""
_TEXT, _GRID = "#808790", "rgba(128,135,144,0.25)"
_LINE, _MARK, _APART = 16, 26, 11
"""Heights in pixels: of a line of a label, of the room for one series, and how far series on one row stand apart."""
_WRAP = {False: 52, True: 44}
_BAND = {"fillcolor": "rgba(42,157,111,0.16)", "line_width": 0, "layer": "below"}


def figure_of(result: Result, figure: Figure, *, narrow: bool = False) -> "go.Figure":
    """One picture of a result.

    Args:
        result: Its rows.
        figure: What to draw of them.
        narrow: For phones: texts stand above their intervals.
    """
    import plotly.graph_objects as go

    named = {column.name: column for column in result.columns}
    column = named.get(figure.value, Column(figure.value, figure.value))
    needed = [key for key in (figure.value, figure.along, figure.by) if key is not None]
    rows = [row for row in result.rows if all(row[key] is not None for key in needed)]
    groups = _series(rows, figure, named)
    drawn = go.Figure()
    _style(drawn, legend=len(groups) > 1)
    if rows and all(isinstance(row[figure.along], int | float) for row in rows):
        over = named.get(figure.along, Column(figure.along, figure.along.replace("_", " ")))
        _lines(drawn, groups, figure, (column, over), narrow=narrow)
    else:
        texts = list(dict.fromkeys(number(row[figure.along], "") for row in rows))[:MOST]
        _intervals(drawn, groups, texts, figure, column, narrow=narrow)
    return drawn


def _series(rows: Sequence[Row], figure: Figure, named: Mapping[str, Column]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    by = figure.by
    unit = named[by].unit if by is not None and by in named else ""
    for row in rows:
        groups.setdefault("" if by is None else number(row[by], unit), []).append(row)
    return groups


def _intervals(
    drawn: "go.Figure",
    groups: Mapping[str, Sequence[Row]],
    texts: Sequence[str],
    figure: Figure,
    column: Column,
    *,
    narrow: bool,
) -> None:
    """One line of the picture per text, the first on top; series stand side by side on it."""
    labels = [_label(text, _WRAP[narrow]) for text in texts]
    lines = _LINE * max((label.count("<br>") + 1 for label in labels), default=1)
    drawn_of = {
        name: [row for row in of_series if number(row[figure.along], "") in texts] for name, of_series in groups.items()
    }
    on_lines = [text for rows in drawn_of.values() for text in {number(row[figure.along], "") for row in rows}]
    spread = _APART * (len(groups) - 1) if len(on_lines) > len(texts) else 0  # several series on one line
    row = lines + spread + _MARK if narrow else max(lines + _MARK // 2, spread + _MARK)
    for at, (name, of_series) in enumerate(drawn_of.items()):
        shift = (_APART * at - spread / 2) / row if spread else 0.0
        places = [texts.index(number(row[figure.along], "")) + shift for row in of_series]
        drawn.add_scatter(
            x=[_scaled(row[column.name], column) for row in of_series],
            y=places,
            mode="markers",
            error_x=_error(of_series, column, at),
            **_looks(name, at, of_series, figure, column),
        )
    if figure.bound is not None:
        drawn.add_vline(x=_scaled(figure.bound, column), **_bound(figure.bound, column, "top"))
    if figure.band is not None:
        low, high = (_scaled(end, column) for end in figure.band)
        drawn.add_vrect(x0=low, x1=high, **_BAND)
    drawn.update_layout(height=row * max(1, len(texts)) + 106)
    drawn.update_xaxes(
        title=None if narrow else _unit_title(column), zeroline=column.unit == "points",
        rangemode="tozero" if column.unit == "%" and figure.band is None else "normal",
    )  # fmt: skip
    drawn.update_yaxes(
        range=[len(texts) - 0.5, -(spread / 2 + _MARK / 2 + lines) / row if narrow else -0.5],
        tickvals=list(range(len(texts))), ticktext=labels,
        showticklabels=not narrow, automargin=True, showgrid=False, zeroline=False, ticklabelstandoff=10,
    )  # fmt: skip
    up = (spread / 2 + _MARK / 3) / row
    for place, label in enumerate(labels if narrow else ()):
        drawn.add_annotation(
            text=label, x=0, xanchor="left", xref="paper", align="left", y=place - up, yanchor="bottom", yref="y",
            showarrow=False, font={"size": 12},
        )  # fmt: skip


def _bound(bound: float, column: Column, position: str) -> dict[str, Any]:
    """A dashed line with its number; no number at 0, which the axis shows."""
    line = {"dash": "dash", "width": 1.5, "color": _TEXT}
    text = f"{_scaled(bound, column):g}{' %' if column.unit == '%' else ''}" if bound else ""
    return {"line": line, "annotation_text": text, "annotation_position": position}


def _label(text: str, wrap: int) -> str:
    """A row's text in one or two lines."""
    lines = textwrap.wrap(one_line(text, 200), wrap, max_lines=2, placeholder=" …")
    return "<br>".join(shown_text(line, wrap) for line in lines)


def _lines(
    drawn: "go.Figure",
    groups: Mapping[str, Sequence[Row]],
    figure: Figure,
    columns: tuple[Column, Column],
    *,
    narrow: bool,
) -> None:
    """The estimate over a number, one line per series; the columns are those of the estimate and of the number."""
    column, over = columns
    along: list[float] = sorted({float(row[figure.along] or 0) for rows in groups.values() for row in rows})
    for at, (name, of_series) in enumerate(groups.items()):
        in_order = sorted(of_series, key=lambda row: float(row[figure.along] or 0))
        drawn.add_scatter(
            x=[row[figure.along] for row in in_order],
            y=[_scaled(row[column.name], column) for row in in_order],
            # several estimates at one place are no line: it would join what does not belong together
            mode="lines+markers" if len({row[figure.along] for row in in_order}) == len(in_order) else "markers",
            line={"width": 2, "color": COLOURS[at % len(COLOURS)]},
            error_y=_error(in_order, column, at),
            **_looks(name, at, in_order, figure, column),
        )
    if figure.bound is not None:
        drawn.add_hline(y=_scaled(figure.bound, column), **_bound(figure.bound, column, "top right"))
    if figure.band is not None:
        low, high = (_scaled(end, column) for end in figure.band)
        drawn.add_hrect(y0=low, y1=high, **_BAND)
    wide_range = along[0] > 0 and along[-1] / along[0] >= 8
    drawn.update_layout(height=380 if narrow else 420)
    drawn.update_xaxes(
        type="log" if wide_range else "linear", tickvals=along, zeroline=False,
        ticktext=[number(each, over.unit) if over.unit else f"{each:g}" for each in along],
        title={"text": shown_text(over.heading, 60), "font": {"size": 13}},
    )  # fmt: skip
    drawn.update_yaxes(
        title=None if narrow else _unit_title(column), automargin=True,
        rangemode="tozero" if column.unit == "%" and figure.band is None else "normal",
    )  # fmt: skip


def _style(drawn: "go.Figure", *, legend: bool) -> None:
    drawn.update_layout(
        template="none",
        margin={"l": 8, "r": 14, "t": 24, "b": 70},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": _TEXT},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom"},
        showlegend=legend,
        hovermode="closest",
        dragmode=False,
        hoverlabel={"align": "left"},
    )
    drawn.update_xaxes(gridcolor=_GRID, zerolinecolor=_TEXT, fixedrange=True, automargin=True)
    drawn.update_yaxes(gridcolor=_GRID, zerolinecolor=_GRID, fixedrange=True)


def _looks(name: str, at: int, rows: Sequence[Row], figure: Figure, column: Column) -> dict[str, Any]:
    colour = COLOURS[at % len(COLOURS)]
    return {
        "name": shown_text(name, 40),
        "showlegend": bool(name),
        "cliponaxis": False,
        "marker": {"color": colour, "symbol": SYMBOLS[at % len(SYMBOLS)], "size": 10},
        "hoverinfo": "text",
        "hovertext": [_hover(row, figure, column, name) for row in rows],
    }


def _hover(row: Row, figure: Figure, column: Column, name: str) -> str:
    n = observations(row, column)
    told = f"{cell(row, column)}{'' if n is None else f', n = {n}'}"
    lines = [number(row[figure.along], ""), *([name] if name else []), told]
    return "<br>".join(shown_text(line, 200, 60) for line in lines)


def _error(rows: Sequence[Row], column: Column, at: int) -> dict[str, Any]:
    """From each value to the ends of its interval; no length where there is none."""
    spans = []
    for row in rows:
        value = _scaled(row[column.name], column)
        low, high = row.get(f"{column.name}_low"), row.get(f"{column.name}_high")
        low, high = (value if end is None else _scaled(end, column) for end in (low, high))
        spans.append((round(value - low, 4), round(high - value, 4)))
    return {
        "type": "data",
        "symmetric": False,
        "arrayminus": [below for below, _ in spans],
        "array": [above for _, above in spans],
        "color": COLOURS[at % len(COLOURS)],
        "thickness": 2,
        "width": 5,
    }


def _scaled(value: object, column: Column) -> float:
    assert isinstance(value, int | float)
    return round(float(value) * (100 if column.unit else 1), 4)


def _unit_title(column: Column) -> dict[str, Any] | None:
    text = {"%": "per cent", "points": "percentage points", "": ""}[column.unit]
    return {"text": text, "font": {"size": 13}} if text else None


def shown_text(text: str, length: int, wrap: int | None = None) -> str:
    """Text that plotly shows as it is: on one line or wrapped, cut, its own markup escaped.

    Args:
        text: Any text.
        length: Characters at most.
        wrap: Characters per line; None is one line.
    """
    line = one_line(text, length)
    lines = textwrap.wrap(line, wrap) if wrap else [line]
    return "<br>".join(html.escape(each, quote=False).replace("$", "&#36;") for each in lines)
