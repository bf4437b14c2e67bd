"""The Gradio components of the page of a run. Only the run's id travels."""

import os
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from diffing.config import DiffConfig
from diffing.view.page_part import Part
from diffing.view.page_query import Address
from diffing.view.progress import progress_html
from diffing.view.progress.progress_handlers import answer, found
from diffing.view.router import Answer
from diffing.view.site import Site
from diffing.view.visitor import Visitor
from diffing.view.zero import answered


def progress_part(site: Site) -> Part:
    """Builds it.

    Args:
        site: What all visitors share.
    """
    import gradio as gr

    def of_run(asked: Any, token: gr.OAuthToken | None) -> Answer:  # noqa: ANN401  whatever the browser sends
        return answer(site, asked, token.token if token else None)

    def lend(run_id: str, token: gr.OAuthToken | None) -> Iterator[None]:
        """Within an event, so that a GPU is lent to the visitor; what it tells, the page asks for by itself."""

        def answers(config: DiffConfig) -> Iterator[tuple[str, int, int]]:
            cache, rules = site.desk.folder / "completions", site.settings.rules
            for each in answered(config, cache=cache, token=token.token if token else None, rules=rules):
                yield each.stage, each.done, each.total

        yield from site.desk.lend(run_id or "", answers)

    box = gr.HTML(
        "", apply_default_css=False, elem_classes="diffing", js_on_load=_script("progress"), server_functions=[of_run]
    )
    lender = gr.HTML("", html_template="<span hidden></span>", js_on_load=_script("lend"), elem_classes="run-lender")
    lender.submit(lend, lender, None, show_progress="hidden", api_visibility="private", concurrency_limit=None)

    def opened(where: Address, visitor: Visitor) -> list[Any]:
        run = found(site, where.value, visitor.token)
        return ["" if run is None else progress_html.page(run, _base(os.environ.get("SPACE_ID", "")))]

    return Part((box,), opened, [""])


def _script(name: str) -> str:
    return files(__package__).joinpath(f"{name}.js").read_text(encoding="utf-8")


def _base(space: str) -> str:
    """What a link to a Space begins with: the page itself is a frame within the Hub's, under another address."""
    return f"https://huggingface.co/spaces/{space}" if space else ""
