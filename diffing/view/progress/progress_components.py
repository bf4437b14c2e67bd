"""The Gradio components of the page of a run. The browser sends only the run's id."""

import os
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from diffing.config import DiffConfig
from diffing.view.page_part import PagePart
from diffing.view.page_query import PageAddress
from diffing.view.progress import progress_html
from diffing.view.progress.progress_handlers import answer, find_run
from diffing.view.router import Reply
from diffing.view.site import Site
from diffing.view.visitor import Visitor
from diffing.view.zero import answer_on_loans


def progress_part(site: Site) -> PagePart:
    """Builds the page of a run.

    Args:
        site: The state that all visitors share.
    """
    import gradio as gr

    def of_run(question: Any, token: gr.OAuthToken | None) -> Reply:  # noqa: ANN401  whatever the browser sends
        return answer(site, question, token.token if token else None)

    def lend(run_id: str, token: gr.OAuthToken | None) -> Iterator[None]:
        """Runs within an event, so that the GPU is lent to the visitor. The page polls the progress by itself."""

        def answers(config: DiffConfig) -> Iterator[tuple[str, int, int]]:
            cache, rules = site.run_manager.folder / "completions", site.settings.rules
            for each in answer_on_loans(config, cache=cache, token=token.token if token else None, rules=rules):
                yield each.stage, each.done, each.total

        yield from site.run_manager.lend(run_id or "", answers)

    box = gr.HTML(
        "", apply_default_css=False, elem_classes="diffing", js_on_load=_script("progress"), server_functions=[of_run]
    )
    lender = gr.HTML("", html_template="<span hidden></span>", js_on_load=_script("lend"), elem_classes="run-lender")
    lender.submit(lend, lender, None, show_progress="hidden", api_visibility="private", concurrency_limit=None)

    def open_part(where: PageAddress, visitor: Visitor) -> list[Any]:
        run = find_run(site, where.value, visitor.token)
        return ["" if run is None else progress_html.page(run, _base(os.environ.get("SPACE_ID", "")))]

    return PagePart((box,), open_part, [""])


def _script(name: str) -> str:
    return files(__package__).joinpath(f"{name}.js").read_text(encoding="utf-8")


def _base(space: str) -> str:
    """The start of links to a Space. The page itself is a frame within the Hub's page and has another address."""
    return f"https://huggingface.co/spaces/{space}" if space else ""
