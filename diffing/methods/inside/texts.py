"""Orders the texts that a dictionary is trained on, responses and corpora, in a seeded sequence without end.

Five per cent of what is read is never trained on. Among responses, which are few and read several times, single rows
are held back, by a hash of all that was read up to them: equal rows, as both models' equal responses have, are either
all trained on or none. From a corpus, whole texts are held back, so that a text is read either for training or not.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.aligned_text import AlignedText
from diffing.methods.inside.corpus import Corpus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HELD_BACK = 0.05
"""The share of rows that are never trained on."""

Align = Callable[[Exchange], AlignedText | UnreadableResponse]


@dataclass(frozen=True, slots=True, eq=False)
class SplitText:
    """A text with the rows of it that are held back."""

    text: AlignedText
    """The text."""
    held: "NDArray[np.bool_]"
    """For each of its rows, whether it is held back."""

    @property
    def trained(self) -> int:
        """The number of rows that are trained on."""
        return len(self.held) - int(self.held.sum())


@dataclass(frozen=True)
class TrainingTexts:
    """The responses of a run and corpora."""

    exchanges: Sequence[Exchange]
    """The train responses of both sides."""
    corpora: Sequence[Corpus] = ()
    """Texts from elsewhere."""
    seed: int = 0
    """The seed of the order of the responses and of what is held back."""

    @property
    def identity(self) -> str:
        """A hash of all texts and their order."""
        digest = hashlib.sha256()
        for exchange in self.exchanges:
            digest.update(_text_of(exchange))
        parts = [digest.hexdigest(), [corpus.identity for corpus in self.corpora], self.seed]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def training(self, align: Align, response_share: float) -> Iterator[SplitText]:
        """Yields texts with rows to train on, without end, unless there is none.

        Each text comes from the source that lags most behind its share of the rows. A corpus begins again at its end.

        Args:
            align: Tokenizes a text for both models.
            response_share: The share of the rows that come from responses; corpora share the rest evenly.

        Raises:
            SettingError: A corpus has no text that both models can read.
        """
        sources = [self._responses(align), *(self._corpus(corpus, align) for corpus in self.corpora)]
        others = len(self.corpora)
        shares = [response_share, *[(1 - response_share) / max(others, 1)] * others]
        given = [0] * len(sources)
        while True:
            behind = [shares[i] * (sum(given) + 1) - given[i] for i in range(len(sources))]
            place = behind.index(max(behind))
            text = next(sources[place], None)
            if text is None:
                return
            given[place] += text.trained
            yield text

    def once(self, align: Align, *, held: bool) -> Iterator[SplitText]:
        """Yields each text once: those with rows that are held back, or those with rows to train on."""
        for number in range(len(self.exchanges)):
            text = self._split(self.exchanges[number], align)
            if text is not None and (text.held.any() if held else text.trained):
                yield text
        for corpus in self.corpora:
            yield from _documents(corpus, self.seed, align, held=held)

    def _responses(self, align: Align) -> Iterator[SplitText]:
        import numpy as np

        number = 0
        found = True
        while found:
            found = False
            for index in np.random.default_rng([self.seed, number]).permutation(len(self.exchanges)):
                text = self._split(self.exchanges[index], align)
                if text is not None and text.trained:
                    found = True
                    yield text
            number += 1

    def _corpus(self, corpus: Corpus, align: Align) -> Iterator[SplitText]:
        while True:
            found = False
            for text in _documents(corpus, self.seed, align, held=False):
                found = True
                yield text
            if not found:
                raise SettingError(f"{corpus.name} has no text that both models can read: give another --corpus")

    def _split(self, exchange: Exchange, align: Align) -> SplitText | None:
        text = align(exchange)
        if isinstance(text, UnreadableResponse):
            return None
        return SplitText(text, _held_rows(exchange, text, self.seed))


def _documents(corpus: Corpus, seed: int, align: Align, *, held: bool) -> Iterator[SplitText]:
    import numpy as np

    for exchange in corpus.exchanges():
        if (_share(hashlib.sha256(_text_of(exchange)), seed) < HELD_BACK) is not held:
            continue
        text = align(exchange)
        if isinstance(text, AlignedText) and len(text.ends):
            yield SplitText(text, np.full(len(text.ends), held))


def _held_rows(exchange: Exchange, text: AlignedText, seed: int) -> "NDArray[np.bool_]":
    """Decides for each row by a hash of the conversation and the characters read up to it."""
    import numpy as np

    read = hashlib.sha256(_text_of(Exchange(exchange.conversation, "")))
    done = 0
    held = []
    for end in text.ends.tolist():
        read.update(exchange.response[done:end].encode(errors="replace"))
        done = end
        held.append(_share(read.copy(), seed) < HELD_BACK)
    return np.array(held, dtype=bool)


def _share(read: "hashlib._Hash", seed: int) -> float:
    """A hash as a number between 0 and 1."""
    read.update(f"\n{seed}".encode())
    return int.from_bytes(read.digest()[:8]) / 2**64


def _text_of(exchange: Exchange) -> bytes:
    turns = [[message.role, message.content] for message in exchange.conversation]
    return json.dumps([turns, exchange.response]).encode()
