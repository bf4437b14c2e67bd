"""Says why a run's settings are not possible on ZeroGPU, and estimates how many seconds of GPU quota the run takes."""

from diffing.config import DiffConfig
from diffing.errors import DiffingError
from diffing.estimate import LOCAL_FLOPS, RunEstimate, SizeOf
from diffing.model_ref import is_recorded, is_remote
from diffing.models.base import Sampling
from diffing.view.runs.access import repositories
from diffing.view.zero.loan_planner import LoanPlanner

_MOST_READING = 30.0
"""Maximum number of minutes for which an SAE's reader model may compute on the Space's CPU."""
_ELSEWHERE = "a GPU Space, or `diffing serve` on your own machine, can do this"


def is_local(spec: str) -> bool:
    """Whether a model string names a model that runs on this machine."""
    return not is_remote(spec) and not is_recorded(spec)


def obstacle(config: DiffConfig, estimated: RunEstimate | None = None, *, size_of: SizeOf | None = None) -> str:
    """Why a run is not possible on ZeroGPU, and what to do instead; empty if it is possible.

    Args:
        config: The settings of the run.
        estimated: The estimate of the run, if there is one. It is needed to tell whether an SAE's reader is fast enough
            on the CPU.
        size_of: Looks up the size of the reader model.
    """
    helpers = [config.llm, config.judge, config.second_judge, *config.rater]
    if local := next((spec for spec in helpers if spec and is_local(spec)), None):
        return f"{local} cannot be the LLM here, because ZeroGPU runs only the two models: use providers:org/name"
    sides = (config.model_a, config.model_b)
    if not any(map(is_local, sides)):
        return ""
    if config.quantization_a or config.quantization_b:
        return f"Weights cannot be quantized to 4 or 8 bits on ZeroGPU: load them unquantized; {_ELSEWHERE}"
    if config.suspect:
        return f"Prompts written for a suspicion cannot be answered on ZeroGPU: use other prompts; {_ELSEWHERE}"
    if config.pool is not None and config.pool_by == "tokens":
        return f"A pool cannot be ranked by tokens on ZeroGPU: use “pool by responses”; {_ELSEWHERE}"
    if config.pool is not None and any(map(is_remote, sides)):
        return f"A pool on ZeroGPU needs both models here, or both by Inference Providers; {_ELSEWHERE}"
    if any(kind == "dataset" for kind, _ in repositories(config)):
        # a stranger's dataset must be opened in a run's own process, but ZeroGPU lends its GPU to the page's
        return f"Datasets of the Hub cannot be used on ZeroGPU: use the bundled prompts; {_ELSEWHERE}"
    minutes = 0.0 if estimated is None else reading_minutes(estimated, size_of)
    if minutes > _MOST_READING:
        return (
            f"The SAE's reader model runs on this Space's CPU and would take about {minutes / 60:.1f} hours: use fewer "
            f"prompts, the reader gpt2, or leave the SAE method out; {_ELSEWHERE}"
        )
    return ""


def reading_minutes(estimated: RunEstimate, size_of: SizeOf | None = None) -> float:
    """Estimates how many minutes an SAE's reader model takes on ZeroGPU, where it computes on the CPU.

    It counts the whole model, although only the layers up to the SAE's are computed. It is 0 without a reader, or if
    the reader's size is not known.
    """
    from diffing.models.local.memory import size_of as ask

    total = 0.0
    for stage in estimated.stages:
        if stage.name != "read":
            continue
        try:
            parameters = (size_of or ask)(stage.model).parameters
        except DiffingError:
            continue
        total += 2 * parameters * stage.prompt_tokens / LOCAL_FLOPS["cpu"] / 60
    return total


def gpu_seconds(config: DiffConfig, estimated: RunEstimate, *, size_of: SizeOf | None = None) -> float | None:
    """Estimates how many seconds of a visitor's quota a run takes; None if a model's size is not known.

    On some of its cards, ZeroGPU charges more than one second of quota per second.

    Args:
        config: The settings of the run.
        estimated: The estimate of the run.
        size_of: Looks up the size of a model.
    """
    from diffing.models.local.memory import size_of as ask

    total = 0.0
    sampling = Sampling(max_new_tokens=config.max_new_tokens)
    for stage in estimated.stages:
        if not stage.name.startswith("responses ") or not is_local(stage.model):
            continue
        try:
            size = (size_of or ask)(stage.model)
        except DiffingError:
            return None
        total += LoanPlanner.of(size.parameters, size.stored_bytes, sampling).all_seconds(stage.calls)
    return total
