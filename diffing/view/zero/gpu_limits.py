"""What ZeroGPU cannot do, told before anything is begun, and how much of a visitor's quota a run takes."""

from diffing.config import DiffConfig
from diffing.errors import DiffingError
from diffing.estimate import LOCAL_FLOPS, RunEstimate, SizeOf
from diffing.model_ref import is_recorded, is_remote
from diffing.models.base import Sampling
from diffing.view.runs.access import repositories
from diffing.view.zero.pace import Pace

_MOST_READING = 30.0
"""Minutes that the reader of an SAE may take on the Space's CPU."""
_ELSEWHERE = "a GPU Space or `diffing serve` on a machine of your own can"


def is_local(spec: str) -> bool:
    """Whether a model string names a model that runs on this machine."""
    return not is_remote(spec) and not is_recorded(spec)


def obstacle(config: DiffConfig, estimated: RunEstimate | None = None, *, size_of: SizeOf | None = None) -> str:
    """Why a run cannot be done on ZeroGPU, and what to do; empty where it can.

    Args:
        config: The run.
        estimated: What it takes, where that is known: tells whether an SAE's reader is quick enough without a GPU.
        size_of: Looks up how big the reader is.
    """
    helpers = [config.llm, config.judge, config.second_judge, *config.rater]
    if local := next((spec for spec in helpers if spec and is_local(spec)), None):
        return f"{local} cannot be the LLM here, ZeroGPU only has the two models answer: take providers:org/name"
    sides = (config.model_a, config.model_b)
    if not any(map(is_local, sides)):
        return ""
    if config.quantization_a or config.quantization_b:
        return f"Weights in 4 or 8 bits are not loaded on ZeroGPU: load them as they are; {_ELSEWHERE}"
    if config.suspect:
        return f"Prompts written for a suspicion cannot be answered on ZeroGPU: take other prompts; {_ELSEWHERE}"
    if config.pool is not None and config.pool_by == "tokens":
        return f"A pool cannot be judged by tokens on ZeroGPU: take pool by responses; {_ELSEWHERE}"
    if config.pool is not None and any(map(is_remote, sides)):
        return f"A pool is judged before providers are asked: take both models here, or both there; {_ELSEWHERE}"
    if any(kind == "dataset" for kind, _ in repositories(config)):
        # whatever a stranger's dataset holds, it is opened in a run's own process, never in the page's
        return f"Datasets of the Hub are not read where ZeroGPU is lent: take the bundled prompts; {_ELSEWHERE}"
    minutes = 0.0 if estimated is None else reading_minutes(estimated, size_of)
    if minutes > _MOST_READING:
        return (
            f"The SAE's reader runs on this Space's CPU, which would take about {minutes / 60:.1f} hours: take fewer "
            f"prompts, the reader gpt2, or leave the SAE method out; {_ELSEWHERE}"
        )
    return ""


def reading_minutes(estimated: RunEstimate, size_of: SizeOf | None = None) -> float:
    """Minutes that the reader of an SAE takes without a GPU: on ZeroGPU it runs where the run does, on the CPU.

    The whole reader is counted, of which only the layers up to the SAE's are read. 0 where there is none, or its size
    is not known.
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
    """Seconds of a visitor's quota that a run takes; None where a model's size is not known.

    ZeroGPU counts more than a second for each on some of its cards.

    Args:
        config: The run.
        estimated: What it takes.
        size_of: Looks up how big a model is.
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
        total += Pace.of(size.parameters, size.stored_bytes, sampling).all_seconds(stage.calls)
    return total
