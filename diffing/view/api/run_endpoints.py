"""API endpoints that estimate, start, watch, stop and resume a comparison of two models."""

from dataclasses import asdict

from diffing.errors import SettingError
from diffing.estimate import RunEstimate
from diffing.outputs.headline import headline
from diffing.view.api.api_results import CostEstimate, RunInfo
from diffing.view.api.endpoint import ApiCall
from diffing.view.api.run_request import RunRequest
from diffing.view.page_query import PageAddress

_FOUND = 20
"""Maximum number of early hypotheses in the state of a run; the latest are given."""
_NO_RUN = "There is no such run: check the id, or start a new one with compare_models"


def estimate_diff(call: ApiCall, comparison: RunRequest) -> CostEstimate:
    """Estimate what a comparison of two models would take: calls, dollars and minutes per stage; starts nothing.

    If the comparison cannot be run here, the error says why.

    Args:
        call: The context of the call.
        comparison: The comparison.

    Returns:
        The estimate.
    """
    estimated = _estimate(call, comparison)
    total = estimated.total
    stages = [asdict(stage) for stage in estimated.stages]
    return CostEstimate(
        total.calls, total.usd, total.minutes, stages, list(estimated.assumptions), list(estimated.limits)
    )


def compare_models(call: ApiCall, comparison: RunRequest) -> RunInfo:
    """Start a comparison of two language models: how do they behave differently?

    Both answer the same prompts. Differences in behaviour are searched for on some of the prompts and tested on the
    others. This takes minutes to hours: poll diff_state for the progress, and call read_diff for the findings once it
    is done. Look with find_diffs first whether somebody has already published the comparison.

    Args:
        call: The context of the call.
        comparison: The comparison.

    Returns:
        The run with its id and link.
    """
    _estimate(call, comparison)
    visitor = call.visitor
    owner = call.site.run_owners.of(visitor)
    run = call.site.run_manager.start(comparison.config, comparison.limits, owner=owner, token=visitor.token)
    return _run(call, run)


def diff_state(call: ApiCall, run: str) -> RunInfo:
    """Get the state of a comparison.

    This includes its stages with the remaining time, what was found so far and, once it is done, the result in one
    sentence.

    Args:
        call: The context of the call.
        run: The id that compare_models returned.

    Returns:
        The state.
    """
    return _run(call, run)


def stop_diff(call: ApiCall, run: str) -> RunInfo:
    """Stop a comparison at once. Completed responses are kept, and resume_diff continues from there.

    Args:
        call: The context of the call.
        run: The id that compare_models returned.

    Returns:
        The state.
    """
    _run(call, run)
    call.site.run_manager.cancel(run)
    return _run(call, run)


def resume_diff(call: ApiCall, run: str) -> RunInfo:
    """Resume a comparison that was stopped, failed, or waits for its owner to sign in.

    Args:
        call: The context of the call.
        run: The id that compare_models returned.

    Returns:
        The state.
    """
    _run(call, run)
    visitor = call.visitor
    # without an account the run keeps its owner
    call.site.run_manager.resume(
        run, owner=call.site.run_owners.of(visitor) if visitor.token else None, token=visitor.token
    )
    return _run(call, run)


def _estimate(call: ApiCall, comparison: RunRequest) -> RunEstimate:
    preview = call.site.previewer.preview(comparison.config, comparison.limits, call.visitor)
    if preview.estimate is None:
        raise SettingError(preview.problem)
    return preview.estimate


def _run(call: ApiCall, run: str) -> RunInfo:
    state = call.site.run_manager.state(run)
    if state is None:
        raise SettingError(_NO_RUN)
    sentence = ""
    if state.report is not None:
        sentence = headline(call.site.report_cache.open(call.site.key_of_run(run)).report)
    return RunInfo(
        run=run,
        link=call.link(PageAddress("run", run)),
        state=state.state,
        reason=state.reason,
        place=state.place,
        stages=[asdict(stage) for stage in state.stages],
        found=[f"{each.direction}: {each.text}" for each in state.found[-_FOUND:]],
        headline=sentence,
    )
