"""The next-token logits of a second model for the rows that a decoder of a first model runs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diffing.errors import ModelError
from diffing.models.local.cached_rows import CachedRows
from diffing.models.local.decoding import DecodingRow, UnusableLogitsError, check_logits
from diffing.models.local.fixed_noise import fixed_noise
from diffing.models.local.loaded_model import LoadedModel

if TYPE_CHECKING:
    import torch


class ReferenceLogits:
    """Reads along what a first model writes, whatever rows join or leave its batch.

    The second model reads each prompt in its own chat template, and then the tokens that the first model wrote. Where
    its keys and values can be cut and joined they are kept as long as their rows are in the batch; else, it reads each
    row anew for each token.

    Args:
        loaded: The second model.
        prompts: Its tokens of each row's prompt, by the row's index.
    """

    def __init__(self, loaded: LoadedModel, prompts: Mapping[int, list[int]]) -> None:
        self._loaded = loaded
        self._prompts = prompts
        by_slots = loaded.manner.way == "slots" and loaded.manner.alone_beyond is None
        self._cached = CachedRows(loaded.model) if by_slots else None
        self._held: list[DecodingRow] = []
        self._seen: dict[int, int] = {}  # tokens of each held row that have been read

    def of(self, rows: Sequence[DecodingRow]) -> "torch.Tensor":
        """Returns the logits of the next token of each row, shape (rows, vocabulary).

        Args:
            rows: The first model's rows: either those of the last call, without some or with others behind them, or
                others alone.

        Raises:
            ModelError: The second model computes NaN or infinity.
        """
        import torch

        try:
            with torch.inference_mode():
                logits = self._anew(rows) if self._cached is None else self._continued(self._cached, rows)
            check_logits(logits, rows)
        except UnusableLogitsError:
            raise ModelError(
                f"{self._loaded.name} computes no usable numbers (NaN or infinite): load it with dtype float32, or "
                "leave --amplify out."
            ) from None
        except BaseException:  # memory ran out, and what is kept may be incomplete
            self._forget()
            raise
        return logits

    def _continued(self, cached: CachedRows, rows: Sequence[DecodingRow]) -> "torch.Tensor":
        own = [self._own(row) for row in rows]
        places = {row.index: place for place, row in enumerate(self._held)}
        if all(self._goes_on(row) for row in rows):
            self._keep(cached, [places[row.index] for row in rows])
            logits = cached.step(own)
        else:  # new rows come by themselves; after memory ran out, some of them may have been here before
            coming = {row.index for row in rows}
            others = (row.index for row in self._held if row.finish is None and row.index not in coming)
            self._keep(cached, [places[index] for index in others])
            logits = cached.read(own)
            self._held = [*self._held, *rows]
        self._seen.update((row.index, row.length) for row in own)
        return logits

    def _goes_on(self, row: DecodingRow) -> bool:
        """Whether only the last token of a row has not been read; what is read of a finished row does not matter."""
        return row.index in self._seen and (
            row.finish is not None or self._own(row).length == self._seen[row.index] + 1
        )

    def _keep(self, cached: CachedRows, places: Sequence[int]) -> None:
        """Keeps the rows at some places, in this order."""
        if list(places) == list(range(len(self._held))):
            return
        self._held = [self._held[place] for place in places]
        self._seen = {row.index: self._seen[row.index] for row in self._held}
        if not places:
            cached.forget()
            return
        cached.keep(places, columns=max(self._own(row).length for row in self._held) - 1)

    def _forget(self) -> None:
        self._held, self._seen = [], {}
        if self._cached is not None:
            self._cached.forget()

    def _anew(self, rows: Sequence[DecodingRow]) -> "torch.Tensor":
        import torch

        model: Any = self._loaded.model
        found = []
        for row in map(self._own, rows):
            ids = torch.tensor([[*row.prompt, *row.written]], device=model.device)
            with fixed_noise(model):
                output = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
            found.append(output.logits[0, -1])
        return torch.stack(found)

    def _own(self, row: DecodingRow) -> DecodingRow:
        """The row as the second model reads it; it shares the tokens that are written."""
        return DecodingRow(row.index, self._prompts[row.index], row.limit, row.key, row.written)
