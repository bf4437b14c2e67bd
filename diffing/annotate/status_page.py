"""The status page: what is watched, what waits, what runs, what came of it. Takes no input.

All text on it is outside text: it goes through a template that escapes.
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
"""Seconds between two looks at the queue."""
_MOST_SHOWN = 50
"""Jobs of one state on the page, at most."""
_AGAINST = {
    "base": "the base model that its card names",
    "previous": "the revision before",
    "base-or-previous": "the base model that its card names, else the revision before",
}
_CARD = {
    "pr": "a pull request on the model card",
    "commit": "a commit on the model card",
    "off": "no change of the model card",
}


def build(
    settings: AnnotatorSettings, queue: RevisionQueue, rejected_deliveries: Callable[[], Mapping[str, int]]
) -> "gradio.Blocks":
    """The page, ready to be mounted.

    Args:
        settings: What the service does.
        queue: Its jobs.
        rejected_deliveries: Deliveries that were not queued, by reason.
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
    """The page's inside, as HTML."""
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
    """The address, where it is one of the web; what else it may be is not linked."""
    return text if urlsplit(text).scheme in ("http", "https") else ""
