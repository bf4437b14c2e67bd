"""The start page: two models are named, what the comparison takes is told, and it is started.

Its own HTML with a script, not Gradio's components: suggestions then follow the pattern of a combobox that screen
readers know, the estimate never takes the focus, and the whole form travels as one plain object to one strict reader.
"""

from typing import Any

from diffing.view.page_part import Part
from diffing.view.page_query import Address
from diffing.view.router import Answer
from diffing.view.site import Site
from diffing.view.start import start_html
from diffing.view.start.start_handlers import Answers
from diffing.view.visitor import Visitor


def start_part(site: Site) -> Part:
    """Builds it; a run that is started is gone to by the page's script."""
    import gradio as gr

    answers = Answers(site)

    def ask(asked: Any, request: gr.Request, token: gr.OAuthToken | None) -> Answer:  # noqa: ANN401  the browser's
        return answers.answer(asked, site.visitor(request, token))

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        return [start_html.form(where, start_html.page_of(site.settings, visitor))]

    box = gr.HTML(
        js_on_load=start_html.script(),
        server_functions=[ask],
        apply_default_css=False,
        elem_classes="diffing start-box",
    )
    return Part((box,), opened, [""])
