"""Runs for programs: estimated, begun, looked at, stopped, gone on with. By the functions that the page calls."""

from dataclasses import asdict

from diffing.errors import SettingError
from diffing.estimate import RunEstimate
from diffing.outputs.phrasing import headline
from diffing.view.api.api_results import Estimated, Run
from diffing.view.api.endpoint import Call
from diffing.view.api.run_request import Wanted
from diffing.view.page_query import Address

_FOUND = 20
"""Hypotheses told while a run is running: the latest."""
_NO_RUN = "There is no such run: check the id, or begin a new one with compare_models"


def estimate_diff(call: Call, asked: Wanted) -> Estimated:
    """Tell what a comparison of two models would take: calls, dollars and minutes per stage; starts nothing.

    Fails with the reason where the comparison cannot be run here.

    Args:
        call: Who calls.
        asked: The comparison.

    Returns:
        The estimate.
    """
    told = _estimate(call, asked)
    total = told.total
    stages = [asdict(stage) for stage in told.stages]
    return Estimated(total.calls, total.usd, total.minutes, stages, list(told.assumptions), list(told.limits))


def compare_models(call: Call, asked: Wanted) -> Run:
    """Start a comparison of two language models: how do they behave differently?

    Both answer the same prompts; differences in behaviour are looked for on some of them and tested on the others.
    Takes minutes to hours: ask diff_state how far it is, and read_diff for the findings once it is done. Look with
    find_diffs first whether somebody has published it already.

    Args:
        call: Who calls.
        asked: The comparison.

    Returns:
        The run with its id and link.
    """
    _estimate(call, asked)
    visitor = call.visitor
    owner = call.site.owners.of(visitor)
    run = call.site.desk.start(asked.config, asked.limits, owner=owner, token=visitor.token)
    return _run(call, run)


def diff_state(call: Call, run: str) -> Run:
    """Tell where a comparison stands.

    Its stages with the time that is left, what was found so far, and once it is done the result in one sentence.

    Args:
        call: Who calls.
        run: The id that compare_models gave.

    Returns:
        The state.
    """
    return _run(call, run)


def stop_diff(call: Call, run: str) -> Run:
    """Stop a comparison at once. What was answered is kept: resume_diff goes on from there.

    Args:
        call: Who calls.
        run: The id that compare_models gave.

    Returns:
        The state.
    """
    _run(call, run)
    call.site.desk.cancel(run)
    return _run(call, run)


def resume_diff(call: Call, run: str) -> Run:
    """Go on with a comparison that was stopped, failed, or waits for its owner to sign in.

    Args:
        call: Who calls.
        run: The id that compare_models gave.

    Returns:
        The state.
    """
    _run(call, run)
    visitor = call.visitor
    # without an account the run is still whose it was
    call.site.desk.resume(run, owner=call.site.owners.of(visitor) if visitor.token else None, token=visitor.token)
    return _run(call, run)


def _estimate(call: Call, asked: Wanted) -> RunEstimate:
    preview = call.site.previews.preview(asked.config, asked.limits, call.visitor)
    if preview.estimate is None:
        raise SettingError(preview.problem)
    return preview.estimate


def _run(call: Call, run: str) -> Run:
    state = call.site.desk.state(run)
    if state is None:
        raise SettingError(_NO_RUN)
    told = ""
    if state.report is not None:
        told = headline(call.site.shelf.open(call.site.key_of_run(run)).report)
    return Run(
        run=run,
        link=call.link(Address("run", run)),
        state=state.state,
        reason=state.reason,
        place=state.place,
        stages=[asdict(stage) for stage in state.stages],
        found=[f"{each.direction}: {each.text}" for each in state.found[-_FOUND:]],
        headline=told,
    )
