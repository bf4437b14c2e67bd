"""The same for programs: the page's own functions as a documented API, and as tools for agents (MCP).

Both see the functions of `ENDPOINTS` and no other: the page's events are private.
"""

from diffing.view.programs.endpoint import endpoint
from diffing.view.programs.reading import find_diffs, read_diff, read_evidence
from diffing.view.programs.running import compare_models, diff_state, estimate_diff, resume_diff, stop_diff
from diffing.view.programs.wanted import wanted
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
        reads = wanted if function in (estimate_diff, compare_models) else None
        # not in Gradio's queue: none computes, and tools outside the queue act for who called, not for the app
        api(endpoint(site, function, reads), api_name=function.__name__, queue=False, concurrency_limit=None)
