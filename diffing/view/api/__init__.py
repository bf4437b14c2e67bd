"""The same for programs: the page's own functions as a documented API, and as tools for agents (MCP).

Both see the functions of `ENDPOINTS` and no other: the page's events are private.
"""

from collections.abc import Callable
from typing import Any

from diffing.view.api.endpoint import endpoint
from diffing.view.api.finished_diffs import find_diffs, read_diff, read_evidence
from diffing.view.api.run_control import compare_models, diff_state, estimate_diff, resume_diff, stop_diff
from diffing.view.api.run_request import wanted
from diffing.view.site import Site

__all__ = ["ENDPOINTS", "add_programs"]

ENDPOINTS = (
    *(estimate_diff, compare_models, diff_state, stop_diff, resume_diff),
    *(read_diff, read_evidence, find_diffs),
)
"""In the order in which they are documented; their names are those of the endpoints and of the tools."""


def add_programs(site: Site) -> None:
    """Adds the documented endpoints to the page that is being built.

    Args:
        site: What all visitors share.
    """
    from gradio.events import api

    for function in ENDPOINTS:
        public = endpoint(site, function, wanted if function in (estimate_diff, compare_models) else None)
        # not in Gradio's queue: none computes, and tools outside the queue act for who called, not for the app
        added = api(public, api_name=function.__name__, queue=False, concurrency_limit=None)
        _describe(added, public)


def _describe(added: Any, public: Callable[..., Any]) -> None:  # noqa: ANN401  an event of Gradio
    """The parameters' own texts for the page of the API, which knows no docstring."""
    from gradio.context import get_blocks_context
    from gradio.utils import get_function_description

    page = get_blocks_context()
    assert page is not None
    texts = get_function_description(public)[1]
    for place, (name, text) in zip(added["inputs"], texts.items(), strict=False):  # Gradio gives the callers' own none
        component: Any = page.blocks[place]
        component.label = name
        component._api_info = {**component.api_info(), "additional_description": text}
