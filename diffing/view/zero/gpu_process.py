"""The code that runs in the process to which ZeroGPU lends the GPU: a model's responses to one chunk of conversations.

`spaces` forks that process from the page's process, may reuse it for a later chunk, and sends arguments and results
through a pipe. Weights that the page's process held in main memory at the fork are available at once; otherwise the
process loads them from disk.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from diffing.errors import DiffingError
from diffing.model_ref import ModelRef
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.types import Completion, Conversation
from diffing.view.zero.loan_planner import SPARE
from diffing.view.zero.machine import zero_gpu
from diffing.view.zero.threaded_notes import run_in_thread

_HELD = 2
"""Maximum number of models whose weights the page's process keeps in main memory: those of one comparison."""
_EVERY = 0.3
"""Minimum number of seconds between two messages about tokens."""


@dataclass(frozen=True, slots=True)
class GpuTask:
    """One chunk of work for the GPU."""

    spec: ModelRef
    """The model."""
    options: LocalOptions
    """How the model is loaded into main memory."""
    token: str | bool | None = field(repr=False)
    """The token for reading the model's files, if they must be read."""
    conversations: tuple[Conversation, ...]
    """The conversations to answer."""
    sampling: Sampling
    """How to sample the responses."""
    seconds: int
    """The length of the loan."""


@dataclass(frozen=True, slots=True)
class WeightsLoaded:
    """The weights are on the GPU."""

    seconds: float
    """How long loading them took."""


@dataclass(frozen=True, slots=True)
class AnswerWritten:
    """One conversation is answered."""

    place: int
    """Its index in the task."""
    completion: Completion
    """The response."""


@dataclass(frozen=True, slots=True)
class TokensWritten:
    """The model has written more tokens."""

    count: int
    """Number of new tokens since the last message."""


@dataclass(frozen=True, slots=True)
class LoanFailed:
    """The work failed. This is a message because an exception would lose everything but its class on the way back."""

    line: str
    """The reason in one line."""


LoanNote: TypeAlias = WeightsLoaded | AnswerWritten | TokensWritten | LoanFailed
WriteAnswers: TypeAlias = Callable[[GpuTask], Generator[LoanNote | None]]


class _TimeUpError(Exception):
    """The loan is about to end."""


_models: dict[tuple[ModelRef, LocalOptions], LocalModel] = {}
"""Models in main memory, the longest unused first. There is no lock: a process forked while a thread holds one would
wait for it forever."""


def prepare() -> bool:
    """Imports `spaces` before anything can use CUDA, and registers our GPU function. Call it first in the app.

    Returns:
        Whether this is a ZeroGPU Space.
    """
    on_lent_gpu()
    return zero_gpu()


@cache
def on_lent_gpu() -> WriteAnswers:
    """The function `write`, on ZeroGPU decorated to run with a GPU lent for the length of its task."""
    if not zero_gpu():
        return write
    spaces: Any = import_module("spaces")  # imported by name, because type checkers see our folder spaces/
    decorated: WriteAnswers = spaces.GPU(duration=_seconds)(write)
    return decorated


def _seconds(task: GpuTask) -> int:
    return task.seconds


def hold(spec: ModelRef, options: LocalOptions, token: str | bool | None) -> LocalModel:
    """Loads a model into main memory, or returns it from there; the model unused for longest is dropped."""
    model = _models.pop((spec, options), None) or LocalModel.load(spec, options=options, token=token)
    _models[spec, options] = model
    while len(_models) > _HELD:
        _models.pop(next(iter(_models))).close()
    return model


def write(task: GpuTask) -> Generator[LoanNote | None]:
    """Answers as many conversations as the loan's time allows; unfinished responses are discarded.

    It yields a message about each event, and None now and then, so that it ends soon after the caller loses interest.
    """
    began = time.monotonic()

    def work(tell: Callable[[LoanNote], None]) -> None:
        _write(task, began + task.seconds - SPARE / 2, tell)

    yield from run_in_thread(work)


def _write(task: GpuTask, end: float, tell: Callable[[LoanNote], None]) -> None:
    began = noted = time.monotonic()
    waiting = 0

    def counted(count: int) -> None:
        nonlocal noted, waiting
        waiting += count
        now = time.monotonic()
        if now > end:
            raise _TimeUpError
        if now > noted + _EVERY:
            tell(TokensWritten(waiting))
            noted, waiting = now, 0

    try:
        model = _on_gpu(task)
        tell(WeightsLoaded(time.monotonic() - began))
        model.generate(
            task.conversations,
            task.sampling,
            on_completion=lambda place, completion: tell(AnswerWritten(place, completion)),
            on_tokens=counted,
        )
        if waiting:
            tell(TokensWritten(waiting))
    except _TimeUpError:
        return
    except DiffingError as error:
        tell(LoanFailed(" ".join(str(error).split())))


def _on_gpu(task: GpuTask) -> LocalModel:
    """Moves the model to the GPU, and drops all others, because one loan needs only one model."""
    import torch

    model = hold(task.spec, task.options, task.token)
    if not torch.cuda.is_available():
        model.move("cpu")
        return model
    for other in _models.values():
        if other is not model:
            other.close()
    model.move("cuda")
    return model
