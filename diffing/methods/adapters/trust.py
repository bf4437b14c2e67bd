"""Measures how much of what fine-tuning changed the trained adapters recover, on texts kept out of their training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.adapters.chat_batches import ChatBatch, padded
from diffing.methods.adapters.divergence import each_divergence
from diffing.methods.adapters.hybrid import ForwardPass, Hybrid
from diffing.methods.adapters.training import stream_errors
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.inside.text_batches import by_length

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class AdaptersTrust:
    """The figures that tell how far a hybrid's features can be relied on."""

    positions: int
    """The number of read positions."""
    base: float
    """KL(tuned || base), the mean over read positions, in nats."""
    without_branches: float
    """KL(tuned || hybrid without branches): what tuning changed in the MLPs."""
    hybrid: float
    """KL(tuned || hybrid)."""
    active: tuple[float, ...]
    """For each block, the mean number of features active at a read position (L0)."""
    dead: float
    """The share of features that are active at no read position."""
    stream_errors: tuple[float, ...]
    """For each block, the relative squared error of the residual stream leaving it, mean over tokens."""

    @property
    def recovered(self) -> float | None:
        """The share of the change that the hybrid recovers; None if the base equals the tuned model."""
        return _recovered(self.hybrid, self.base)

    @property
    def recovered_of_mlps(self) -> float | None:
        """The same of what tuning changed in the MLPs; None if it changed nothing there."""
        return _recovered(self.hybrid, self.without_branches)

    @property
    def outside_mlps(self) -> float | None:
        """The share of the change that the hybrid without branches shows already; None if nothing changed."""
        return _recovered(self.without_branches, self.base)


def _recovered(left: float, of: float) -> float | None:
    return 1 - left / of if of > 0 else None


def measure_trust(hybrid: Hybrid, chats: Sequence[TokenizedResponse], batch_tokens: int = 8192) -> AdaptersTrust:
    """Measures the figures on chats.

    Args:
        hybrid: The hybrid.
        chats: Chats that the branches were not trained on, both sides'.
        batch_tokens: The largest number of tokens with padding that run at a time.

    Raises:
        ValueError: There are no chats.
    """
    import torch

    if not chats:
        raise ValueError("expected chats to measure on, got none")
    sums = _Sums.zeros(hybrid)
    with torch.no_grad():
        for group in by_length(chats, batch_tokens, len(chats)):
            sums.add(hybrid, padded([chats[index] for index in group]).to(hybrid.device))
    return sums.trust()


@dataclass(slots=True)
class _Sums:
    """Sums over positions and tokens, from which the figures follow."""

    positions: int
    tokens: int
    divergences: list[float]
    active: list[float]
    seen: "list[Tensor]"
    errors: list[float]

    @classmethod
    def zeros(cls, hybrid: Hybrid) -> "_Sums":
        import torch

        seen = [torch.zeros(branch.c.shape[0], dtype=torch.bool) for branch in hybrid.branches.blocks]
        return cls(0, 0, [0.0] * 3, [0.0] * hybrid.depth, seen, [0.0] * hybrid.depth)

    def add(self, hybrid: Hybrid, batch: ChatBatch) -> None:
        self.positions += int(batch.read.sum())
        self.tokens += int(batch.present.sum())
        tuned = hybrid.run(batch, hybrid.uniform("tuned"))
        adapted = hybrid.run(batch, hybrid.uniform("adapted"))
        bare = hybrid.run(batch, hybrid.uniform("base")).log_probabilities
        for i, other in enumerate((hybrid.run_base(batch), bare, adapted.log_probabilities)):
            there = other.to(tuned.log_probabilities.device)
            self.divergences[i] += float(each_divergence(tuned.log_probabilities, there).double().sum())
        self._count(batch, tuned, adapted)

    def _count(self, batch: ChatBatch, tuned: ForwardPass, adapted: ForwardPass) -> None:
        for block, features in adapted.features.items():
            active = (features[batch.read.to(features.device)] > 0).cpu()
            self.active[block] += float(active.sum())
            self.seen[block] |= active.any(dim=0)
            errors = stream_errors(adapted.leaving[block], tuned.leaving[block], batch.present)
            self.errors[block] += float(errors.double().sum())

    def trust(self) -> AdaptersTrust:
        base, bare, hybrid = (max(each / self.positions, 0.0) for each in self.divergences)
        features = sum(len(seen) for seen in self.seen)
        return AdaptersTrust(
            self.positions,
            base,
            bare,
            hybrid,
            tuple(each / self.positions for each in self.active),
            1 - sum(int(seen.sum()) for seen in self.seen) / features,
            tuple(each / self.tokens for each in self.errors),
        )
