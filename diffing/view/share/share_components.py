"""The Gradio component of the actions above a result. The browser sends only names and choices."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from diffing.view.page_part import PagePart
from diffing.view.page_query import PageAddress
from diffing.view.router import Reply
from diffing.view.share import share_html
from diffing.view.share.served_downloads import ServedDownloads
from diffing.view.share.share_handlers import ShareHandlers
from diffing.view.site import Site
from diffing.view.visitor import Visitor


def share_part(site: Site) -> PagePart:
    """Builds the row of actions.

    Args:
        site: The state that all visitors share.
    """
    import gradio as gr

    def ask(question: Any, request: gr.Request, token: gr.OAuthToken | None) -> Reply:  # noqa: ANN401  of a browser
        answer = sharing.answer(question, site.visitor(request, token))
        if "file" in answer:
            box.temp_files.add(answer["file"])  # Gradio removes old files in this set
        return answer

    script = files(__package__).joinpath("share.js").read_text(encoding="utf-8")
    box = gr.HTML(
        "", elem_classes="diffing share", apply_default_css=False, js_on_load=script, server_functions=[ask]
    )  # fmt: skip

    sharing = ShareHandlers(site, ServedDownloads(Path(box.GRADIO_CACHE) / "diffing"))

    def open_part(where: PageAddress, visitor: Visitor) -> list[Any]:
        return [share_html.actions(where, sharing.opened(where.value))]

    return PagePart((box,), open_part, [""])
