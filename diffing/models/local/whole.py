"""Batches through transformers' own `generate`, for models whose memory cannot be cut and joined.

These are state spaces, linear attention, caches shared between layers, and prompt tuning. Rows stay until the last of
their batch has finished. Same stops, same noise, same halving as `slots.py`.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diffing.models.local.decoding import Job, Row, run_with_halving, vacancies
from diffing.models.local.drawing import draw

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class WholeBatches:
    """One batch after another."""

    def __init__(self, model: "PreTrainedModel", job: Job) -> None:
        self._model: Any = model  # its methods are untyped
        self._job = job
        self._rows: list[Row] = []

    def run(self, rows: Sequence[Row]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
        """
        run_with_halving(rows, self._job, self._advance, self._forget)

    def _forget(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def _advance(self, waiting: deque[Row], max_rows: int) -> None:
        self._rows = [waiting.popleft() for _ in range(vacancies([], waiting, self._job, max_rows))]
        for step in zip(*self._generate(self._rows), strict=True):
            if any(row.finish is None for row in self._rows):
                self._job.take(self._rows, step)
        self._rows = []

    def _generate(self, rows: Sequence[Row]) -> list[list[int]]:
        """New tokens per row, all rows as long as the longest; what stands after a row's stop means nothing."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        longest = max(len(row.prompt) for row in rows)
        device = self._model.device
        ids = torch.tensor([[0] * (longest - len(row.prompt)) + row.prompt for row in rows], device=device)
        mask = torch.tensor([[0] * (longest - len(row.prompt)) + [1] * len(row.prompt) for row in rows], device=device)
        config: Any = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=max(row.limit for row in rows),
            do_sample=False,
            eos_token_id=sorted(self._job.stop_ids) or None,
            pad_token_id=0,
        )

        def add_noise(so_far: "torch.Tensor", logits: "torch.Tensor") -> "torch.Tensor":
            """Leaves only the drawn token for `generate`'s argmax to find."""
            step = so_far.shape[1] - longest
            tokens = draw(logits, self._job.sampling, [row.key for row in rows], [step] * len(rows))
            only = torch.full_like(logits, float("-inf"))
            return only.scatter(1, torch.tensor(tokens, device=logits.device)[:, None], 0.0)

        output = self._model.generate(
            inputs=ids, attention_mask=mask, generation_config=config, logits_processor=LogitsProcessorList([add_noise])
        )
        new: list[list[int]] = output[:, longest:].tolist()
        return new
