"""Decides how many conversations one loan of the GPU answers: first from the model's size, then from measured times."""

from dataclasses import dataclass
from math import ceil

from diffing.costs import RESPONSE_TOKENS
from diffing.estimate import LOCAL_FLOPS
from diffing.models.base import Sampling

LOAN = 60.0
"""Seconds of a normal loan: what ZeroGPU grants by default."""
LONGEST = 100.0
"""Seconds of the longest loan, for models that need so long for a single response."""
SPARE = 6.0
"""Seconds of a loan that cannot be used: a process is forked, CUDA starts, and the last responses are sent."""
_STEP = 0.03
"""Minimum number of seconds for one token of all conversations in a batch, however small the model is."""
_ROWS = 128
"""Number of conversations in a batch on the GPU."""
_MOVED = 1.5e9
"""Bytes of weights per second that reach the GPU from main memory or disk."""
_CAUTION = 1.3
"""Factor by which a chunk may take longer than the last ones suggest."""
_GROWTH = 4
"""Maximum ratio of a chunk's size to the previous one's: a few short responses say little about many."""


@dataclass(slots=True)
class LoanPlanner:
    """The time that one model needs, and the chunk sizes that follow from it."""

    load: float
    """Seconds until its weights are on the GPU."""
    each: float
    """Seconds per conversation."""
    loan: float = LOAN
    """Maximum number of seconds of one loan."""
    last: int | None = None
    """Number of conversations in the last chunk; None before the first."""

    @classmethod
    def of(cls, parameters: int, stored_bytes: int, sampling: Sampling) -> "LoanPlanner":
        """Estimates the times before anything is measured.

        Args:
            parameters: Number of parameters of the model.
            stored_bytes: Size of its weights in bytes.
            sampling: Limits the length of the responses.
        """
        tokens = min(RESPONSE_TOKENS, sampling.max_new_tokens)
        each = tokens * max(2 * parameters / LOCAL_FLOPS["cuda"], _STEP / _ROWS)
        return cls(load=1 + stored_bytes / _MOVED, each=each)

    def chunk(self, waiting: int) -> tuple[int, int]:
        """The number of conversations in the next chunk, and the length of the loan to request."""
        room = max(self.loan - self.load - SPARE, 0.0)
        most = waiting if self.last is None else self.last * _GROWTH
        count = max(1, min(waiting, most, int(room / (self.each * _CAUTION))))
        return count, self.seconds(count)

    def seconds(self, count: int) -> int:
        """The length of the loan to request for a number of conversations."""
        return ceil(min(self.load + SPARE + count * self.each * _CAUTION, self.loan))

    def all_seconds(self, count: int) -> float:
        """The GPU time for a number of conversations, over all chunks."""
        done, total = 0, 0.0
        while done < count:
            size, _ = self.chunk(count - done)
            done += size
            total += self.load + size * self.each
        return total

    def learn(self, load: float, writing: float, answered: int, chunk_size: int) -> None:
        """Updates the estimates with the measured times of the last chunk.

        Args:
            load: Seconds until the weights were on the GPU.
            writing: Seconds of generation.
            answered: Number of conversations that were answered; the loan may have ended before the last one.
            chunk_size: Number of conversations in the chunk.
        """
        self.load = max(load, 0.5)
        self.each = max(writing / max(answered, 0.5), 1e-3)
        self.last = chunk_size

    def lengthen(self) -> bool:
        """Switches to the longest loans after no response was finished; returns False if they are used already."""
        if self.loan >= LONGEST:
            return False
        self.loan = LONGEST
        return True

    def shorten(self, seconds: float) -> bool:
        """Shortens loans to the time that the visitor has left; returns whether a response may be finished in it."""
        self.loan = seconds
        return self.loan > self.load + SPARE + self.each
