"""The API for programs and the tools for agents (MCP): functions of the page as documented endpoints.

Both offer the functions in `ENDPOINTS` and no others; the page's own events are private. None of them computes: what
takes long is done by runs. Therefore there is no endpoint for `diffing check`, which may measure all responses of a
report, for `diffing ask`, which calls an LLM outside the limits of a run, or for `diffing family`, which is
up to 66 runs. An agent with a terminal has these commands.
"""

from collections.abc import Callable
from typing import Any

from diffing.view.api.endpoint import endpoint
from diffing.view.api.read_endpoints import find_diffs, read_diff, read_evidence
from diffing.view.api.run_endpoints import compare_models, diff_state, estimate_diff, resume_diff, stop_diff
from diffing.view.api.run_request import read_request
from diffing.view.site import Site

__all__ = ["ENDPOINTS", "add_programs"]

ENDPOINTS = (
    *(estimate_diff, compare_models, diff_state, stop_diff, resume_diff),
    *(read_diff, read_evidence, find_diffs),
)
"""The functions in the order of the documentation. Their names are those of the endpoints and of the tools."""


def add_programs(site: Site) -> None:
    """Adds the documented endpoints to the page that is being built.

    Args:
        site: The state that all visitors share.
    """
    from gradio.events import api

    for function in ENDPOINTS:
        public = endpoint(site, function, read_request if function in (estimate_diff, compare_models) else None)
        # not queued: none of them computes, and only unqueued tools act for their caller instead of for the app
        added = api(public, api_name=function.__name__, queue=False, concurrency_limit=None)
        _describe(added, public)


def _describe(added: Any, public: Callable[..., Any]) -> None:  # noqa: ANN401  an event of Gradio
    """Adds the parameters' descriptions to the page of the API, which ignores docstrings."""
    from gradio.context import get_blocks_context
    from gradio.utils import get_function_description

    page = get_blocks_context()
    assert page is not None
    texts = get_function_description(public)[1]
    for place, (name, text) in zip(
        added["inputs"], texts.items(), strict=False
    ):  # Gradio describes all but the caller's parameters
        component: Any = page.blocks[place]
        component.label = name
        component._api_info = {**component.api_info(), "additional_description": text}
