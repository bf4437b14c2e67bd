"""The Gradio component of the gallery. Only words and page numbers travel."""

from importlib.resources import files
from typing import Any

from diffing.errors import HubError
from diffing.view.gallery import gallery_html
from diffing.view.gallery.gallery_search import find, reason
from diffing.view.page_part import Part
from diffing.view.page_query import Address
from diffing.view.router import Answer, Number, Question, Router, Text
from diffing.view.site import Site
from diffing.view.visitor import Visitor


def gallery_part(site: Site) -> Part:
    """Builds it. The page is shown at once; its script then asks for the list, which the Hub may take seconds for."""
    import gradio as gr

    def ask(asked: Any, request: gr.Request, token: gr.OAuthToken | None) -> Answer:  # noqa: ANN401  the browser's
        return answer(site, asked, site.visitor(request, token))

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        return [gallery_html.page(where.value)]

    script = files(__package__).joinpath("gallery.js").read_text(encoding="utf-8")
    box = gr.HTML("", apply_default_css=False, elem_classes="diffing", js_on_load=script, server_functions=[ask])
    return Part((box,), opened, [""])


class _ListQuestion(Question):
    words: Text = ""
    page: Number = None


def answer(site: Site, asked: object, visitor: Visitor) -> Answer:
    """One page of the list, as HTML and in words.

    Args:
        site: What all visitors share.
        asked: As the browser sent it: `words` and `page`.
        visitor: Who asks.
    """
    given = asked if isinstance(asked, dict) else {}

    def listed(question: _ListQuestion, _: None) -> Answer:
        words = question.words
        try:
            found = find(site.diffs, words, question.page or 0, visitor)
        except HubError as error:
            return {"html": gallery_html.problem(reason(error)), "told": ""}
        return {"html": gallery_html.listed(found, words), "told": gallery_html.told(found, words)}

    return Router("published diffs", {"": (_ListQuestion, listed)}).answer(given, lambda asked: None)
