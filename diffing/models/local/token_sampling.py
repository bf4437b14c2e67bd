"""Chooses the next token, greedily or with reproducible noise from (seed, conversation, sample, step, token) alone.

The noise is a counter-based hash, computed for a whole batch on its device, so there is no generator whose state could
depend on who else is in the batch. It is added in the Gumbel-max way: argmax(logit / T + g), g = -log(-log(u)), is a
draw from the softmax. Of all ways to turn noise into a draw this one forgives most: if the logits move by 1e-6 (another
batch shape rounds differently), the token changes only where the two best sums are that close, while the inverse of a
cumulative sum would be moved by all tokens before.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from diffing.models.base import Sampling
from diffing.types import Conversation

if TYPE_CHECKING:
    import torch

_MASK = 0xFFFFFFFF


def noise_key(conversation: Conversation, sampling: Sampling) -> bytes:
    """32 bytes from (seed, conversation, sample): independent noise for each of them."""
    turns = [[message.role, message.content] for message in conversation]
    text = json.dumps([sampling.seed, sampling.sample, turns], ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


def draw(logits: "torch.Tensor", sampling: Sampling, keys: Sequence[bytes], steps: Sequence[int]) -> list[int]:
    """Chooses the next token of each row.

    Args:
        logits: Shape (rows, vocabulary).
        sampling: Temperature and nucleus.
        keys: `noise_key` per row.
        steps: The number of tokens that each row has written already.

    Returns:
        One token id per row.
    """
    import torch

    if sampling.temperature == 0:
        chosen: list[int] = logits.float().argmax(dim=-1).tolist()
        return chosen
    if logits.device.type == "mps":
        logits = logits.cpu()  # the device has no float64
    scores = logits.to(torch.float64) / sampling.temperature
    seeds = _seeds(keys, steps, scores)
    if sampling.top_p < 1:
        scores = _nucleus(scores, sampling.top_p)
        rows, tokens = torch.nonzero(scores > float("-inf"), as_tuple=True)  # all other tokens are never drawn
        scores[rows, tokens] += _gumbel(seeds[rows], tokens)
    else:
        scores += _gumbel(seeds[:, None], torch.arange(scores.shape[-1], device=scores.device))
    drawn: list[int] = scores.argmax(dim=-1).tolist()
    return drawn


def _nucleus(scores: "torch.Tensor", top_p: float) -> "torch.Tensor":
    """Keeps the smallest set of tokens with a total probability of at least `top_p` (Holtzman et al. 2020).

    Among tokens with equal scores, those with the lowest ids are kept.
    """
    ordered = _descending(scores)
    shares = ordered.softmax(dim=-1)
    outside = (shares.cumsum(dim=-1) - shares) >= top_p
    outside[..., 0] = False
    left = (~outside).sum(dim=-1, keepdim=True)
    lowest = ordered.gather(-1, left - 1)
    equal = scores == lowest
    equal_left = left - (scores > lowest).sum(dim=-1, keepdim=True)
    return scores.masked_fill((scores < lowest) | (equal & (equal.cumsum(dim=-1) > equal_left)), float("-inf"))


def _descending(scores: "torch.Tensor") -> "torch.Tensor":
    """Sorts rows; on the CPU with NumPy, several times faster than torch, which also computes the indices."""
    import torch

    if scores.device.type != "cpu":
        return scores.sort(dim=-1, descending=True).values
    return torch.from_numpy(-np.sort(-scores.numpy(), axis=-1))


def _seeds(keys: Sequence[bytes], steps: Sequence[int], like: "torch.Tensor") -> "torch.Tensor":
    """Makes two 32-bit numbers for each row."""
    import torch

    halves = []
    for key, step in zip(keys, steps, strict=True):
        digest = hashlib.sha256(key + step.to_bytes(8, "big")).digest()
        halves.append((int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")))
    return torch.tensor(halves, dtype=torch.int64, device=like.device)


def _gumbel(seeds: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
    """Makes one number for each token; the last dimension of `seeds` holds the two numbers of a row."""
    import torch

    bits = _mix(_mix(tokens ^ seeds[..., 0]) ^ seeds[..., 1])
    uniform = (bits.to(torch.float64) + 0.5) / 2**32
    return -torch.log(-torch.log(uniform))


def _mix(x: "torch.Tensor") -> "torch.Tensor":
    """The 32-bit mixer `lowbias32` (C. Wellons, hash-prospector) in 64-bit lanes.

    The second factor is 0x846ca68b - 2**32: the same modulo 2**32, and small enough that no product leaves 64 bits.
    """
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & _MASK
    x = x ^ (x >> 15)
    x = (x * (0x846CA68B - 2**32)) & _MASK
    return x ^ (x >> 16)
