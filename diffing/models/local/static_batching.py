"""Static batching with transformers' own `generate`, for models whose cache cannot be cut and joined.

These are state spaces, linear attention, caches shared between layers, and prompt tuning. Rows stay until the last row
of their batch has finished. Stop tokens, noise and retries are the same as in `continuous_batching.py`.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diffing.models.local.decoding import DecodingRow, HalvingDecoder, vacancies
from diffing.models.local.fixed_noise import fixed_noise

if TYPE_CHECKING:
    import torch


class StaticBatches(HalvingDecoder):
    """Decodes one fixed batch after another."""

    def _advance(self, waiting: deque[DecodingRow], max_rows: int) -> None:
        self._rows = [waiting.popleft() for _ in range(vacancies([], waiting, self._job, max_rows))]
        # A model may draw numbers for long texts only, which the trial with its short text does not see. The noise is
        # then the same for each answer of a model that answers one conversation at a time.
        with fixed_noise(self._model):
            self._generate(self._rows)
        self._rows = []

    def _generate(self, rows: Sequence[DecodingRow]) -> None:
        """Generates tokens for a batch until all of its rows have finished."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

        # including the tokens written before memory ran out
        known = [row.prompt + row.written for row in rows]
        longest = max(len(tokens) for tokens in known)
        device = self._model.device
        # the token under the padding does not matter; 0 exists in every vocabulary
        ids = torch.tensor([[0] * (longest - len(tokens)) + tokens for tokens in known], device=device)
        mask = torch.tensor([[0] * (longest - len(tokens)) + [1] * len(tokens) for tokens in known], device=device)

        def take(_: "torch.Tensor", logits: "torch.Tensor") -> "torch.Tensor":
            """Masks all tokens except the one that was drawn, so that the argmax of `generate` chooses it."""
            tokens = self._job.take(rows, logits)
            only = torch.full_like(logits, float("-inf"))
            return only.scatter(1, torch.tensor(tokens, device=logits.device)[:, None], 0.0)

        def finished(ids: "torch.Tensor", _: object) -> "torch.Tensor":
            return torch.tensor([row.finish is not None for row in rows], device=ids.device)

        config: Any = GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=max(row.reach - row.length for row in rows), do_sample=False, num_beams=1, pad_token_id=0
        )
        self._model.generate(
            inputs=ids,
            attention_mask=mask,
            generation_config=config,
            logits_processor=LogitsProcessorList([take]),
            stopping_criteria=StoppingCriteriaList([finished]),
        )
