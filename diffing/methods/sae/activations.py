"""Reads texts: a cut reader and an encoder in, sparse latents per response out. Knows no file, no cache and no method.

Texts are batched by length up to a number of tokens; of each batch only the responses' tokens reach the encoder,
which keeps one maximum per response and latent. Memory depends on the batch, not on how many texts there are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from diffing.methods.sae.encode import Encoder
from diffing.methods.sae.latent_rows import Latents
from diffing.methods.sae.reader import Reader, pad
from diffing.methods.sae.reader_tokens import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

OnLatents: TypeAlias = Callable[[int, Latents], None]

_BATCH_TOKENS_CPU = 2_048
_BATCH_TOKENS_GPU = 16_384
_POOLED_CPU = 1 << 20
_POOLED_GPU = 1 << 26
"""Values of the maxima of one batch, at most: many short texts would make more of them than of anything else."""
_TRACED_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Sight:
    """A reader with the SAE that reads it."""

    reader: Reader
    """The cut model."""
    encoder: Encoder
    """Pools the latents of several stretches of tokens."""
    sae: Any
    """The SAE of sae-lens, for its device and for single tokens."""
    centred: bool = False
    """The SAE was trained on a residual stream whose mean over its dimensions is 0."""


def read(
    sight: Sight,
    texts: Sequence[Text],
    on_latents: OnLatents,
    *,
    batch_tokens: int | None = None,
    side: Literal["left", "right"] = "right",
) -> None:
    """Reads every text once and tells its latents as soon as they are known, longest texts first.

    Args:
        sight: Who reads.
        texts: What is read.
        on_latents: Told the place of a text among `texts` and its latents.
        batch_tokens: Rows x longest text of one batch, at most; None is what suits the device.
        side: Where shorter texts are filled up; no result depends on it.
    """
    import torch

    if batch_tokens is None:
        batch_tokens = _BATCH_TOKENS_CPU if sight.reader.device.type == "cpu" else _BATCH_TOKENS_GPU
    pooled_values = _POOLED_CPU if sight.reader.device.type == "cpu" else _POOLED_GPU
    for places in batches(texts, batch_tokens, max(pooled_values // sight.sae.cfg.d_sae, 1)):
        rows = [texts[place] for place in places]
        with torch.inference_mode():
            pooled = sight.encoder.pool(_hidden(sight, rows, side), [text.tokens for text in rows])
        for place, latents in zip(places, _sparse(pooled, rows), strict=True):
            on_latents(place, latents)


def trace(sight: Sight, text: Text, features: Sequence[int]) -> "NDArray[Any]":
    """Activations of a few latents at every token of one response: tokens x features."""
    import torch

    with torch.inference_mode():
        hidden = _hidden(sight, [text], "right")
        parts = [
            sight.sae.encode(part).to_dense()[:, list(features)].float().cpu()
            for part in torch.split(hidden, _TRACED_TOKENS)
        ]
    return torch.cat(parts).numpy()


def _hidden(sight: Sight, texts: Sequence[Text], side: Literal["left", "right"]) -> "Tensor":
    import torch

    with torch.inference_mode():
        hidden = sight.reader.hidden(pad(texts, side)).to(sight.sae.device, torch.float32)
        return hidden - hidden.mean(dim=-1, keepdim=True) if sight.centred else hidden


def batches(texts: Sequence[Text], batch_tokens: int, most_rows: int) -> Iterator[list[int]]:
    """Places of texts, longest first, so that the first batch is the one that needs most memory."""
    order = sorted(range(len(texts)), key=lambda place: (-len(texts[place].ids), place))
    batch: list[int] = []
    for place in order:
        if batch and (len(batch) == most_rows or (len(batch) + 1) * len(texts[batch[0]].ids) > batch_tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _sparse(pooled: "Tensor", texts: Sequence[Text]) -> list[Latents]:
    """The rows of one batch share two arrays: many small ones between large passing ones leave memory in holes."""
    import numpy as np

    row, latent = pooled.gt(0).nonzero(as_tuple=True)
    indices = latent.cpu().numpy().astype(np.int32)
    values = pooled[row, latent].float().cpu().numpy().copy()
    ends = np.bincount(row.cpu().numpy(), minlength=len(texts)).cumsum()[:-1]
    parts = zip(np.split(indices, ends), np.split(values, ends), texts, strict=True)
    return [Latents(of_row, strength, text.tokens) for of_row, strength, text in parts]
