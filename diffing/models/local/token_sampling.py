"""Chooses the next token, greedily or with reproducible noise from (seed, conversation, sample, step, token) alone.

The noise is a counter-based hash, computed for a whole batch on its device, so there is no generator whose state could
depend on who else is in the batch. It is added in the Gumbel-max way: argmax(logit / T + g), g = -log(-log(u)), is a
draw from the softmax. Of all ways to turn noise into a draw this one forgives most: if the logits move by 1e-6 (another
batch shape rounds differently), the token changes only where the two best sums are that close, while the inverse of a
cumulative sum would be moved by all tokens before.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffing.models.base import Sampling
from diffing.types import Conversation

if TYPE_CHECKING:
    import torch

_LIKELIEST = (64, 1024, 4096, 16384)
"""How many of the likeliest tokens are tried before all are sorted; most nuclei have fewer than the first number."""
_AT_ONCE = 2**18
"""Logits that are worked on at once on the CPU; float32 of this many fit into its cache."""
_STRETCHES = 8
"""The likeliest tokens are looked for among the largest logits of this many times as many stretches of the vocabulary.
The more there are, the fewer other tokens are taken with them."""
_ROUNDING = 1e-9
"""A margin for the rounding of sums of probabilities."""
_ROUGHNESS = 1e-3
"""Far more than what rounding to float32 changes in the sum of a score, relative to the best, and its noise."""


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
    if sampling.temperature == 0:
        chosen: list[int] = logits.float().argmax(dim=-1).tolist()
        return chosen
    if logits.device.type == "mps":
        logits = logits.cpu()  # the device has no float64
    logits = logits.float()
    seeds = _seeds(keys, steps, logits)
    if sampling.top_p < 1:
        drawn = _draw_from_nucleus(logits, _Softmax.of(logits, sampling.temperature), sampling, seeds)
    else:
        drawn = _draw_from(_possible_winners(logits, sampling.temperature, seeds), seeds)
    ids: list[int] = drawn.tolist()
    return ids


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Some tokens of each row in the order of their ids, which keeps ties what they are among all tokens."""

    tokens: "torch.Tensor"
    """Their ids, shape (rows, the largest number of tokens of a row); a row with fewer is filled up with token 0."""
    scores: "torch.Tensor"
    """logit / temperature in float64, of the same shape; minus infinity where a row is filled up."""


def _selected(selected: "torch.Tensor", logits: "torch.Tensor", temperature: float) -> _Tokens:
    """Gathers the selected tokens of each row; `selected` has the shape of the logits."""
    import torch

    if selected.device.type == "cpu":
        places = torch.from_numpy(np.flatnonzero(selected.numpy()))  # much faster than torch's
        rows, ids = places // selected.shape[-1], places % selected.shape[-1]
    else:
        rows, ids = torch.nonzero(selected, as_tuple=True)
    counts = torch.bincount(rows, minlength=len(logits))
    columns = torch.arange(len(rows), device=logits.device) - (counts.cumsum(0) - counts)[rows]
    tokens = torch.zeros((len(logits), int(counts.max())), dtype=torch.int64, device=logits.device)
    scores = torch.full(tokens.shape, float("-inf"), dtype=torch.float64, device=logits.device)
    tokens[rows, columns] = ids
    scores[rows, columns] = logits[rows, ids].to(torch.float64) / temperature
    return _Tokens(tokens, scores)


def _possible_winners(logits: "torch.Tensor", temperature: float, seeds: "torch.Tensor") -> _Tokens:
    """Selects the tokens that float32 cannot tell from the best one: only these need float64."""
    import torch

    tokens = torch.arange(logits.shape[-1], dtype=torch.int32, device=logits.device)

    def near_the_best(part: "torch.Tensor", its_seeds: "torch.Tensor") -> "torch.Tensor":
        rough = (part - part.amax(dim=-1, keepdim=True)).div_(temperature) + _rough_gumbel(its_seeds[:, None], tokens)
        return rough >= rough.amax(dim=-1, keepdim=True) - _ROUGHNESS

    return _selected(_in_parts(near_the_best, logits, seeds), logits, temperature)


def _draw_from(some: _Tokens, seeds: "torch.Tensor") -> "torch.Tensor":
    """Draws one of each row's tokens, shape (rows)."""
    best = (some.scores + _gumbel(seeds[:, None], some.tokens)).argmax(dim=-1, keepdim=True)
    return some.tokens.gather(-1, best).flatten()


@dataclass(frozen=True, slots=True)
class _Softmax:
    """What turns the scores of each row into probabilities, exp(score - top) / total."""

    top: "torch.Tensor"
    """The largest score (logit / temperature) of each row in float64, shape (rows, 1)."""
    total: "torch.Tensor"
    """The sum of exp(score - top) over the vocabulary, of the same shape and type."""

    @classmethod
    def of(cls, logits: "torch.Tensor", temperature: float) -> "_Softmax":
        """Sums over all logits of each row."""
        top = logits.amax(dim=-1, keepdim=True)
        return cls(top.double() / temperature, _total(logits, top, temperature))

    def at(self, rows: "torch.Tensor") -> "_Softmax":
        """The same of some rows."""
        return _Softmax(self.top[rows], self.total[rows])


def _draw_from_nucleus(
    logits: "torch.Tensor",
    softmax: _Softmax,
    sampling: Sampling,
    seeds: "torch.Tensor",
    likeliest: Sequence[int] = _LIKELIEST,
) -> "torch.Tensor":
    """Draws from the smallest set of tokens with a total probability of at least `top_p` (Holtzman et al. 2020).

    Among tokens with equal scores, those with the lowest ids belong to it. Only the likeliest tokens are sorted; the
    rows in which these have too little of the probability try more of them.
    """
    everything = logits.shape[-1]
    count = min(likeliest[0], everything) if likeliest else everything
    likely = _selected(logits >= _at_most_of_rank(logits, count), logits, sampling.temperature)
    ordered = _descending(likely.scores)
    shares = (ordered - softmax.top).exp() / softmax.total
    before = shares.cumsum(dim=-1) - shares
    outside = before >= sampling.top_p
    outside[..., 0] = False
    left = (~outside).sum(dim=-1, keepdim=True)
    lowest = ordered.gather(-1, left - 1)
    equal = likely.scores == lowest
    equal_left = left - (likely.scores > lowest).sum(dim=-1, keepdim=True)
    dropped = (likely.scores < lowest) | (equal & (equal.cumsum(dim=-1) > equal_left))
    drawn = _draw_from(_Tokens(likely.tokens, likely.scores.masked_fill(dropped, float("-inf"))), seeds)
    unsure = before[:, -1] < sampling.top_p + _ROUNDING
    if count < everything and bool(unsure.any()):
        rest = logits[unsure], softmax.at(unsure), sampling, seeds[unsure]
        drawn[unsure] = _draw_from_nucleus(*rest, likeliest[1:])
    return drawn


def _total(logits: "torch.Tensor", top: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """Sums exp((logit - top) / temperature) over the vocabulary in float64, shape (rows, 1)."""

    def total(part: "torch.Tensor", its_top: "torch.Tensor") -> "torch.Tensor":
        return part.double().sub_(its_top.double()).div_(temperature).exp_().sum(dim=-1, keepdim=True)

    return _in_parts(total, logits, top)


def _in_parts(
    function: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]", logits: "torch.Tensor", other: "torch.Tensor"
) -> "torch.Tensor":
    """Calls a function of two tensors; on the CPU with few rows at a time, which stay in the processor's cache."""
    import torch

    rows = max(1, _AT_ONCE // logits.shape[-1]) if logits.device.type == "cpu" else len(logits)
    parts = [function(logits[i : i + rows], other[i : i + rows]) for i in range(0, len(logits), rows)]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _at_most_of_rank(logits: "torch.Tensor", rank: int) -> "torch.Tensor":
    """Returns for each row a number that at least `rank` logits reach, and few more, shape (rows, 1).

    On the CPU it is the number of this rank among the largest logits of many short stretches of the vocabulary, which
    costs a fraction of sorting or dividing all logits.
    """
    import torch

    if logits.device.type != "cpu":
        return logits.topk(rank, dim=-1).values[:, -1:]
    length = max(1, logits.shape[-1] // (_STRETCHES * rank))
    stretches = logits.shape[-1] // length
    parts = logits[:, : stretches * length].reshape(len(logits), stretches, length)
    largest = parts.amax(dim=-1).numpy()
    return torch.from_numpy(np.partition(largest, -rank, axis=-1)[:, -rank, None].copy())


def _descending(scores: "torch.Tensor") -> "torch.Tensor":
    """Sorts rows; on the CPU with NumPy, several times faster than torch, which also computes the indices."""
    import torch

    if scores.device.type != "cpu":
        return scores.sort(dim=-1, descending=True).values
    return torch.from_numpy(-np.sort(-scores.numpy(), axis=-1))


def _seeds(keys: Sequence[bytes], steps: Sequence[int], like: "torch.Tensor") -> "torch.Tensor":
    """Makes two 32-bit numbers for each row."""
    import torch

    digests = (hashlib.sha256(key + step.to_bytes(8, "big")).digest() for key, step in zip(keys, steps, strict=True))
    halves = np.array([np.frombuffer(digest, ">i4", 2) for digest in digests], dtype=np.int32)
    return torch.from_numpy(halves).to(like.device)


def _gumbel(seeds: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
    """Makes one number in float64 for each token; the last dimension of `seeds` holds the two numbers of a row."""
    import torch

    bits = _bits(seeds, tokens.to(torch.int32)).to(torch.int64) & 0xFFFFFFFF
    uniform = (bits.to(torch.float64) + 0.5) / 2**32
    return -torch.log(-torch.log(uniform))


def _rough_gumbel(seeds: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
    """Makes the same numbers in float32, from 1 - u, which keeps its precision where the noise is large."""
    import torch

    others = (~_bits(seeds, tokens)).float()
    others = torch.where(others < 0, others + 2**32, others)
    return others.add_(0.5).div_(-(2**32)).log1p_().neg_().log_().neg_()


def _bits(seeds: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
    """Makes 32 bits for each token, as int32."""
    return _mix(_mix(tokens ^ seeds[..., 0]) ^ seeds[..., 1])


def _mix(x: "torch.Tensor") -> "torch.Tensor":
    """The 32-bit mixer `lowbias32` (C. Wellons, hash-prospector) in int32, whose products wrap.

    The second factor is 0x846ca68b - 2**32, which is the same modulo 2**32. Shifts of negative numbers draw in ones,
    which the masks remove.
    """
    x = x ^ (x >> 16).bitwise_and_(0xFFFF)
    x.mul_(0x7FEB352D)
    x.bitwise_xor_((x >> 15).bitwise_and_(0x1FFFF))
    x.mul_(0x846CA68B - 2**32)
    return x.bitwise_xor_((x >> 16).bitwise_and_(0xFFFF))
