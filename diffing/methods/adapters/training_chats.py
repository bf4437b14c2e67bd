"""Collects the chats on which adapters are trained: both models' train responses, and corpora if some are given."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil

from diffing.errors import SettingError
from diffing.methods.adapters.cost import PASSES
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.corpus import Corpus
from diffing.methods.inside.response_tokens import TokenizedResponse


@dataclass(frozen=True, slots=True, eq=False)
class TrainingChats:
    """Tokenized chats and how much is trained on them."""

    chats: Sequence[TokenizedResponse]
    """The chats."""
    steps: int
    """The number of steps."""
    tokens: int
    """The number of tokens of all steps together, about."""

    @property
    def identity(self) -> str:
        """A hash of all tokens in their order."""
        digest = hashlib.sha256()
        for chat in self.chats:
            digest.update(f"{chat.start} {len(chat.ids)}\n".encode())
            digest.update(chat.ids.astype("<i4").tobytes())
        return digest.hexdigest()


def collect_chats(
    exchanges: Sequence[Exchange],
    corpora: Sequence[Corpus],
    tokenize: Callable[[Exchange], TokenizedResponse | UnreadableResponse],
    *,
    tokens: int,
    per_step: int,
) -> TrainingChats:
    """Tokenizes the chats to train on.

    All train responses are taken. Corpora are read in turn until there are as many tokens as wanted; without enough of
    them each chat is trained on up to four times.

    Args:
        exchanges: The train responses of both sides.
        corpora: Texts from elsewhere.
        tokenize: Tokenizes an exchange for the tuned model.
        tokens: The number of tokens to train on.
        per_step: Chats per step.

    Raises:
        SettingError: None of the texts can be read.
    """
    chats: list[TokenizedResponse] = []
    found = 0
    for exchange in chain(exchanges, _in_turn([corpus.exchanges() for corpus in corpora])):
        if found >= tokens and len(chats) >= len(exchanges):
            break
        chat = tokenize(exchange)
        if isinstance(chat, UnreadableResponse) or not chat.tokens:
            continue
        chats.append(chat)
        found += len(chat.ids)
    if not chats:
        raise SettingError(
            "There is no train response that the tuned model can read: expected some to train adapters on. Give other "
            "prompts or a --corpus"
        )
    trained = min(tokens, PASSES * found)
    steps = max(ceil(trained * len(chats) / (found * per_step)), 1)
    return TrainingChats(chats, steps, trained)


def _in_turn(sources: Sequence[Iterator[Exchange]]) -> Iterator[Exchange]:
    """Takes one text of each source after the other, as long as there are some."""
    left = list(sources)
    while left:
        for source in tuple(left):
            exchange = next(source, None)
            if exchange is None:
                left.remove(source)
            else:
                yield exchange
