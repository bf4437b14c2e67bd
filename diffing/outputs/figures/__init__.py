"""Draws the pictures of a report as SVG, for the report page, the app, the dataset card and link previews.

Within a page, a picture takes its colours and its width from the page; a picture file brings its own. Text from models
and users is escaped.
"""

from diffing.outputs.figures.forest import forest_file
from diffing.outputs.figures.png import png_of
from diffing.outputs.figures.preview import preview
from diffing.outputs.figures.scatter import MAX_POINTS, scatter
from diffing.outputs.figures.svg import Picture, stylesheet

__all__ = [
    "MAX_POINTS",
    "Picture",
    "forest_file",
    "png_of",
    "preview",
    "scatter",
    "stylesheet",
]
