"""The Gradio component of the gallery. The browser sends only search words and page numbers."""

from importlib.resources import files
from typing import Any

from diffing.errors import HubError
from diffing.view.gallery import gallery_html
from diffing.view.gallery.gallery_search import find, reason
from diffing.view.page_part import PagePart
from diffing.view.page_query import PageAddress
from diffing.view.router import Number, PageQuestion, Reply, Router, Text
from diffing.view.site import Site
from diffing.view.visitor import Visitor


def gallery_part(site: Site) -> PagePart:
    """Builds the gallery. It is shown at once; its script then requests the list, because the Hub may take seconds."""
    import gradio as gr

    def ask(question: Any, request: gr.Request, token: gr.OAuthToken | None) -> Reply:  # noqa: ANN401  the browser's
        return answer(site, question, site.visitor(request, token))

    def open_part(where: PageAddress, visitor: Visitor) -> list[Any]:
        return [gallery_html.page(where.value)]

    script = files(__package__).joinpath("gallery.js").read_text(encoding="utf-8")
    box = gr.HTML("", apply_default_css=False, elem_classes="diffing", js_on_load=script, server_functions=[ask])
    return PagePart((box,), open_part, [""])


class _ListQuestion(PageQuestion):
    words: Text = ""
    page: Number = None


def answer(site: Site, raw: object, visitor: Visitor) -> Reply:
    """Answers with one page of the list, as HTML, and with the number of diffs in words.

    Args:
        site: The state that all visitors share.
        raw: The question as the browser sent it: `words` and `page`.
        visitor: The visitor who asks.
    """
    given = raw if isinstance(raw, dict) else {}

    def listed(question: _ListQuestion, _: None) -> Reply:
        words = question.words
        try:
            found = find(site.diffs, words, question.page or 0, visitor)
        except HubError as error:
            return {"html": gallery_html.problem(reason(error)), "told": ""}
        return {"html": gallery_html.listed(found, words), "told": gallery_html.count_text(found, words)}

    return Router("published diffs", {"": (_ListQuestion, listed)}).answer(given, lambda raw: None)
