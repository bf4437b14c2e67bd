"""Finds the places of a text at which two tokenizers have read the same characters.

A causal model's state at a token belongs to all that was read up to it, not to the token alone. So two positions are
partners if their tokens end at the same character, however the text before was divided. A token that ends inside a
character, such as the first bytes of an emoji, has no partner in another tokenizer.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

Spans = Sequence[tuple[int, int]]
"""For each token of a text its first character and the character after its last, as fast tokenizers tell them."""


@dataclass(frozen=True, slots=True)
class TokenPartners:
    """The tokens of two tokenizers that end at the same characters, in the order of the text."""

    a: tuple[int, ...]
    """Indices of tokens of A."""
    b: tuple[int, ...]
    """Indices of their partners among the tokens of B."""
    ends: tuple[int, ...]
    """The number of characters that both have read by then."""


def partners(text: str, a: Spans, b: Spans) -> TokenPartners:
    """Pairs the tokens of two tokenizers that end at the same character; of several, the last.

    Args:
        text: The text.
        a: The spans of its tokens by tokenizer A.
        b: The spans of its tokens by tokenizer B.
    """
    ends_a, ends_b = whole_ends(text, a), whole_ends(text, b)
    shared = [end for end in ends_a if end in ends_b]
    return TokenPartners(tuple(ends_a[end] for end in shared), tuple(ends_b[end] for end in shared), tuple(shared))


def whole_ends(text: str, spans: Spans) -> dict[int, int]:
    """The tokens after which whole characters have been read.

    Returns:
        By the number of characters read, ascending, the index of the last token that has read them and no more.
        Nothing read, as after the space that some tokenizers put before a text, is no place: the anchor stands there.
    """
    ends: dict[int, int] = {}
    following = len(text)  # the first character of any later token
    for index in range(len(spans) - 1, -1, -1):
        first, last = spans[index]
        end = _with_marks(text, last, following)
        if 0 < end <= following and end not in ends:
            ends[end] = index
        following = min(following, first)
    return dict(sorted(ends.items()))


def _with_marks(text: str, end: int, following: int) -> int:
    """Extends an end over combining marks that no token covers: tokenizers that compose characters leave them out."""
    while end < min(following, len(text)) and unicodedata.combining(text[end]):
        end += 1
    return end
