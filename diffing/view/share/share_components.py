"""The component of the actions above a result. Only names and choices travel; the server renders what is shown."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from diffing.view.page_part import Part
from diffing.view.page_query import Address
from diffing.view.router import Answer
from diffing.view.share import share_html
from diffing.view.share.served_downloads import Downloads
from diffing.view.share.share_handlers import Sharing
from diffing.view.site import Site
from diffing.view.visitor import Visitor


def share_part(site: Site) -> Part:
    """Builds it.

    Args:
        site: What all visitors share.
    """
    import gradio as gr

    def ask(asked: Any, request: gr.Request, token: gr.OAuthToken | None) -> Answer:  # noqa: ANN401  of a browser
        answer = sharing.answer(asked, site.visitor(request, token))
        if "file" in answer:
            box.temp_files.add(answer["file"])  # removed when it is old, as Gradio's own are
        return answer

    script = files(__package__).joinpath("share.js").read_text(encoding="utf-8")
    box = gr.HTML(
        "", elem_classes="diffing share", apply_default_css=False, js_on_load=script, server_functions=[ask]
    )  # fmt: skip

    sharing = Sharing(site, Downloads(Path(box.GRADIO_CACHE) / "diffing"))

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        return [share_html.actions(where, sharing.opened(where.value))]

    return Part((box,), opened, [""])
