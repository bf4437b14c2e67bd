"""What the page of a run asks and does: where the run stands, stop, go on, remove. Believes nothing it is sent."""

from dataclasses import replace

from pydantic import Field

from diffing.errors import SettingError
from diffing.outputs.html import visible
from diffing.view.page_query import Address
from diffing.view.progress import progress_html
from diffing.view.progress.progress_html import Run
from diffing.view.router import Answer, Question, Router, Text, Ticked
from diffing.view.site import Site
from diffing.view.visitor import Visitor

_LONGEST_ID = 100
"""Characters; no id of a run is longer."""


class _RunQuestion(Question):
    run: str = Field(max_length=_LONGEST_ID)
    act: Text = ""
    lends: Ticked = False


def answer(site: Site, asked: object, token: str | None) -> Answer:
    """Answers one question.

    Args:
        site: What all visitors share.
        asked: As the browser sent it: `run`, which is what allows to see and stop it; `act`: `look`, `lend`, `stop`,
            `resume` or `forget`; `lends`, whether the visitor began it in this tab, or said there to lend it a GPU.
        token: Of the visitor who asks; a run that goes on acts with it.

    Returns:
        `regions`, `said` and `tab`, with `lend` if a page is to have the models answer; or `go`, the query of the
        place to go to instead; or `problem`, one line.
    """

    def act(question: _RunQuestion, _: None) -> Answer:
        _act(site, question.run, question.act, token)
        return {"go": ""} if question.act == "forget" else _told(site, question.run, token, lends=question.lends)

    return Router("a run", {"": (_RunQuestion, act)}).answer(asked, lambda asked: None)


def _act(site: Site, run_id: str, act: str, token: str | None) -> None:
    match act:
        case "stop":
            site.desk.cancel(run_id)
        case "resume":
            # without an account the run is still whose it was: its link is all that is known of who asks
            owner = site.owners.of(Visitor(token, site.settings.rules)) if token else None
            site.desk.resume(run_id, owner=owner, token=token)
        case "forget":
            state = site.desk.state(run_id)
            if site.settings.rules.public and state is not None and state.report is not None:
                raise SettingError("A result is not removed by those who have its link: it goes with time")
            site.desk.forget(run_id)


def _told(site: Site, run_id: str, token: str | None, *, lends: bool) -> Answer:
    run = found(site, run_id, token)
    if run is None or run.state.report is not None:
        return {"go": Address("run", run_id).query}  # the page says what became of it, or shows the result
    run = replace(run, lends=lends)
    told: Answer = {
        "regions": progress_html.regions(run),
        "said": visible(progress_html.told(run)),
        "tab": visible(progress_html.tab(run)),
    }
    return told | {"lend": True} if lends and run.state.state == "lending" and not run.state.attended else told


def found(site: Site, run_id: str, token: str | None) -> Run | None:
    """The run of an id as it stands; None where there is none."""
    state, config = site.desk.state(run_id), site.desk.config(run_id)
    if state is None or config is None:
        return None
    return Run(run_id, config, state, signed_in=token is not None)
