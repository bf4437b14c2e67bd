"""Draws the tree of several models: those that are harder to tell apart join further to the left."""

from collections.abc import Mapping

from markupsafe import Markup

from diffing.family import Family
from diffing.outputs.figures.svg import ReportPicture, lines_of, text, tooltip
from diffing.outputs.phrasing import percent

_ROW, _TOP = 30, 34
"""Height of a model's row, and of the axis above, in pixels."""
_LEFT, _RIGHT = 34.0, 94.0
"""Where the tree begins and ends, in percent of the picture's width; the names are to its left."""
_TICKS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares told apart at which the axis has a mark; 0.5 is guessing."""


def tree(family: Family) -> ReportPicture:
    """Draws the tree with an axis of the share told apart.

    Args:
        family: The models.
    """
    rows = {model: _TOP + _ROW * (place + 0.5) for place, model in enumerate(family.order)}
    height = int(_TOP + _ROW * len(rows) + 8)
    labels = [text(lines_of(family.names[model], 30, 1), "0%", y + 4) for model, y in rows.items()]
    body = Markup("").join((_axis(height), *_forks(family, rows), *labels))
    return ReportPicture("tree", "Tree of the models", described(family), height, body)


def described(family: Family) -> str:
    """The tree in words: which groups join, from the closest on."""
    joins = [
        f"{_group(family, branch.left)} and {_group(family, branch.right)}, told apart in {_share(branch.height)}"
        for branch in family.branches
    ]
    return f"From the closest on, these join: {'; '.join(joins)} of pairs of responses on average."


def _group(family: Family, models: tuple[int, ...]) -> str:
    names = ", ".join(family.names[model] for model in models)
    return names if len(models) == 1 else f"({names})"


def _share(height: float) -> str:
    return percent(0.5 + height / 2)


def _at(height: float) -> str:
    return f"{_LEFT + (_RIGHT - _LEFT) * min(height, 1.0):.2f}%"


def _axis(height: int) -> Markup:
    line = Markup('<line class="grid" x1="{x}" y1="{}" x2="{x}" y2="{}"/>')
    ticks = [
        line.format(_TOP - 8, height - 8, x=_at(2 * share - 1))
        + text([percent(share)], _at(2 * share - 1), 14, "middle", style="note")
        for share in _TICKS
    ]
    return Markup("").join(ticks)


def _forks(family: Family, rows: Mapping[int, float]) -> list[Markup]:
    """Two horizontal lines and a vertical one for each fork."""
    ends: dict[frozenset[int], tuple[float, float]] = {frozenset({model}): (0.0, y) for model, y in rows.items()}
    line = Markup('<line class="zero" x1="{}" y1="{}" x2="{}" y2="{}"/>')
    drawn = []
    for branch in family.branches:
        (x_left, y_left), (x_right, y_right) = ends[frozenset(branch.left)], ends[frozenset(branch.right)]
        x = _at(branch.height)
        told = f"{_group(family, branch.left)} and {_group(family, branch.right)}: {_share(branch.height)}"
        lines = (
            line.format(_at(x_left), y_left, x, y_left),
            line.format(_at(x_right), y_right, x, y_right),
            line.format(x, y_left, x, y_right),
        )
        drawn.append(Markup("<g>{}{}</g>").format(tooltip(told), Markup("").join(lines)))
        ends[frozenset((*branch.left, *branch.right))] = (branch.height, (y_left + y_right) / 2)
    return drawn
