"""What happens in the process to which the GPU is lent: a model's answers to a few conversations, one after another.

`spaces` forks that process from the page's, may use it again for a later chunk, and sends arguments and results
through a pipe. Weights that the page's process holds in main memory are there without being read again; where they
are not, because the process is older than they are, it reads them itself.
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
from diffing.view.zero.event_iterator import told
from diffing.view.zero.machine import zero_gpu
from diffing.view.zero.pace import SPARE

_HELD = 2
"""Models whose weights the page's process keeps in main memory: those of one comparison."""
_EVERY = 0.3
"""Seconds between two notes of tokens written."""


@dataclass(frozen=True, slots=True)
class Order:
    """One chunk of work."""

    spec: ModelRef
    """The model."""
    options: LocalOptions
    """How it is loaded into main memory."""
    token: str | bool | None = field(repr=False)
    """Reads its files, where they must be read."""
    conversations: tuple[Conversation, ...]
    """What it answers."""
    sampling: Sampling
    """How."""
    seconds: int
    """For how long the GPU is asked."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The weights are on the GPU."""

    seconds: float
    """After so long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One conversation is answered."""

    place: int
    """Its place in the order."""
    completion: Completion
    """The answer."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The model is writing."""

    count: int
    """New tokens since the last note."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot go on; of an exception nothing but its class would arrive."""

    line: str
    """Why, in one line."""


Note: TypeAlias = Ready | Answer | Tokens | Failed
Write: TypeAlias = Callable[[Order], Generator[Note | None]]


class _TimeUpError(Exception):
    """The loan is about to end."""


_models: dict[tuple[ModelRef, LocalOptions], LocalModel] = {}
"""Without a lock: a process forked while somebody held one would wait for it for ever."""


def prepare() -> bool:
    """To be called first in the app: on ZeroGPU it makes `spaces` known before CUDA can begin, and registers our work.

    Returns:
        Whether this is ZeroGPU.
    """
    lent()
    return zero_gpu()


@cache
def lent() -> Write:
    """`write`, on ZeroGPU with a GPU lent for as long as an order says; elsewhere as it is."""
    if not zero_gpu():
        return write
    spaces: Any = import_module("spaces")  # by name: to type checkers it is the folder of that name
    decorated: Write = spaces.GPU(duration=_seconds)(write)
    return decorated


def _seconds(order: Order) -> int:
    return order.seconds


def hold(spec: ModelRef, options: LocalOptions, token: str | bool | None) -> LocalModel:
    """A model, in main memory after the first time; the longest unused gives way."""
    model = _models.pop((spec, options), None) or LocalModel.load(spec, options=options, token=token)
    _models[spec, options] = model
    while len(_models) > _HELD:
        _models.pop(next(iter(_models))).close()
    return model


def write(order: Order) -> Generator[Note | None]:
    """Answers what it can within its time; conversations that are not finished by then are not answered.

    Yields a note of whatever happens, None now and then, so that it ends soon when nobody wants it any more.
    """
    began = time.monotonic()

    def work(tell: Callable[[Note], None]) -> None:
        _write(order, began + order.seconds - SPARE / 2, tell)

    yield from told(work)


def _write(order: Order, end: float, tell: Callable[[Note], None]) -> None:
    began = noted = time.monotonic()
    waiting = 0

    def counted(count: int) -> None:
        nonlocal noted, waiting
        waiting += count
        now = time.monotonic()
        if now > end:
            raise _TimeUpError
        if now > noted + _EVERY:
            tell(Tokens(waiting))
            noted, waiting = now, 0

    try:
        model = _on_gpu(order)
        tell(Ready(time.monotonic() - began))
        model.generate(
            order.conversations,
            order.sampling,
            on_completion=lambda place, completion: tell(Answer(place, completion)),
            on_tokens=counted,
        )
        if waiting:
            tell(Tokens(waiting))
    except _TimeUpError:
        return
    except DiffingError as error:
        tell(Failed(" ".join(str(error).split())))


def _on_gpu(order: Order) -> LocalModel:
    """The model where it computes; alone there, as no other is needed in the same loan."""
    import torch

    model = hold(order.spec, order.options, order.token)
    if not torch.cuda.is_available():
        model.move("cpu")
        return model
    for other in _models.values():
        if other is not model:
            other.close()
    model.move("cuda")
    return model
