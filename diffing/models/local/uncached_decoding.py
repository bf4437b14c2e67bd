"""Decodes one conversation at a time without a cache, reading all tokens again for each new one: slow but exact.

This is for models that `generate` or a cache gets wrong: adapters that lose an effect once keys and values are cached
(as PEFT's prefix tuning does with some releases of transformers), and models that draw random numbers in their forward
pass, which are the same here for every token and in every run.
"""

from collections import deque

from diffing.models.local.decoding import DecodingRow, HalvingDecoder
from diffing.models.local.fixed_noise import fixed_noise


class UncachedDecoder(HalvingDecoder):
    """Generates one token after another, each with a forward pass over all previous tokens."""

    def _advance(self, waiting: deque[DecodingRow], max_rows: int) -> None:
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
