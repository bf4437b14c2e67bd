"""Runs the reader model and the SAE encoder on batches of texts and returns each response's sparse latents.

Texts are batched by length up to a number of tokens. Only the tokens of responses reach the encoder, which keeps one
maximum per response and latent. The memory needed depends on the batch size and not on the number of texts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from diffing.methods.features.sparse_latents import Latents
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.inside.text_batches import by_length, pad
from diffing.methods.sae.encode import SaeEncoder
from diffing.methods.sae.reader import CutReader
from diffing.models.process_group import ProcessGroup

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

OnLatents: TypeAlias = Callable[[int, Latents], None]

_BATCH_TOKENS_CPU = 2_048
_BATCH_TOKENS_GPU = 16_384
_POOLED_CPU = 1 << 20
_POOLED_GPU = 1 << 26
"""The largest number of maxima (texts x latents) of one batch: many short texts would need the most memory."""
_TRACED_TOKENS = 128


@dataclass(frozen=True, slots=True)
class SaeReader:
    """A loaded reader model with the SAE that reads its activations."""

    reader: CutReader
    """The model, cut after the layer that is read."""
    encoder: SaeEncoder
    """Computes the maximum of every latent over spans of tokens."""
    sae: Any
    """The SAE of sae-lens, which gives the device and the latents of single tokens."""
    centred: bool = False
    """Whether the SAE was trained on a residual stream from which the mean over the dimensions was subtracted."""


def read(
    sae_reader: SaeReader,
    texts: Sequence[TokenizedResponse],
    on_latents: OnLatents,
    *,
    batch_tokens: int | None = None,
    side: Literal["left", "right"] = "right",
    group: ProcessGroup | None = None,
) -> None:
    """Reads every text once, the longest first, and reports the latents of each text as soon as they are known.

    Args:
        sae_reader: The reader and the SAE.
        texts: The tokenized texts.
        on_latents: Called with the index of a text in `texts` and its latents.
        batch_tokens: The largest size of a batch, as texts x tokens of the longest; None chooses it by the device.
        side: The side on which shorter texts are padded; it does not affect the result.
        group: The processes that share the reading, each of which reads every n-th batch; None reads all.
    """
    import torch

    if batch_tokens is None:
        batch_tokens = _BATCH_TOKENS_CPU if sae_reader.reader.device.type == "cpu" else _BATCH_TOKENS_GPU
    pooled_values = _POOLED_CPU if sae_reader.reader.device.type == "cpu" else _POOLED_GPU
    planned = list(by_length(texts, batch_tokens, max(pooled_values // sae_reader.sae.cfg.d_sae, 1)))
    for number in group.share(planned) if group else range(len(planned)):
        places = planned[number]
        rows = [texts[place] for place in places]
        with torch.inference_mode():
            pooled = sae_reader.encoder.pool(_hidden(sae_reader, rows, side), [text.tokens for text in rows])
        for place, latents in zip(places, _sparse(pooled, rows), strict=True):
            on_latents(place, latents)


def trace(sae_reader: SaeReader, text: TokenizedResponse, features: Sequence[int]) -> "NDArray[Any]":
    """Returns the activations of a few latents at every token of one response, as tokens x features."""
    import torch

    with torch.inference_mode():
        hidden = _hidden(sae_reader, [text], "right")
        parts = [
            sae_reader.sae.encode(part).to_dense()[:, list(features)].float().cpu()
            for part in torch.split(hidden, _TRACED_TOKENS)
        ]
    return torch.cat(parts).numpy()


def _hidden(sae_reader: SaeReader, texts: Sequence[TokenizedResponse], side: Literal["left", "right"]) -> "Tensor":
    import torch

    with torch.inference_mode():
        hidden = sae_reader.reader.hidden(pad(texts, side)).to(sae_reader.sae.device, torch.float32)
        return hidden - hidden.mean(dim=-1, keepdim=True) if sae_reader.centred else hidden


def _sparse(pooled: "Tensor", texts: Sequence[TokenizedResponse]) -> list[Latents]:
    """Makes the sparse latents of a batch as views of two shared arrays; many small arrays would fragment memory."""
    import numpy as np

    row, latent = pooled.gt(0).nonzero(as_tuple=True)
    indices = latent.cpu().numpy().astype(np.int32)
    values = pooled[row, latent].float().cpu().numpy().copy()
    ends = np.bincount(row.cpu().numpy(), minlength=len(texts)).cumsum()[:-1]
    parts = zip(np.split(indices, ends), np.split(values, ends), texts, strict=True)
    return [Latents(of_row, strength, text.tokens) for of_row, strength, text in parts]
