"""A local model that borrows a ZeroGPU for short periods, and answers in each as many prompts as its speed allows."""

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
from diffing.view.zero.gpu_process import (
    AnswerWritten,
    GpuTask,
    LoanFailed,
    LoanNote,
    TokensWritten,
    WeightsLoaded,
    WriteAnswers,
    hold,
)
from diffing.view.zero.gpu_refusals import NotLentError, one_line
from diffing.view.zero.loan_planner import LoanPlanner
from diffing.view.zero.machine import find_model, zero_gpu

_loading = Lock()
"""Lets one model at a time be loaded into main memory. Only the page's own process uses this lock."""


@dataclass(frozen=True, slots=True)
class GpuAccess:
    """The function that computes on a lent GPU, and the token for model files."""

    write: WriteAnswers
    """Does one chunk of work on the GPU."""
    token: str | bool | None = field(repr=False)
    """The token for reading model files."""


class LentModel:
    """A local model that computes on loans of a GPU."""

    def __init__(self, spec: str, options: LocalOptions, gpu: GpuAccess, side: Side, on_progress: OnProgress) -> None:
        """Looks the model up; downloads no weights yet.

        Raises:
            DiffingError: The model cannot be found, or does not fit on a lent GPU.
        """
        self._gpu = gpu
        self._side = side
        self._on_progress = on_progress
        # the type that a run with a GPU would choose
        self._options = replace(options, dtype=dtype_name(options, gpu=zero_gpu()))
        ref = parse_spec(spec)
        model = find_model(ref, self._options, gpu.token)
        self._id, self._size = model.id, model.size
        # pinned to the commits of now: weights in memory under a branch's name could be of an older commit
        self._ref = ref.pinned_to(read_ref(model.id)) or ref

    @property
    def id(self) -> str:
        """The id of the local model."""
        return self._id

    @property
    def remote(self) -> bool:
        """False, because the model runs on this machine."""
        return False

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation, chunk by chunk.

        Raises:
            NotLentError: No GPU is lent any more; `on_completion` has received the completed responses.
            ModelError: The model cannot be loaded, or finishes no response within the longest loan.
        """
        done: dict[int, Completion] = {}

        def finish(place: int, completion: Completion) -> None:
            done[place] = completion
            if on_completion:
                on_completion(place, completion)

        planner = LoanPlanner.of(self._size.parameters, self._size.stored_bytes, sampling)
        while waiting := [place for place in range(len(conversations)) if place not in done]:
            self._load()
            count, seconds = planner.chunk(len(waiting))
            chunk = waiting[:count]
            chunk_conversations = tuple(conversations[place] for place in chunk)
            self._on_progress(GPU[self._side], 0, seconds)
            loan = _Loan(chunk, finish, on_tokens or (lambda count: None))
            try:
                with one_line():
                    loan.follow(self._gpu.write(self._order(chunk_conversations, sampling, seconds)))
            except NotLentError as error:
                if error.share is None or not planner.shorten(seconds * min(error.share, 0.9)):
                    raise
                continue
            planner.learn(loan.loading, loan.writing, loan.answers, count)
            if not loan.answers and not planner.lengthen():
                raise ModelError(
                    f"{self._id} finished no response in {seconds} seconds on the GPU: expected at least one. "
                    "Use fewer tokens per response, or a smaller model"
                )
        return [done[place] for place in range(len(conversations))]

    def _order(self, conversations: tuple[Conversation, ...], sampling: Sampling, seconds: int) -> GpuTask:
        return GpuTask(self._ref, self._options, self._gpu.token, conversations, sampling, seconds)

    def _load(self) -> None:
        """Loads the weights into main memory before a GPU is requested, so that no GPU time is spent on it."""
        self._on_progress(WEIGHTS[self._side], 0, 1)
        with _loading:
            hold(self._ref, self._options, self._gpu.token).move("cpu")
        self._on_progress(WEIGHTS[self._side], 1, 1)


class _Loan:
    """Follows the messages of one loan."""

    def __init__(self, places: Sequence[int], on_completion: OnCompletion, on_tokens: OnTokens) -> None:
        self._places = places
        self._on_completion = on_completion
        self._on_tokens = on_tokens
        self._began = time.monotonic()
        self.loading = self.writing = 0.0
        self.answers = 0

    def follow(self, notes: Generator[LoanNote | None]) -> None:
        """Reads messages until the loan ends.

        Raises:
            ModelError: The model cannot be used there.
        """
        with closing(notes):
            for note in notes:
                self._hear(note)
        self.writing = time.monotonic() - self._began

    def _hear(self, note: LoanNote | None) -> None:
        match note:
            case WeightsLoaded(seconds):
                self.loading, self._began = seconds, time.monotonic()
            case AnswerWritten(place, completion):
                self.answers += 1
                self._on_completion(self._places[place], completion)
            case TokensWritten(count):
                self._on_tokens(count)
            case LoanFailed(line):
                raise ModelError(line)
            case None:
                self._on_tokens(0)  # raises if the visitor has left
