"""`InsidePair`: runs both models over responses and returns the activations of both at the same text positions."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from types import TracebackType
from typing import TYPE_CHECKING, Self

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.aligned_text import WINDOW_TOKENS, AlignedText, align, windows
from diffing.methods.inside.row_store import RowStore
from diffing.methods.inside.side_models import SideModel
from diffing.methods.inside.two_readers import SHARD_ROWS, TwoReaders, Window

if TYPE_CHECKING:
    from torch import Tensor

_SINK = 10.0
"""A position is an attention sink if its norm exceeds the median by this factor."""
_CALIBRATED_ON = 256
"""The number of exchanges on which the median norm is measured."""
_REMEMBERED_TOKENS = 4_000_000
"""The number of tokens of both models together whose alignment is remembered, which takes about 60 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class AlignedRows:
    """One response read by both models: a row for each place at which both have read the same characters."""

    a: "Tensor"
    """Model A's residual stream; rows x width of A, float32, on the CPU."""
    b: "Tensor"
    """Model B's residual stream; rows x width of B, float32, on the CPU."""
    spans: tuple[tuple[int, int], ...]
    """For each row the characters of the response that were read since the row before, as (first, after the last). The
    first row is usually the anchor, the last position before the response, with (0, 0)."""
    positions: tuple[tuple[int, ...], tuple[int, ...]]
    """For A and for B: the positions of the rows among the read positions of that model, where 0 is the anchor and i
    the i-th token of the response. `causal.Edit` takes them."""


class InsidePair:
    """Models A and B, each with its tokenizer, chat format and system prompt, read at one depth.

    Both are in memory at once if they fit; otherwise one reads, then the other. Use it in a `with` statement, or call
    `close`, which frees the memory.
    """

    def __init__(
        self,
        a: SideModel,
        b: SideModel,
        *,
        reserve_bytes: int = 0,
        window_tokens: int = WINDOW_TOKENS,
        shard_rows: int = SHARD_ROWS,
    ) -> None:
        """Takes two opened sides; their weights are loaded when they are first needed.

        Args:
            a: Side A, from `side_models.open_side`.
            b: Side B.
            reserve_bytes: Memory that must stay free beside both models, for what is trained on their activations.
            window_tokens: The number of tokens of both models together that are read at once.
            shard_rows: The number of rows that are written to disk at a time if only one model fits.
        """
        self.sides = (a, b)
        """Sides A and B."""
        self._readers = TwoReaders(a, b, reserve_bytes=reserve_bytes, shard_rows=shard_rows)
        self._window_tokens = window_tokens
        self._limits: tuple[float, float] | None = None
        self._tokens = [0, 0]
        self._partnered = 0
        self._left_out: Counter[str] = Counter()
        self._counted: set[Exchange] = set()
        self._store = RowStore()
        self._remembered: dict[Exchange, AlignedText | UnreadableResponse] = {}
        self._remembered_tokens = 0

    @cached_property
    def identity(self) -> str:
        """A hash of whatever affects a row but its text: both models with their commits, layers and system prompts."""
        parts = [[side.id, side.layer, side.system_prompt] for side in self.sides]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of the residual streams of A and of B."""
        a, b = self.sides
        return a.shape.width, b.shape.width

    @property
    def layers(self) -> tuple[int, int]:
        """The blocks of A and of B whose output is read, counted from 1."""
        a, b = self.sides
        return a.layer, b.layer

    @property
    def same_space(self) -> bool:
        """Whether both models have one architecture, the same shapes and the same tokenizer; loads their tokenizers."""
        a, b = self.sides
        return a.architecture == b.architecture and a.layer == b.layer and a.vocabulary == b.vocabulary

    @property
    def alignment(self) -> tuple[float, float] | None:
        """For A and for B: the share of the response tokens read so far that have a partner; None before reading."""
        a, b = self._tokens
        return (self._partnered / a, self._partnered / b) if a and b else None

    @property
    def left_out(self) -> dict[str, int]:
        """The number of positions of the responses read so far that were left out, by reason."""
        return {reason: number for reason, number in self._left_out.items() if number}

    def calibrate(self, exchanges: Sequence[Exchange]) -> None:
        """Finds, on a sample of train exchanges, the norm above which a position is an attention sink.

        Must be called before `read`. It is 10 times the median norm of each model.

        Raises:
            ModelError: Weights cannot be loaded.
            SettingError: None of the exchanges can be read by both models.
        """
        import torch

        step = max(len(exchanges) // _CALIBRATED_ON, 1)
        aligned = [self.align(exchange) for exchange in exchanges[::step][:_CALIBRATED_ON]]
        norms: tuple[list[Tensor], list[Tensor]] = ([], [])
        for a, b in chain.from_iterable(self.rows(windows(_readable(aligned), self._window_tokens))):
            for own, found in zip((a, b), norms, strict=True):
                found.append(own.float().norm(dim=-1))
        if not norms[0]:
            reasons = [text.reason for text in aligned if isinstance(text, UnreadableResponse)]
            raise SettingError(
                f"None of the train responses can be read by both models (the first is {reasons[0]}): give other "
                "prompts or models"
                if reasons
                else "There are no train responses to read: give more prompts"
            )
        median_a, median_b = (float(torch.cat(found).median()) for found in norms)
        self._limits = (_SINK * median_a, _SINK * median_b)

    def align(self, exchange: Exchange) -> AlignedText | UnreadableResponse:
        """Tokenizes an exchange for both models; their tokenizers are loaded if necessary, no text is run.

        The first exchanges are remembered, because responses are read several times, and chat templates are slow.
        """
        known = self._remembered.get(exchange)
        if known is not None:
            return known
        text = align(self.sides, exchange)
        if exchange.conversation and self._remembered_tokens < _REMEMBERED_TOKENS:
            self._remembered[exchange] = text
            self._remembered_tokens += text.tokens if isinstance(text, AlignedText) else 1
        return text

    def rows(self, texts: Iterable[Window], shard_rows: int | None = None) -> "Iterator[list[tuple[Tensor, Tensor]]]":
        """Reads windows of aligned texts; see `TwoReaders.read`. Attention sinks are among the rows."""
        return self._readers.read(texts, shard_rows)

    def usable(self, a: "Tensor", b: "Tensor") -> "Tensor":
        """Which rows are no attention sink in either model, as booleans.

        Raises:
            ValueError: `calibrate` was not called.
        """
        if self._limits is None:
            raise ValueError("expected a calibrated pair: call `calibrate` with train exchanges first")
        limit_a, limit_b = self._limits
        usable: Tensor = (a.float().norm(dim=-1) <= limit_a) & (b.float().norm(dim=-1) <= limit_b)
        return usable

    def read(self, exchanges: Sequence[Exchange]) -> Iterator[AlignedRows | UnreadableResponse]:
        """Reads exchanges with both models, in order.

        Yields:
            The rows of one exchange, or why one of the models cannot read it.

        Raises:
            HubError: Weights cannot be downloaded.
            ModelError: Weights cannot be loaded, or a model has no blocks that can be found.
            SettingError: A tokenizer does not tell which characters a token covers.
            ValueError: `calibrate` was not called.
        """
        aligned = [self.align(exchange) for exchange in exchanges]
        known = [exchange in self._store for exchange in exchanges]
        missing = (text for text, stored in zip(aligned, known, strict=True) if not stored)
        rows = chain.from_iterable(self.rows(windows(_readable(missing), self._window_tokens)))
        for exchange, text, stored in zip(exchanges, aligned, known, strict=True):
            if isinstance(text, UnreadableResponse):
                yield text
                continue
            a, b = self._store.get(exchange) if stored else next(rows)
            if not stored and not self._readers.side_by_side:
                self._store.put(exchange, a, b)
            yield self._aligned_rows(exchange, text, a, b)

    def _aligned_rows(self, exchange: Exchange, text: AlignedText, a: "Tensor", b: "Tensor") -> AlignedRows:
        usable = self.usable(a, b)
        ends = text.ends.tolist()
        self._count(exchange, text, int((~usable).sum()))
        kept = usable.nonzero().flatten().tolist()
        positions = tuple(
            tuple(int(indices[row]) - own.start + 1 for row in kept)
            for own, indices in zip(text.texts, text.indices, strict=True)
        )
        return AlignedRows(
            a=a[usable].float(),
            b=b[usable].float(),
            spans=tuple((ends[row - 1] if row else 0, ends[row]) for row in kept),
            positions=(positions[0], positions[1]),
        )

    def _count(self, exchange: Exchange, text: AlignedText, sinks: int) -> None:
        if exchange in self._counted:  # responses are read again to show where a feature is active
            return
        self._counted.add(exchange)
        for place, own in enumerate(text.texts):
            self._tokens[place] += own.tokens
        self._partnered += text.partnered
        self._left_out.update({"positions that are attention sinks": sinks, "positions that are BOS tokens": text.bos})

    def close(self) -> None:
        """Frees the memory of both models, and the disk if it was used; the next `read` loads them again."""
        self._store.close()
        self._store = RowStore()
        for side in self.sides:
            side.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _readable(texts: Iterable[AlignedText | UnreadableResponse]) -> Iterator[AlignedText]:
    return (text for text in texts if isinstance(text, AlignedText))
