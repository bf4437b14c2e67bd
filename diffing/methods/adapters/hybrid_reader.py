"""Reads responses with a tuned model and its adapters: which features are active, how strongly, at which tokens.

Features are read at the anchor (the last position before the response) and at the response's tokens. Positions whose
residual stream is far longer than is usual, attention sinks, are left out and counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diffing.methods.adapters.branches import AdapterBranches
from diffing.methods.adapters.chat_batches import ChatBatch, padded
from diffing.methods.adapters.hybrid import ForwardPass, Hybrid
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.active_tokens import Token
from diffing.methods.features.sparse_latents import Latents
from diffing.methods.inside.response_tokens import ResponseTokenizer, TokenizedResponse
from diffing.methods.inside.text_batches import by_length
from diffing.models.surrogates import without_surrogates

if TYPE_CHECKING:
    from torch import Tensor

_SINK = 10.0
"""A position is an attention sink if its norm exceeds the median by this factor."""
_CALIBRATED_ON = 256
"""The number of chats on which the median norm is measured."""


@dataclass(slots=True)
class HybridReader:
    """A hybrid with the tuned model's tokenizer, chat format and system prompt."""

    branches: AdapterBranches
    """The branches as they were last let go of; `hybrid` has the present ones."""
    load: Callable[[AdapterBranches], Hybrid]
    """Loads both models and joins them with branches."""
    tokens: ResponseTokenizer
    """The tuned model's tokenizer with its chat format."""
    system_prompt: str | None = None
    """The tuned model's system prompt, which is a part of every context."""
    batch_tokens: int = 8192
    """The largest number of tokens with padding that run at a time."""
    sinks: int = field(default=0, init=False)
    """The number of positions left out so far as attention sinks."""
    _limit: float | None = field(default=None, init=False)
    _hybrid: Hybrid | None = field(default=None, init=False)

    @property
    def hybrid(self) -> Hybrid:
        """The hybrid; it is loaded if necessary."""
        if self._hybrid is None:
            self._hybrid = self.load(self.branches)
        return self._hybrid

    def release(self) -> None:
        """Keeps the branches and lets go of both models, which `hybrid` loads again."""
        if self._hybrid is not None:
            self.branches, self._hybrid = self._hybrid.branches, None

    def chat(self, exchange: Exchange) -> TokenizedResponse | UnreadableResponse:
        """Tokenizes an exchange (a document, if it has no conversation), or says why the tuned model cannot read it."""
        return self.tokens.exchange(exchange, self.system_prompt)

    def calibrate(self, chats: Sequence[TokenizedResponse]) -> None:
        """Finds, on a sample of train chats, the norm above which a position is an attention sink.

        Raises:
            ValueError: There are no chats.
        """
        import torch

        if not chats:
            raise ValueError("expected chats to calibrate on, got none")
        sample = list(chats[:: max(len(chats) // _CALIBRATED_ON, 1)][:_CALIBRATED_ON])
        norms = []
        with torch.inference_mode():
            for group in by_length(sample, self.batch_tokens, len(sample)):
                batch = padded([sample[index] for index in group]).to(self.hybrid.device)
                found = self._norms(self._pass(batch))
                norms.append(found[batch.read.to(found.device)].cpu())
        self._limit = _SINK * torch.cat(norms).median().item()

    def read(
        self, exchanges: Sequence[Exchange], on_read: Callable[[int, int], None] = lambda done, total: None
    ) -> list[Latents | UnreadableResponse]:
        """The features that are active in each response, with their largest activation.

        Args:
            exchanges: The exchanges.
            on_read: Called with the number of exchanges done and of all.

        Raises:
            ValueError: `calibrate` was not called.
        """
        import torch

        tokenized = [self.chat(exchange) for exchange in exchanges]
        found: dict[int, Latents | UnreadableResponse] = {
            place: text for place, text in enumerate(tokenized) if isinstance(text, UnreadableResponse)
        }
        places = [place for place in range(len(tokenized)) if place not in found]
        chats = [text for text in tokenized if not isinstance(text, UnreadableResponse)]
        with torch.inference_mode():
            for group in by_length(chats, self.batch_tokens, len(chats)):
                largest = self._largest(padded([chats[index] for index in group]).to(self.hybrid.device))
                for row, index in enumerate(group):
                    found[places[index]] = _sparse(largest[row], chats[index].tokens)
                on_read(len(found), len(exchanges))
        return [found[place] for place in range(len(exchanges))]

    def trace(self, exchange: Exchange, features: Sequence[int]) -> Mapping[int, tuple[Token, ...]]:
        """Returns for each feature the tokens of one response at which it is active, in text order.

        The anchor comes first, if a feature is active there, as an empty span at the beginning.

        Raises:
            ValueError: The exchange cannot be read.
        """
        response = without_surrogates(exchange.response)
        values = self.activations(exchange, features)
        spans = self.tokens.spans(response) if exchange.conversation else self.tokens.document_spans(response)
        ends = [(0, 0), *spans][: len(values)]
        return {
            index: tuple(
                Token(first, last, value)
                for (first, last), value in zip(ends, values[:, column].tolist(), strict=True)
                if value > 0
            )
            for column, index in enumerate(features)
        }

    def activations(self, exchange: Exchange, features: Sequence[int]) -> "Tensor":
        """The activations of a few features at the read positions of one response; positions x features, on the CPU.

        Raises:
            ValueError: The exchange cannot be read, or `calibrate` was not called.
        """
        import torch

        chat = self.chat(exchange)
        if isinstance(chat, UnreadableResponse):
            raise ValueError(f"expected a text that can be read, got one that is {chat.reason}")
        batch = padded([chat]).to(self.hybrid.device)
        with torch.inference_mode():
            passed = self._pass(batch)
            usable = self._usable(passed, batch)[batch.read].cpu()
            columns = []
            for block, number in map(self.hybrid.branches.place, features):
                own = passed.features[block]
                columns.append(own[batch.read.to(own.device)][:, number].cpu() * usable)
        return torch.stack(columns, dim=1)

    def _pass(self, batch: ChatBatch) -> ForwardPass:
        return self.hybrid.run(batch, self.hybrid.uniform("adapted"))

    def _norms(self, passed: ForwardPass) -> "Tensor":
        """The norms of the residual stream in the middle of the model; chats x length."""
        import torch

        norms: Tensor = torch.linalg.vector_norm(passed.leaving[self.hybrid.depth // 2].float(), dim=-1)
        return norms

    def _usable(self, passed: ForwardPass, batch: ChatBatch) -> "Tensor":
        """Chats x length: True at read positions that are no attention sinks."""
        if self._limit is None:
            raise ValueError("expected a calibrated reader: call `calibrate` with train chats first")
        small = (self._norms(passed) <= self._limit).to(batch.read.device)
        return batch.read & small

    def _largest(self, batch: ChatBatch) -> "Tensor":
        """The largest activation of each feature over the read positions of a chat; chats x features, on the CPU."""
        import torch

        passed = self._pass(batch)
        usable = self._usable(passed, batch)
        self.sinks += int((batch.read & ~usable).sum())
        parts = [
            (found * usable.to(found.device)[..., None]).amax(dim=1).cpu()
            for _, found in sorted(passed.features.items())
        ]
        return torch.cat(parts, dim=1)


def _sparse(largest: "Tensor", tokens: int) -> Latents:
    import numpy as np

    indices = largest.nonzero().flatten()
    return Latents(indices.numpy().astype(np.int32), largest[indices].numpy().astype(np.float32), tokens)
