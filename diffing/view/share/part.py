"""The component of the actions above a result. Only names and choices travel; the server renders what is shown."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from diffing.view.address import Address
from diffing.view.part import Part
from diffing.view.share import panels
from diffing.view.share.acting import actor
from diffing.view.share.answers import Answer, Sharing
from diffing.view.share.downloads import Downloads
from diffing.view.site import Site
from diffing.view.start import Visitor


def share_part(site: Site, address: Any) -> Part:  # noqa: ANN401  a component of Gradio
    """Builds it.

    Args:
        site: What all visitors share.
        address: The page's address box; links lead there by themselves.
    """
    import gradio as gr

    def ask(asked: Any, request: gr.Request, token: gr.OAuthToken | None) -> Answer:  # noqa: ANN401  of a browser
        if not from_this_page(request):
            return {"problem": "This works on the app's own page only: open it there"}
        answer = sharing.answer(asked, actor(site, token))
        if "file" in answer:
            box.temp_files.add(answer["file"])  # removed when it is old, as Gradio's own are
        return answer

    script = files(__package__).joinpath("share.js").read_text(encoding="utf-8")
    box = gr.HTML(
        "", elem_classes="diffing share", apply_default_css=False, js_on_load=script, server_functions=[ask]
    )  # fmt: skip

    sharing = Sharing(site, Downloads(Path(box.GRADIO_CACHE) / "diffing"))

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        return [panels.actions(where, sharing.opened(where.value))]

    return Part((box,), opened, [""])


def from_this_page(request: Any) -> bool:  # noqa: ANN401  Starlette's, as Gradio passes it
    """Whether a browser says that a page of this app asks: others could else act in the name of who is signed in."""
    site: str | None = request.headers.get("sec-fetch-site") if request is not None else None
    return site in (None, "same-origin")
