"""What the start page asks while somebody fills it in: names, places, estimates. Knows no page; fails with a reason.

With `visitor = Visitor(token)`: `Suggester().models("qwen", visitor)`, `places_of("org/name", visitor)`,
`Previews().preview(config, limits, visitor)`.
"""

from diffing.view.start.places import Place, places_of
from diffing.view.start.preview import Preview, Previews
from diffing.view.start.suggest import Base, Suggester, Suggestions
from diffing.view.start.visitor import Visitor

__all__ = ["Base", "Place", "Preview", "Previews", "Suggester", "Suggestions", "Visitor", "places_of"]
