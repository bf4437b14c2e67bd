"""What is asked before a run: names on the Hub, where a model can run, estimates. Knows no page; fails with a reason.

With `visitor = Visitor(token)`: `Suggester().models("qwen", visitor)`, `places_of("org/name", visitor)`,
`Previews().preview(config, limits, visitor)`.
"""

from diffing.view.preflight.places import Place, places_of
from diffing.view.preflight.preview import Preview, Previews
from diffing.view.preflight.suggest import Base, Suggester, Suggestions

__all__ = ["Base", "Place", "Preview", "Previews", "Suggester", "Suggestions", "places_of"]
