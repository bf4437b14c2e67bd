"""Every picture of a report, each made once: for the report's page, the app, the dataset's card and link previews.

Pictures are SVG. In a page they take its colours and its width; as a file they bring both. No text of models or users
becomes markup. Knows no page, no repository and no method.
"""

from diffing.outputs.figures.forest import MAX_ROWS, NARROW, WIDE, Layout, forest, forest_file
from diffing.outputs.figures.geometry import reach_of
from diffing.outputs.figures.png import png_of
from diffing.outputs.figures.preview import preview
from diffing.outputs.figures.scatter import MAX_POINTS, scatter
from diffing.outputs.figures.svg import Picture, stylesheet
from diffing.outputs.figures.whisker import whisker

__all__ = [
    "MAX_POINTS",
    "MAX_ROWS",
    "NARROW",
    "WIDE",
    "Layout",
    "Picture",
    "forest",
    "forest_file",
    "png_of",
    "preview",
    "reach_of",
    "scatter",
    "stylesheet",
    "whisker",
]
