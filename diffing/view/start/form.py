"""The form of the start page."""

from typing import Any

from diffing.view.part import Part
from diffing.view.site import Site


def start_part(site: Site, address: Any) -> Part:  # noqa: ANN401  a component of Gradio
    """Builds it."""
    return Part((), lambda where, visitor: [])
