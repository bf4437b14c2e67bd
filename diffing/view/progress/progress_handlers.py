"""Answers the page of a run: returns the run's state, and stops, resumes or removes it. Input is untrusted."""

from dataclasses import replace

from pydantic import Field

from diffing.errors import SettingError
from diffing.outputs.html import visible
from diffing.view.page_query import PageAddress
from diffing.view.progress import progress_html
from diffing.view.progress.progress_html import RunView
from diffing.view.router import PageQuestion, Reply, Router, Text, Ticked
from diffing.view.site import Site
from diffing.view.visitor import Visitor

_LONGEST_ID = 100
"""Maximum number of characters of a run's id."""


class _RunQuestion(PageQuestion):
    run: str = Field(max_length=_LONGEST_ID)
    act: Text = ""
    lends: Ticked = False


def answer(site: Site, raw: object, token: str | None) -> Reply:
    """Answers one question.

    Args:
        site: The state that all visitors share.
        raw: The question as the browser sent it. `run`: the id, which grants the right to see and stop the run. `act`:
            `look`, `lend`, `stop`, `resume` or `forget`. `lends`: whether the visitor began the run in this tab, or
            agreed there to lend it a GPU.
        token: The visitor's token; a resumed run acts with it.

    Returns:
        `regions`, `said` and `tab`, with `lend` if the page has to start lending a GPU; or `go`, the query of the place
        to go to instead; or `problem`, one line.
    """

    def act(question: _RunQuestion, _: None) -> Reply:
        _act(site, question.run, question.act, token)
        return {"go": ""} if question.act == "forget" else _status(site, question.run, token, lends=question.lends)

    return Router("a run", {"": (_RunQuestion, act)}).answer(raw, lambda raw: None)


def _act(site: Site, run_id: str, act: str, token: str | None) -> None:
    match act:
        case "stop":
            site.run_manager.cancel(run_id)
        case "resume":
            # without an account the run keeps its owner, because the visitor is only known to have its link
            owner = site.run_owners.of(Visitor(token, site.settings.rules)) if token else None
            site.run_manager.resume(run_id, owner=owner, token=token)
        case "forget":
            state = site.run_manager.state(run_id)
            if site.settings.rules.public and state is not None and state.report is not None:
                raise SettingError(
                    "A result cannot be removed by everybody who has its link: it is deleted when it is old"
                )
            site.run_manager.forget(run_id)


def _status(site: Site, run_id: str, token: str | None, *, lends: bool) -> Reply:
    run = find_run(site, run_id, token)
    if run is None or run.state.report is not None:
        return {"go": PageAddress("run", run_id).query}  # that page explains what happened, or shows the result
    run = replace(run, lends=lends)
    reply: Reply = {
        "regions": progress_html.regions(run),
        "said": visible(progress_html.announcement(run)),
        "tab": visible(progress_html.tab(run)),
    }
    return reply | {"lend": True} if lends and run.state.state == "lending" and not run.state.attended else reply


def find_run(site: Site, run_id: str, token: str | None) -> RunView | None:
    """The run of an id as it is now; None if there is none."""
    state, config = site.run_manager.state(run_id), site.run_manager.config(run_id)
    if state is None or config is None:
        return None
    return RunView(run_id, config, state, signed_in=token is not None)
