"""Has local models answer a run's prompts in loans of the GPU; every answer is in the completions cache at once.

The run itself, begun afterwards in its own process, finds all of them there and needs no GPU. Whatever was answered is
not asked again: after a cancellation, a restart, or a quota that ended in the middle, going on is beginning again.
"""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from diffing.config import DiffConfig, Limits, columns_of, sampling_of
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
from diffing.view.runs.visitor_rules import PUBLIC, Rules, allowed
from diffing.view.zero.event_iterator import told
from diffing.view.zero.gpu_limits import is_local, obstacle
from diffing.view.zero.gpu_process import Write, lent
from diffing.view.zero.lent_model import Lending, LentModel


@dataclass(frozen=True, slots=True)
class Answering:
    """How far it is."""

    stage: str
    """`prepare`, `weights a|b` (downloaded and loaded), `gpu a|b` (one loan), `responses a|b` or `tokens a|b`."""
    done: int
    """How much of it is done: of `gpu`, always 0."""
    total: int
    """Of how much, 0 where that is not known; of `gpu`, for how many seconds it was asked."""


_EVERY = 0.2
"""Seconds between two notes of one stage."""
OnAnswering: TypeAlias = Callable[[Answering], None]


def answered(
    config: DiffConfig,
    *,
    cache: Path,
    token: str | None = None,
    rules: Rules = PUBLIC,
    write: Write | None = None,
) -> Generator[Answering]:
    """Answers all prompts of a run that local models are to answer. To be iterated within an event of the visitor.

    Yields something at least every half second, so that it can be cancelled; then the loan ends within a second.

    Args:
        config: The run.
        cache: The folder of the completions cache that the run will use.
        token: The visitor's.
        rules: Those of the machine.
        write: Who does the work; None is the GPU of the Space.

    Raises:
        NotLentError: No GPU was lent: the quota is used up, or none is free.
        DiffingError: Anything else the visitor can mend, in one line.
    """
    lending = Lending(write or lent(), token or (False if rules.public else None))
    last = Answering(PREPARE, 0, 0)
    yield last
    allowed(config, Limits(), rules)
    if reason := obstacle(config):
        raise SettingError(reason)

    def work(tell: OnAnswering) -> None:
        if rules.public:
            check_access(config, token)
        store = Store(cache / "completions.sqlite")
        try:
            _answer_all(config, store, lending, tell)
        finally:
            store.close()

    with closing(told(work)) as notes:
        yielded = time.monotonic()
        for note in notes:
            matters = note is None or note.stage != last.stage or note.done == note.total
            last = note or last
            if matters or time.monotonic() > yielded + _EVERY:
                yield last
                yielded = time.monotonic()
    yield last


def _answer_all(config: DiffConfig, store: Store, lending: Lending, tell: OnAnswering) -> None:
    def on_progress(stage: Stage, done: int, total: int) -> None:
        tell(Answering(stage, done, total))

    sides = {side: _side(config, side, store, lending, on_progress) for side in SIDES}
    present = [model for model in sides.values() if model is not None]
    if not present:
        return
    # no remote side has a say in which prompts there are
    prompts = prompts_of(config, (sides["a"] or present[0], sides["b"] or present[0]), None, on_progress).prompts
    for side, sample in zip(SIDES, (config.sample_a, config.sample_b), strict=True):
        model = sides[side]
        if model is not None and is_local(_spec(config, side)):
            answer(model, prompts, replace(sampling_of(config), sample=sample), RESPONSES[side], on_progress)


def _spec(config: DiffConfig, side: Side) -> str:
    return config.model_a if side == "a" else config.model_b


def _side(config: DiffConfig, side: Side, store: Store, lending: Lending, on_progress: OnProgress) -> Model | None:
    """A local side as it answers in loans, a recorded one as it is; None for a remote one, whom the run itself asks."""
    spec = _spec(config, side)
    if is_remote(spec):
        return None
    if is_recorded(spec):
        return load_model(spec, options=LoadOptions(columns=columns_of(config, side)), cache=None)
    lent_model = LentModel(spec, _options(config, side), lending, side, on_progress)
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
