"""The page of a run: how far it is, what was found so far."""

from typing import Any

from diffing.view.part import Part
from diffing.view.site import Site


def progress_part(site: Site, address: Any) -> Part:  # noqa: ANN401  a component of Gradio
    """Builds it."""
    return Part((), lambda where, visitor: [])
