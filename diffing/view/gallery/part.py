"""The Gradio component of the gallery. Only words and page numbers travel."""

from importlib.resources import files
from typing import Any

from diffing.errors import HubError
from diffing.view.address import Address
from diffing.view.gallery import made
from diffing.view.gallery.finding import find, reason
from diffing.view.part import Part
from diffing.view.site import Site
from diffing.view.visitor import Visitor


def gallery_part(site: Site) -> Part:
    """Builds it. The page is shown at once; its script then asks for the list, which the Hub may take seconds for."""
    import gradio as gr

    def ask(asked: Any, request: gr.Request, token: gr.OAuthToken | None) -> dict[str, str]:  # noqa: ANN401  the browser's
        return answer(site, asked, site.visitor(request, token))

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        return [made.page(where.value)]

    script = files(__package__).joinpath("gallery.js").read_text(encoding="utf-8")
    box = gr.HTML("", apply_default_css=False, elem_classes="diffing", js_on_load=script, server_functions=[ask])
    return Part((box,), opened, [""])


def answer(site: Site, asked: object, visitor: Visitor) -> dict[str, str]:
    """One page of the list, as HTML and in words.

    Args:
        site: What all visitors share.
        asked: As the browser sent it: `words` and `page`.
        visitor: Who asks.
    """
    wanted = asked if isinstance(asked, dict) else {}
    words, page = wanted.get("words"), wanted.get("page")
    words = words if isinstance(words, str) else ""
    try:
        found = find(site.diffs, words, page if isinstance(page, int) else 0, visitor)
    except HubError as error:
        return {"html": made.problem(reason(error)), "told": ""}
    return {"html": made.listed(found, words), "told": made.told(found, words)}
