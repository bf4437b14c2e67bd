"""The Gradio component of the start page: one HTML form with a script, which sends the whole form as one object.

It does not use Gradio's input components: this way suggestions follow the combobox pattern that screen readers know,
the estimate never takes the focus, and one strict parser reads the whole form.
"""

from typing import Any

from diffing.view.page_part import PagePart
from diffing.view.page_query import PageAddress
from diffing.view.router import Reply
from diffing.view.site import Site
from diffing.view.start import start_html
from diffing.view.start.start_handlers import StartHandlers
from diffing.view.visitor import Visitor


def start_part(site: Site) -> PagePart:
    """Builds the start page. When a run has been started, the page's script goes to it."""
    import gradio as gr

    answers = StartHandlers(site)

    def ask(question: Any, request: gr.Request, token: gr.OAuthToken | None) -> Reply:  # noqa: ANN401  the browser's
        return answers.answer(question, site.visitor(request, token))

    def open_part(where: PageAddress, visitor: Visitor) -> list[Any]:
        return [start_html.form(where, start_html.page_of(site.settings, visitor))]

    box = gr.HTML(
        js_on_load=start_html.script(),
        server_functions=[ask],
        apply_default_css=False,
        elem_classes="diffing start-box",
    )
    return PagePart((box,), open_part, [""])
