"""Caches the SAE latents of responses in memory and on disk, and loads the reader model only for uncached responses."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.active_tokens import Token
from diffing.methods.features.sparse_latents import Latents, pack, unpack
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.sae.reader_loading import UnloadedSaeReader
from diffing.methods.sae.stages import READ
from diffing.models.process_group import ProcessGroup
from diffing.types import OnProgress, ignore_progress

if TYPE_CHECKING:
    from diffing.methods.sae.activations import SaeReader

_LAYOUT = 1
"""The version of the stored values, a part of every key; it must increase when their meaning changes."""


class TextStore(Protocol):
    """A persistent store of texts by key."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Returns the values of those keys that are stored."""

    def put(self, key: str, value: str) -> None:
        """Stores a value at once."""


class CachedReading:
    """Computes the SAE latents of exchanges and caches them, so that each exchange is read only once."""

    def __init__(self, opened: UnloadedSaeReader, store: TextStore | None) -> None:
        self._opened = opened
        self._store = store
        self._memory: dict[str, Latents | UnreadableResponse] = {}
        self._sae_reader: SaeReader | None = None

    @property
    def d_sae(self) -> int:
        """The number of latents of the SAE."""
        return self._opened.facts.d_sae

    def read(
        self, exchanges: Sequence[Exchange], on_progress: OnProgress = ignore_progress
    ) -> list[Latents | UnreadableResponse]:
        """Returns the latents of every exchange, or why it cannot be read; each result is stored at once.

        Raises:
            ModelError: The reader or the SAE cannot be loaded.
            HubError: The Hub refuses or cannot be reached.
        """
        keys = [self._key(exchange) for exchange in exchanges]
        self._recall([key for key in dict.fromkeys(keys) if key not in self._memory])
        missing = {key: exchange for key, exchange in zip(keys, exchanges, strict=True) if key not in self._memory}
        on_progress(READ, 0, len(missing))
        if missing:
            self._read(missing, on_progress)
        return [self._memory[key] for key in keys]

    def read_share(
        self, exchanges: Sequence[Exchange], group: ProcessGroup, on_progress: OnProgress = ignore_progress
    ) -> None:
        """Reads this process's share of the exchanges, and takes over what the other processes of the group read.

        The batches are those of a single process, so the latents are the same to the last bit.

        Raises:
            ModelError: The reader or the SAE cannot be loaded, or another process ended.
            HubError: The Hub refuses or cannot be reached.
        """
        asked = {self._key(exchange): exchange for exchange in exchanges}
        topic = hashlib.sha256("".join(asked).encode()).hexdigest()
        self._recall([key for key in asked if key not in self._memory])
        self._exchange(f"stored {topic}", group, self._memory.keys() & asked.keys())
        missing = {key: exchange for key, exchange in asked.items() if key not in self._memory}
        if missing:
            self._read(missing, on_progress, group)
        self._exchange(f"read {topic}", group, self._memory.keys() & missing.keys())

    def _exchange(self, topic: str, group: ProcessGroup, keys: Collection[str]) -> None:
        """Gives the latents of some exchanges to the other processes, and stores theirs."""
        for others in group.exchange(topic, {key: self._memory[key] for key in keys}):
            for key in others.keys() - self._memory.keys():
                self._keep(key, others[key])

    def _read(
        self, missing: Mapping[str, Exchange], on_progress: OnProgress, group: ProcessGroup | None = None
    ) -> None:
        """Reads exchanges; of several processes, each reads every n-th batch."""
        from diffing.methods.sae.activations import read

        texts: dict[str, TokenizedResponse] = {}
        tokens = self._loaded().reader.tokens
        for key, exchange in missing.items():
            text = tokens.text(exchange.conversation, exchange.response)
            if isinstance(text, UnreadableResponse):
                self._keep(key, text)
            else:
                texts[key] = text
        names = list(texts)
        done = len(missing) - len(names)

        def tell(place: int, latents: Latents) -> None:
            nonlocal done
            self._keep(names[place], latents)
            done += 1
            on_progress(READ, done, len(missing))

        read(self._loaded(), list(texts.values()), tell, group=group)

    def trace(self, exchange: Exchange, features: Sequence[int]) -> dict[int, tuple[Token, ...]]:
        """Returns for each of a few latents the tokens of one response at which it is active, in text order.

        Raises:
            ValueError: The exchange cannot be read.
        """
        key = self._key(exchange, list(features))
        stored = (self._store.get_many([key]) if self._store else {}).get(key)
        if stored is not None and (known := _traced(stored)) is not None:
            return known
        from diffing.methods.sae.activations import trace

        tokens = self._loaded().reader.tokens
        text = tokens.text(exchange.conversation, exchange.response)
        if isinstance(text, UnreadableResponse):
            raise ValueError(f"expected a text that can be read, got one that is {text.reason}")
        activations = trace(self._loaded(), text, features) if text.tokens else None
        found: dict[int, tuple[Token, ...]] = {}
        for column, index in enumerate(features):
            values = activations[:, column].tolist() if activations is not None else []
            spans = zip(tokens.spans(exchange.response), values, strict=True)
            found[index] = tuple(Token(first, last, value) for (first, last), value in spans if value > 0)
        if self._store:
            rows = {index: [[t.first, t.last, t.value] for t in active] for index, active in found.items()}
            self._store.put(key, json.dumps(rows))
        return found

    def _loaded(self) -> "SaeReader":
        if self._sae_reader is None:
            self._sae_reader = self._opened.load()
        return self._sae_reader

    def _recall(self, keys: Sequence[str]) -> None:
        if self._store is None or not keys:
            return
        for key, value in self._store.get_many(keys).items():
            latents = unpack(value)
            if latents is not None:
                self._memory[key] = latents

    def _keep(self, key: str, latents: Latents | UnreadableResponse) -> None:
        self._memory[key] = latents
        if self._store is not None:
            self._store.put(key, pack(latents))

    def _key(self, exchange: Exchange, features: Sequence[int] | None = None) -> str:
        """Hashes everything that affects the latents: reader, chat template, SAE, dtype, conversation, response."""
        turns = [[message.role, message.content] for message in exchange.conversation]
        parts = ["sae", _LAYOUT, self._opened.identity, turns, exchange.response, features]
        return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def _traced(stored: str) -> dict[int, tuple[Token, ...]] | None:
    """Parses the tokens that `trace` stored; None if they are damaged."""
    try:
        rows = json.loads(stored)
        return {int(index): tuple(Token(*token) for token in active) for index, active in rows.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
