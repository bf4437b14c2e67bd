"""A local model whose answers are written in loans of a GPU, in chunks sized by what the last one took."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Lock

from diffing.errors import ModelError
from diffing.model_ref import parse_spec, read_ref
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.local import LocalOptions
from diffing.models.local.memory import dtype_name
from diffing.stages import GPU, WEIGHTS
from diffing.types import Completion, Conversation, OnProgress, Side
from diffing.view.zero.gpu_process import Answer, Failed, Note, Order, Ready, Tokens, Write, hold
from diffing.view.zero.gpu_refusals import NotLentError, one_line
from diffing.view.zero.machine import find_model, zero_gpu
from diffing.view.zero.pace import Pace

_loading = Lock()
"""One model at a time is read into main memory. Only the page's own process takes it."""


@dataclass(frozen=True, slots=True)
class Lending:
    """By whom a GPU is lent, and to whom."""

    write: Write
    """Does one chunk of work on it."""
    token: str | bool | None = field(repr=False)
    """For the files of models."""


class LentModel:
    """A local model that computes in loans of a GPU."""

    def __init__(self, spec: str, options: LocalOptions, lending: Lending, side: Side, on_progress: OnProgress) -> None:
        """Finds the model; downloads no weights yet.

        Raises:
            DiffingError: It cannot be found, or runs neither here nor on a lent GPU.
        """
        self._lending = lending
        self._side = side
        self._on_progress = on_progress
        # as a run with a GPU would load it
        self._options = replace(options, dtype=dtype_name(options, gpu=zero_gpu()))
        ref = parse_spec(spec)
        model = find_model(ref, self._options, lending.token)
        self._id, self._size = model.id, model.size
        # at the commits where it was found: what is held under a branch's name can be of an older one
        self._ref = ref.pinned_to(read_ref(model.id)) or ref

    @property
    def id(self) -> str:
        """The local model's."""
        return self._id

    @property
    def remote(self) -> bool:
        """It asks no server."""
        return False

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation, chunk after chunk.

        Raises:
            NotLentError: No GPU is lent any more; `on_completion` was told of what is answered.
            ModelError: The model cannot be loaded, or finishes no answer in the longest loan.
        """
        done: dict[int, Completion] = {}

        def finish(place: int, completion: Completion) -> None:
            done[place] = completion
            if on_completion:
                on_completion(place, completion)

        pace = Pace.of(self._size.parameters, self._size.stored_bytes, sampling)
        while waiting := [place for place in range(len(conversations)) if place not in done]:
            self._load()
            count, seconds = pace.chunk(len(waiting))
            chunk = waiting[:count]
            asked = tuple(conversations[place] for place in chunk)
            self._on_progress(GPU[self._side], 0, seconds)
            loan = _Loan(chunk, finish, on_tokens or (lambda count: None))
            try:
                with one_line():
                    loan.follow(self._lending.write(self._order(asked, sampling, seconds)))
            except NotLentError as error:
                if error.share is None or not pace.shorten(seconds * min(error.share, 0.9)):
                    raise
                continue
            pace.learn(loan.loading, loan.writing, loan.answers, count)
            if not loan.answers and not pace.lengthen():
                raise ModelError(
                    f"{self._id} finished no answer in {seconds} seconds of the GPU: expected at least one. "
                    "Take fewer tokens per response, or a smaller model"
                )
        return [done[place] for place in range(len(conversations))]

    def _order(self, conversations: tuple[Conversation, ...], sampling: Sampling, seconds: int) -> Order:
        return Order(self._ref, self._options, self._lending.token, conversations, sampling, seconds)

    def _load(self) -> None:
        """Weights are read before the GPU is asked for, so that its time is not spent on that."""
        self._on_progress(WEIGHTS[self._side], 0, 1)
        with _loading:
            hold(self._ref, self._options, self._lending.token).move("cpu")
        self._on_progress(WEIGHTS[self._side], 1, 1)


class _Loan:
    """One loan, as it is heard of."""

    def __init__(self, places: Sequence[int], on_completion: OnCompletion, on_tokens: OnTokens) -> None:
        self._places = places
        self._on_completion = on_completion
        self._on_tokens = on_tokens
        self._began = time.monotonic()
        self.loading = self.writing = 0.0
        self.answers = 0

    def follow(self, notes: Generator[Note | None]) -> None:
        """Listens until it ends.

        Raises:
            ModelError: The model cannot be used there.
        """
        with closing(notes):
            for note in notes:
                self._hear(note)
        self.writing = time.monotonic() - self._began

    def _hear(self, note: Note | None) -> None:
        match note:
            case Ready(seconds):
                self.loading, self._began = seconds, time.monotonic()
            case Answer(place, completion):
                self.answers += 1
                self._on_completion(self._places[place], completion)
            case Tokens(count):
                self._on_tokens(count)
            case Failed(line):
                raise ModelError(line)
            case None:
                self._on_tokens(0)  # somebody who has left is found out by telling him
