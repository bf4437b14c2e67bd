"""Draws the pictures of a report as SVG, for the report page, the app, the dataset card and link previews.

Within a page, a picture takes its colours and its width from the page; a picture file brings its own. Text from models
and users is escaped.
"""

from diffing.outputs.figures.badge import badge, badge_words
from diffing.outputs.figures.png import png_of
from diffing.outputs.figures.preview import preview
from diffing.outputs.figures.rates import rates_alternative, rates_file
from diffing.outputs.figures.scatter import MAX_POINTS, scatter
from diffing.outputs.figures.svg import ReportPicture, stylesheet

CHART, BADGE = "chart.svg", "badge.svg"
"""Paths of the picture and the badge in a dataset on the Hub, to which cards link."""

__all__ = [
    "BADGE",
    "CHART",
    "MAX_POINTS",
    "ReportPicture",
    "badge",
    "badge_words",
    "png_of",
    "preview",
    "rates_alternative",
    "rates_file",
    "scatter",
    "stylesheet",
]
