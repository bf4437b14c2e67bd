"""What can be done with a result: download it, publish it, put it into a card."""

from typing import Any

from diffing.view.part import Part
from diffing.view.site import Site


def share_part(site: Site, address: Any) -> Part:  # noqa: ANN401  a component of Gradio
    """Builds it."""
    return Part((), lambda where, visitor: [])
