"""From what the hook gives to the strongest activation of every latent; no matrix of tokens x latents is kept.

Where an architecture's activation is, for each latent alone, a non-decreasing function of the encoder's product, the
maximum over tokens is taken of the product and the function applied once afterwards: standard, JumpReLU (which is
also how BatchTopK and Matryoshka SAEs are saved) and gated SAEs. TopK looks at all latents of a token at once, so its
k winners per token are gathered. Any other architecture goes through its own `encode`, in chunks of tokens.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

_TILE_TOKENS = 512
_TILE_LATENTS = 2048
"""On a CPU a tile of the product stays in the cache until its maximum is taken."""
_CHUNK_VALUES = 1 << 26
"""On an accelerator a chunk of the product may hold this many values (256 MB)."""


class Encoder(Protocol):
    """An SAE's encoder."""

    def pool(self, x: "Tensor", counts: Sequence[int]) -> "Tensor":
        """The largest activation of every latent in each of several stretches of tokens.

        Args:
            x: What the hook gave, tokens x d_in, the stretches one after the other.
            counts: Tokens of each stretch; may be 0.

        Returns:
            Stretches x d_sae, float32, on the encoder's device; 0 where a latent is not active.
        """


def encoder_for(sae: Any) -> Encoder:  # noqa: ANN401 - sae-lens ships no types that mypy reads
    """The encoder of an SAE of sae-lens; its decoder is dropped where it is not needed, which halves the memory."""
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
    """(stretch, start, end) of every stretch that is not empty."""
    spans, start = [], 0
    for index, count in enumerate(counts):
        if count:
            spans.append((index, start, start + count))
        start += count
    return spans


def _within(spans: Sequence[tuple[int, int, int]], low: int, high: int) -> list[tuple[int, int, int]]:
    """The parts of the stretches between two tokens, counted from the first."""
    return [(i, max(s, low) - low, min(e, high) - low) for i, s, e in spans if s < high and e > low]


class _Monotone(ABC):
    """Pools the product, then applies the activation once."""

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
        """The activations from the largest products, in place; empty stretches (-inf) are put right afterwards."""


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
        # the magnitude's weights are the gate's, scaled by exp(r) > 0, so one product serves both
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
    """Any architecture whose latents depend on one token alone."""

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
