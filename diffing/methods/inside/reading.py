"""`InsidePair` opens both models of a run and reads responses with both: a row per place that both have read up to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from diffing.methods.inside.opening import SideModel
from diffing.methods.exchanges import Exchange, UnreadableResponse

if TYPE_CHECKING:
    from torch import Tensor


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

    def __init__(self, a: SideModel, b: SideModel, *, reserve_bytes: int = 0) -> None:
        """Takes two opened sides; their weights are loaded when they are first needed.

        Args:
            a: Side A, from `opening.open_side`.
            b: Side B.
            reserve_bytes: Memory that must stay free beside both models, for what is trained on their activations.
        """

    @property
    def identity(self) -> str:
        """Both models' ids with their commits, system prompts and layers; whatever affects a row but the texts."""

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of the residual streams of A and of B."""

    @property
    def layers(self) -> tuple[int, int]:
        """The blocks of A and of B whose output is read, counted from 1."""

    @property
    def same_space(self) -> bool:
        """Whether both models have one architecture, the same shapes and the same tokenizer."""

    @property
    def alignment(self) -> tuple[float, float] | None:
        """For A and for B: the share of the response tokens read so far that have a partner; None before reading."""

    @property
    def left_out(self) -> dict[str, int]:
        """The number of positions of the responses read so far that were left out, by reason."""

    def calibrate(self, exchanges: Sequence[Exchange]) -> None:
        """Finds, on a sample of train exchanges, the norm above which a position is an attention sink.

        Must be called before `read`. It is 10 times the median norm of each model.
        """

    def read(self, exchanges: Sequence[Exchange]) -> Iterator[AlignedRows | UnreadableResponse]:
        """Reads exchanges with both models, in order.

        Yields:
            The rows of one exchange, or why one of the models cannot read it.

        Raises:
            HubError: Weights cannot be downloaded.
            ModelError: Weights cannot be loaded, or a model has no blocks that can be found.
            SettingError: A tokenizer does not tell which characters a token covers.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Frees the memory of both models; the next `read` loads them again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
