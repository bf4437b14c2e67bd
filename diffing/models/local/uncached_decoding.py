"""One conversation at a time, read from its beginning for every token: what a model says by definition, and slowly.

For what `generate` or a memory gets wrong: adapters and models that lose a part of themselves once keys and values are
kept (peft's prefix tuning does beside some releases of transformers), and models that draw numbers while they read:
here these numbers are the same for every token and in every run.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diffing.models.local.decoding import Job, Row, run_with_halving
from diffing.models.local.fixed_noise import fixed_noise

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Afresh:
    """One token after another, each by a forward pass over all tokens before."""

    def __init__(self, model: "PreTrainedModel", job: Job) -> None:
        self._model: Any = model  # its methods are untyped
        self._job = job
        self._rows: list[Row] = []

    def run(self, rows: Sequence[Row]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
            UnusableLogitsError: See there.
        """
        run_with_halving(rows, self._job, self._advance, self._forget)

    def _forget(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def _advance(self, waiting: deque[Row], max_rows: int) -> None:
        import torch

        row = waiting.popleft()
        self._rows = [row]
        with torch.inference_mode():
            while row.finish is None:
                ids = torch.tensor([[*row.prompt, *row.written]], device=self._model.device)
                with fixed_noise(self._model):
                    output = self._model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
                self._job.take(self._rows, output.logits[:, -1])
        self._rows = []
