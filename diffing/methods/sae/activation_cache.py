"""Latents of responses, each read once, kept in memory and in a store of texts. Loads nothing before the first miss."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from diffing.methods.sae.latent_rows import Latents, pack, unpack
from diffing.methods.sae.loading import Opened
from diffing.methods.sae.reader_tokens import Refused, Text
from diffing.methods.sae.stages import READ
from diffing.types import Conversation, OnProgress, ignore_progress

if TYPE_CHECKING:
    from diffing.methods.sae.activations import Sight

_LAYOUT = 1
"""Part of every key; raised when what is stored changes its meaning."""


class TextStore(Protocol):
    """Texts by key."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The values of those keys that are stored."""

    def put(self, key: str, value: str) -> None:
        """Stores a value at once."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is read: a response behind its conversation."""

    conversation: Conversation
    """What was asked."""
    response: str
    """What was answered."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a response at which a latent is active."""

    first: int
    """Its first character in the response."""
    last: int
    """One past its last character."""
    value: float
    """The activation."""


class CachedReading:
    """Reads exchanges, each once."""

    def __init__(self, opened: Opened, store: TextStore | None) -> None:
        self._opened = opened
        self._store = store
        self._memory: dict[str, Latents | Refused] = {}
        self._sight: Sight | None = None

    @property
    def d_sae(self) -> int:
        """How many latents there are."""
        return self._opened.facts.d_sae

    def read(self, exchanges: Sequence[Exchange], on_progress: OnProgress = ignore_progress) -> list[Latents | Refused]:
        """The latents of every exchange, or why it cannot be read; each is stored as soon as it is known.

        Raises:
            ModelError: Reader or SAE cannot be loaded.
            HubError: The Hub refuses or cannot be reached.
        """
        keys = [self._key(exchange) for exchange in exchanges]
        self._recall([key for key in dict.fromkeys(keys) if key not in self._memory])
        missing = {key: exchange for key, exchange in zip(keys, exchanges, strict=True) if key not in self._memory}
        on_progress(READ, 0, len(missing))
        if missing:
            self._read(missing, on_progress)
        return [self._memory[key] for key in keys]

    def _read(self, missing: Mapping[str, Exchange], on_progress: OnProgress) -> None:
        from diffing.methods.sae.activations import read

        texts: dict[str, Text] = {}
        tokens = self._loaded().reader.tokens
        for key, exchange in missing.items():
            text = tokens.text(exchange.conversation, exchange.response)
            if isinstance(text, Refused):
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

        read(self._loaded(), list(texts.values()), tell)

    def trace(self, exchange: Exchange, features: Sequence[int]) -> dict[int, tuple[Token, ...]]:
        """The tokens of one response at which each of a few latents is active, in the order of the text.

        The exchange must be one that can be read.
        """
        key = self._key(exchange, list(features))
        stored = (self._store.get_many([key]) if self._store else {}).get(key)
        if stored is not None and (known := _traced(stored)) is not None:
            return known
        from diffing.methods.sae.activations import trace

        tokens = self._loaded().reader.tokens
        text = tokens.text(exchange.conversation, exchange.response)
        if isinstance(text, Refused):
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

    def _loaded(self) -> "Sight":
        if self._sight is None:
            self._sight = self._opened.load()
        return self._sight

    def _recall(self, keys: Sequence[str]) -> None:
        if self._store is None or not keys:
            return
        for key, value in self._store.get_many(keys).items():
            latents = unpack(value)
            if latents is not None:
                self._memory[key] = latents

    def _keep(self, key: str, latents: Latents | Refused) -> None:
        self._memory[key] = latents
        if self._store is not None:
            self._store.put(key, pack(latents))

    def _key(self, exchange: Exchange, features: Sequence[int] | None = None) -> str:
        """All that decides what is read: reader with its template, SAE, type of the weights, conversation, response."""
        turns = [[message.role, message.content] for message in exchange.conversation]
        parts = ["sae", _LAYOUT, self._opened.identity, turns, exchange.response, features]
        return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def _traced(stored: str) -> dict[int, tuple[Token, ...]] | None:
    """What `trace` stored; None where it cannot be read."""
    try:
        rows = json.loads(stored)
        return {int(index): tuple(Token(*token) for token in active) for index, active in rows.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
