"""The annotator's status page: watched models, and the jobs that wait, run, are done or failed.

The page takes no input. Its template escapes all text, because the text comes from outside.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diffing.annotate.revision_queue import STATES, RevisionQueue
from diffing.annotate.settings import AnnotatorSettings
from diffing.rendering import environment, templates_of

if TYPE_CHECKING:
    import gradio

EVERY = 5.0
"""Seconds between two updates of the page."""
_MOST_SHOWN = 50
"""Maximum number of jobs per state on the page."""
_AGAINST = {
    "base": "the base model that its card names",
    "previous": "the previous revision",
    "base-or-previous": "the base model that its card names, or else the previous revision",
}
_CARD = {
    "pr": "a pull request on the model card",
    "commit": "a commit on the model card",
    "off": "no change of the model card",
}


def build(
    settings: AnnotatorSettings, queue: RevisionQueue, rejected_deliveries: Callable[[], Mapping[str, int]]
) -> "gradio.Blocks":
    """Builds the page, ready to be mounted.

    Args:
        settings: The settings of the service.
        queue: The queue of revisions.
        rejected_deliveries: Returns the number of webhook requests that were not queued, by reason.
    """
    import gradio as gr

    def look() -> str:
        return status(settings, queue, rejected_deliveries())

    page: gradio.Blocks
    with gr.Blocks(title="diffing annotator", analytics_enabled=False) as page:
        shown = gr.HTML(apply_default_css=False)
        page.load(look, outputs=shown, show_progress="hidden", api_visibility="private")
        gr.Timer(EVERY).tick(look, outputs=shown, show_progress="hidden", api_visibility="private")
    return page


def status(settings: AnnotatorSettings, queue: RevisionQueue, rejected_deliveries: Mapping[str, int]) -> str:
    """Returns the content of the page as HTML."""
    templates = environment(templates_of(__package__), escapes=True)
    templates.filters["address"] = _address
    return templates.get_template("status.html.jinja").render(
        watched=settings.watch,
        allowed=settings.allow,
        against=_AGAINST[settings.against],
        card=_CARD[settings.card],
        counts=queue.counts(),
        jobs={state: queue.jobs(state, most=_MOST_SHOWN) for state in STATES},
        rejected_deliveries=rejected_deliveries,
    )


def _address(text: str) -> str:
    """Returns the URL if it is a web address, and else an empty text, so that nothing else is linked."""
    return text if urlsplit(text).scheme in ("http", "https") else ""
