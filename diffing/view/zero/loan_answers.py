"""Generates the responses of a run's local models on a GPU that ZeroGPU lends, and stores them in the cache.

The run itself starts afterwards in its own process, finds all responses in the completions cache, and needs no GPU.
Completed responses are not generated again: after a cancellation, a restart, or an exhausted quota, simply start over.
"""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from diffing.config import DiffConfig, Limits, columns_of
from diffing.errors import SettingError
from diffing.model_ref import is_recorded, is_remote
from diffing.models import LoadOptions, Model, load_model
from diffing.models.cache import CachedModel, Store
from diffing.models.local import LocalOptions
from diffing.responses import answer
from diffing.run import with_system_prompt
from diffing.run_prompts import prompts_of
from diffing.stages import PREPARE, RESPONSES
from diffing.types import SIDES, OnProgress, Side, Stage
from diffing.view.runs.access import check_access
from diffing.view.runs.visitor_rules import PUBLIC, VisitorRules, allowed
from diffing.view.zero.gpu_limits import is_local, obstacle
from diffing.view.zero.gpu_process import WriteAnswers, on_lent_gpu
from diffing.view.zero.lent_model import GpuAccess, LentModel
from diffing.view.zero.threaded_notes import run_in_thread


@dataclass(frozen=True, slots=True)
class LoanProgress:
    """How far the responses are."""

    stage: str
    """`prepare`, `weights a|b` (downloaded and loaded), `gpu a|b` (one loan), `responses a|b` or `tokens a|b`."""
    done: int
    """Number of items done; always 0 for `gpu`."""
    total: int
    """Number of items in all, 0 if it is not known; for `gpu`, the number of seconds requested."""


_EVERY = 0.2
"""Minimum number of seconds between two progress messages of a stage."""
OnLoanProgress: TypeAlias = Callable[[LoanProgress], None]


def answer_on_loans(
    config: DiffConfig,
    *,
    cache: Path,
    token: str | None = None,
    rules: VisitorRules = PUBLIC,
    write: WriteAnswers | None = None,
) -> Generator[LoanProgress]:
    """Answers all prompts of a run that local models have to answer. Iterate it within an event of the visitor.

    It yields at least every half second, so that it can be cancelled at any time; the loan then ends within a second.

    Args:
        config: The settings of the run.
        cache: The folder of the completions cache that the run will use.
        token: The visitor's token.
        rules: The rules of this machine.
        write: Generates the responses; None means on the Space's lent GPU.

    Raises:
        NotLentError: No GPU was lent: the quota is used up, or none is free.
        DiffingError: Anything else that the visitor can fix.
    """
    gpu = GpuAccess(write or on_lent_gpu(), token or (False if rules.public else None))
    last = LoanProgress(PREPARE, 0, 0)
    yield last
    allowed(config, Limits(), rules)
    if reason := obstacle(config):
        raise SettingError(reason)

    def work(tell: OnLoanProgress) -> None:
        if rules.public:
            check_access(config, token)
        store = Store.in_folder(cache)
        try:
            _answer_all(config, store, gpu, tell)
        finally:
            store.close()

    with closing(run_in_thread(work)) as notes:
        yielded = time.monotonic()
        for note in notes:
            matters = note is None or note.stage != last.stage or note.done == note.total
            last = note or last
            if matters or time.monotonic() > yielded + _EVERY:
                yield last
                yielded = time.monotonic()
    yield last


def _answer_all(config: DiffConfig, store: Store, gpu: GpuAccess, tell: OnLoanProgress) -> None:
    def on_progress(stage: Stage, done: int, total: int) -> None:
        tell(LoanProgress(stage, done, total))

    sides = {side: _side(config, side, store, gpu, on_progress) for side in SIDES}
    present = [model for model in sides.values() if model is not None]
    if not present:
        return
    # a remote side does not influence the choice of prompts
    prompts = prompts_of(config, (sides["a"] or present[0], sides["b"] or present[0]), None, on_progress).prompts
    for side, sample in zip(SIDES, (config.sample_a, config.sample_b), strict=True):
        model = sides[side]
        if model is not None and is_local(_spec(config, side)):
            answer(model, prompts, replace(config.sampling, sample=sample), RESPONSES[side], on_progress)


def _spec(config: DiffConfig, side: Side) -> str:
    return config.model_a if side == "a" else config.model_b


def _side(config: DiffConfig, side: Side, store: Store, gpu: GpuAccess, on_progress: OnProgress) -> Model | None:
    """The model of one side: a local one that answers on loans, or a recorded one.

    It is None for a remote model, which the run itself will ask.
    """
    spec = _spec(config, side)
    if is_remote(spec):
        return None
    if is_recorded(spec):
        return load_model(spec, options=LoadOptions(columns=columns_of(config, side)), cache=None)
    lent_model = LentModel(spec, _options(config, side), gpu, side, on_progress)
    prompt = config.system_prompt_a if side == "a" else config.system_prompt_b
    return with_system_prompt(CachedModel(lent_model, store), prompt)


def _options(config: DiffConfig, side: Side) -> LocalOptions:
    return LocalOptions(
        dtype=config.dtype,
        chat_template=config.chat_template_a if side == "a" else config.chat_template_b,
        trust_remote_code=config.trust_remote_code,
        allow_pickle=config.allow_pickle,
        device="cpu",
    )
