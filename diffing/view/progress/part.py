"""The Gradio components of the page of a run. Only the run's id travels."""

import os
from importlib.resources import files
from typing import Any

from diffing.view.address import Address
from diffing.view.part import Part
from diffing.view.progress import made
from diffing.view.progress.answers import Answer, answer, found
from diffing.view.site import Site
from diffing.view.start import Visitor


def progress_part(site: Site, address: Any) -> Part:  # noqa: ANN401  a component of Gradio
    """Builds it.

    Args:
        site: What all visitors share.
        address: The page's address box; the part's script leads on by it.
    """
    import gradio as gr

    def of_run(asked: Any, token: gr.OAuthToken | None) -> Answer:  # noqa: ANN401  whatever the browser sends
        return answer(site, asked, token.token if token else None)

    script = files(__package__).joinpath("progress.js").read_text(encoding="utf-8")
    box = gr.HTML("", apply_default_css=False, elem_classes="diffing", js_on_load=script, server_functions=[of_run])

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        run = found(site, where.value, visitor.token)
        return ["" if run is None else made.page(run, _base(os.environ.get("SPACE_ID", "")))]

    return Part((box,), opened, [""])


def _base(space: str) -> str:
    """What a link to a Space begins with: the page itself is a frame within the Hub's, under another address."""
    return f"https://huggingface.co/spaces/{space}" if space else ""
