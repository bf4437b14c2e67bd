"""Computes the largest activation of every SAE latent over each response without storing a tokens x latents matrix.

In standard, JumpReLU (also used for saved BatchTopK and Matryoshka SAEs) and gated SAEs, a latent's activation is a
non-decreasing function of its pre-activation alone. So the maximum over tokens is taken of the pre-activations, and the
function is applied once afterwards. TopK compares all latents of a token, so its k winners per token are collected.
Any other architecture uses its own `encode`, in chunks of tokens.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

_TILE_TOKENS = 512
_TILE_LATENTS = 2048
"""On a CPU, a tile of the matrix product is small enough to stay in the cache until its maximum is taken."""
_CHUNK_VALUES = 1 << 26
"""On a GPU, the largest number of values in a chunk of the matrix product (256 MB)."""


class SaeEncoder(Protocol):
    """An SAE's encoder that computes maxima over spans of tokens."""

    def pool(self, x: "Tensor", counts: Sequence[int]) -> "Tensor":
        """Returns the largest activation of every latent in each of several spans of tokens.

        Args:
            x: The reader's activations, tokens x d_in, one span after the other.
            counts: The number of tokens of each span; may be 0.

        Returns:
            Spans x d_sae, float32, on the encoder's device; 0 if a latent is not active.
        """


def encoder_for(sae: Any) -> SaeEncoder:  # noqa: ANN401 - sae-lens ships no types that mypy reads
    """Makes the encoder of a sae-lens SAE; drops the decoder if it is not needed, which halves the memory."""
    kinds: dict[str, type[_Monotone] | type[_TopK]] = {
        "standard": _Standard,
        "jumprelu": _JumpReLU,
        "gated": _Gated,
        "topk": _TopK,
    }
    kind = kinds.get(sae.cfg.architecture())
    if kind is None:
        return _Generic(sae)
    encoder = kind(sae)
    if not getattr(sae.cfg, "rescale_acts_by_decoder_norm", False):
        _drop_decoder(sae)
    return encoder


def _drop_decoder(sae: Any) -> None:  # noqa: ANN401
    import torch

    sae.W_dec = torch.nn.Parameter(torch.empty(0), requires_grad=False)


def _starts(counts: Sequence[int]) -> list[tuple[int, int, int]]:
    """Lists (span, start, end) for every span that is not empty."""
    spans, start = [], 0
    for index, count in enumerate(counts):
        if count:
            spans.append((index, start, start + count))
        start += count
    return spans


def _within(spans: Sequence[tuple[int, int, int]], low: int, high: int) -> list[tuple[int, int, int]]:
    """Clips spans to the tokens between two positions, and counts positions from the first of these."""
    return [(i, max(s, low) - low, min(e, high) - low) for i, s, e in spans if s < high and e > low]


class _Monotone(ABC):
    """Takes the maximum of the pre-activations, then applies the activation function once."""

    def __init__(self, sae: Any) -> None:  # noqa: ANN401
        self._sae = sae
        self._w: Tensor = sae.W_enc.detach()

    def pool(self, x: "Tensor", counts: Sequence[int]) -> "Tensor":
        import torch

        x = self._sae.process_sae_in(x)
        d_sae = self._w.shape[1]
        spans = _starts(counts)
        best = torch.full((len(counts), d_sae), -torch.inf, device=x.device)
        cpu = x.device.type == "cpu"
        wide = _TILE_LATENTS if cpu else d_sae
        tall = _TILE_TOKENS if cpu else max(_CHUNK_VALUES // d_sae, 1)
        buffer = torch.empty(min(tall, len(x)) * min(wide, d_sae), device=x.device)
        for left in range(0, d_sae, wide):
            w = self._w[:, left : left + wide]
            for top in range(0, len(x), tall):
                rows = x[top : top + tall]
                product = buffer[: len(rows) * w.shape[1]].view(len(rows), w.shape[1])
                torch.mm(rows, w, out=product)
                for index, start, end in _within(spans, top, top + len(rows)):
                    target = best[index, left : left + wide]
                    torch.maximum(target, product[start:end].amax(dim=0), out=target)
        empty = [index for index, count in enumerate(counts) if not count]
        activations = self._activate(best)
        activations[empty] = 0
        return activations

    @abstractmethod
    def _activate(self, best: "Tensor") -> "Tensor":
        """Turns the largest pre-activations into activations, in place; empty spans (-inf) are corrected afterwards."""


class _Standard(_Monotone):
    def _activate(self, best: "Tensor") -> "Tensor":
        return best.add_(self._sae.b_enc).relu_()


class _JumpReLU(_Monotone):
    def _activate(self, best: "Tensor") -> "Tensor":
        pre = best.add_(self._sae.b_enc)
        above = pre > self._sae.threshold
        return pre.relu_().mul_(above)


class _Gated(_Monotone):
    def _activate(self, best: "Tensor") -> "Tensor":
        # the magnitude's weights are the gate's, scaled by exp(r) > 0, so both use the same matrix product
        is_open = best > -self._sae.b_gate
        return best.mul_(self._sae.r_mag.exp()).add_(self._sae.b_mag).relu_().mul_(is_open)


class _TopK:
    def __init__(self, sae: Any) -> None:  # noqa: ANN401
        self._sae = sae
        self._w: Tensor = sae.W_enc.detach()
        self._scale: Tensor | None = sae.W_dec.detach().norm(dim=-1) if sae.cfg.rescale_acts_by_decoder_norm else None

    def pool(self, x: "Tensor", counts: Sequence[int]) -> "Tensor":
        import torch

        x = self._sae.process_sae_in(x)
        d_sae = self._w.shape[1]
        spans = _starts(counts)
        best = torch.zeros(len(counts), d_sae, device=x.device)
        tall = _TILE_TOKENS if x.device.type == "cpu" else max(_CHUNK_VALUES // d_sae, 1)
        for top in range(0, len(x), tall):
            rows = x[top : top + tall]
            pre = torch.addmm(self._sae.b_enc, rows, self._w)
            if self._scale is not None:
                pre *= self._scale
            values, indices = pre.topk(self._sae.cfg.k, dim=-1, sorted=False)
            values.relu_()
            for index, start, end in _within(spans, top, top + len(rows)):
                best[index].scatter_reduce_(0, indices[start:end].flatten(), values[start:end].flatten(), "amax")
        return best


class _Generic:
    """An encoder for any architecture whose latents depend on a single token."""

    def __init__(self, sae: Any) -> None:  # noqa: ANN401
        self._sae = sae

    def pool(self, x: "Tensor", counts: Sequence[int]) -> "Tensor":
        import torch

        d_sae = self._sae.cfg.d_sae
        spans = _starts(counts)
        best = torch.zeros(len(counts), d_sae, device=x.device)
        tall = _TILE_TOKENS if x.device.type == "cpu" else max(_CHUNK_VALUES // d_sae, 1)
        for top in range(0, len(x), tall):
            activations = self._sae.encode(x[top : top + tall]).to_dense().float()
            for index, start, end in _within(spans, top, top + len(activations)):
                torch.maximum(best[index], activations[start:end].amax(dim=0), out=best[index])
        return best
