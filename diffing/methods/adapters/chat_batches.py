"""Turns chats into batches of token ids for training adapters, in a seeded order that is the same every time.

This module knows no model and no tokenizer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.inside.response_tokens import TokenizedResponse

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor


def anchor(chat: TokenizedResponse) -> int:
    """The index of the last position before the response, at which its first token is predicted."""
    return max(chat.start - 1, 0)


def read_positions(chat: TokenizedResponse) -> int:
    """The number of positions that are read: the anchor and the tokens of the response."""
    return len(chat.ids) - anchor(chat)


@dataclass(frozen=True, slots=True)
class ChatBatch:
    """Chats that are padded on the right, where a causal model's earlier positions do not see the padding."""

    ids: "Tensor"
    """Token ids, chats x length."""
    present: "Tensor"
    """Chats x length: True at tokens, False at padding."""
    read: "Tensor"
    """Chats x length: True at the anchor and at the tokens of the response."""

    def to(self, device: "torch.device") -> "ChatBatch":
        """Returns the batch on another device."""
        return ChatBatch(self.ids.to(device), self.present.to(device), self.read.to(device))


def padded(chats: Sequence[TokenizedResponse]) -> ChatBatch:
    """Pads chats to one batch, in the order given."""
    import torch

    shape = (len(chats), max(len(chat.ids) for chat in chats))
    ids = torch.zeros(shape, dtype=torch.long)
    present, read = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)
    for row, chat in enumerate(chats):
        last = len(chat.ids)
        ids[row, :last] = torch.from_numpy(chat.ids)
        present[row, :last] = True
        read[row, anchor(chat) : last] = True
    return ChatBatch(ids, present, read)


def chats_of_step(chats: Sequence[TokenizedResponse], step: int, per_step: int, seed: int) -> list[TokenizedResponse]:
    """The chats of one training step. Each pass over all chats has an order of its own, drawn from the seed.

    Args:
        chats: All chats.
        step: The number of the step, from 0.
        per_step: Chats per step.
        seed: The seed of the order.
    """
    places = range(step * per_step, (step + 1) * per_step)
    orders = {place // len(chats): _order(len(chats), seed, place // len(chats)) for place in places}
    return [chats[int(orders[place // len(chats)][place % len(chats)])] for place in places]


def _order(count: int, seed: int, number: int) -> "NDArray[np.int64]":
    import numpy as np

    return np.random.default_rng([seed, number]).permutation(count)
