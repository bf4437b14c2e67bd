"""How many conversations fit into one loan of the GPU: estimated from the model's size, then from what was measured."""

from dataclasses import dataclass
from math import ceil

from diffing.costs import RESPONSE_TOKENS
from diffing.estimate import LOCAL_FLOPS
from diffing.models.base import Sampling

LOAN = 60.0
"""Seconds of one loan: what ZeroGPU grants without a question."""
LONGEST = 100.0
"""Seconds of a loan where one answer takes so long."""
SPARE = 6.0
"""Seconds of a loan that are not ours: a process is forked, CUDA begins, the last answers are sent."""
_STEP = 0.03
"""Seconds of one token of all conversations that are written side by side, however small the model."""
_ROWS = 128
"""Conversations side by side on a GPU."""
_MOVED = 1.5e9
"""Bytes of weights a second that reach the GPU, from main memory or else from the disk."""
_CAUTION = 1.3
"""A chunk may take so much longer than the last ones let expect."""
_GROWTH = 4
"""A chunk holds at most so many times more than the one before: a few short answers are no measure of many."""


@dataclass(slots=True)
class Pace:
    """What one model needs."""

    load: float
    """Seconds until its weights are on the GPU."""
    each: float
    """Seconds per conversation."""
    loan: float = LOAN
    """Seconds of one loan, at most."""
    last: int | None = None
    """Conversations of the last chunk; None before the first."""

    @classmethod
    def of(cls, parameters: int, stored_bytes: int, sampling: Sampling) -> "Pace":
        """What can be said before anything was measured.

        Args:
            parameters: Of the model.
            stored_bytes: Of its weights.
            sampling: How long its answers may become.
        """
        tokens = min(RESPONSE_TOKENS, sampling.max_new_tokens)
        each = tokens * max(2 * parameters / LOCAL_FLOPS["cuda"], _STEP / _ROWS)
        return cls(load=1 + stored_bytes / _MOVED, each=each)

    def chunk(self, waiting: int) -> tuple[int, int]:
        """How many of the conversations that wait are next, and for how many seconds the GPU is asked."""
        room = max(self.loan - self.load - SPARE, 0.0)
        most = waiting if self.last is None else self.last * _GROWTH
        count = max(1, min(waiting, most, int(room / (self.each * _CAUTION))))
        return count, self.seconds(count)

    def seconds(self, count: int) -> int:
        """For how long the GPU is asked for so many conversations."""
        return ceil(min(self.load + SPARE + count * self.each * _CAUTION, self.loan))

    def all_seconds(self, count: int) -> float:
        """GPU time for so many conversations in as many chunks as they need."""
        done, total = 0, 0.0
        while done < count:
            size, _ = self.chunk(count - done)
            done += size
            total += self.load + size * self.each
        return total

    def learn(self, load: float, writing: float, answered: int, asked: int) -> None:
        """What the last chunk really took.

        Args:
            load: Seconds until the weights were on the GPU.
            writing: Seconds that it wrote.
            answered: Conversations that were answered; the time may have ended before the last.
            asked: Conversations of the chunk.
        """
        self.load = max(load, 0.5)
        self.each = max(writing / max(answered, 0.5), 1e-3)
        self.last = asked

    def lengthen(self) -> bool:
        """Where not even one answer was finished: asks for longer; says whether that was still possible."""
        if self.loan >= LONGEST:
            return False
        self.loan = LONGEST
        return True

    def shorten(self, seconds: float) -> bool:
        """Where only so much time is left to the visitor: says whether an answer may be finished in it."""
        self.loan = seconds
        return self.loan > self.load + SPARE + self.each
