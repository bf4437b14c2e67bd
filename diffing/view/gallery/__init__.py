"""The published diffs, found on the Hub by tag."""

from typing import Any

from diffing.view.part import Part
from diffing.view.site import Site


def gallery_part(site: Site, address: Any) -> Part:  # noqa: ANN401  a component of Gradio
    """Builds the gallery."""
    return Part((), lambda where, visitor: [])
