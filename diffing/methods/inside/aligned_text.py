"""Tokenizes a text for both models and finds the positions at which both have read the same characters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.alignment import TokenPartners, partners
from diffing.methods.inside.response_tokens import ResponseTokenizer, TokenizedResponse
from diffing.methods.inside.side_models import SideModel
from diffing.models.surrogates import without_surrogates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW_TOKENS = 16_384
"""The number of tokens of both models together after which a window of texts, which are read at once, is full."""


@dataclass(frozen=True, slots=True, eq=False)
class AlignedText:
    """A text as both models read it, with the positions that have a partner."""

    texts: tuple[TokenizedResponse, TokenizedResponse]
    """The tokens of A and of B."""
    indices: "tuple[NDArray[np.int32], NDArray[np.int32]]"
    """For A and B the indices of the partners among these tokens; both have the same length."""
    ends: "NDArray[np.int32]"
    """For each of them the number of characters of the response that were read by then; 0 at the anchor."""
    anchored: bool
    """Whether the first of them is the anchor."""
    bos: int
    """The number of anchors left out because a BOS token stands there."""

    @property
    def tokens(self) -> int:
        """The number of tokens of both models together, with the context."""
        return len(self.texts[0].ids) + len(self.texts[1].ids)

    @property
    def partnered(self) -> int:
        """The number of response tokens that have a partner."""
        return len(self.ends) - self.anchored


def align(sides: tuple[SideModel, SideModel], exchange: Exchange) -> AlignedText | UnreadableResponse:
    """Tokenizes an exchange for both models, or says why one of them cannot read it; see `SideModel.tokenize`."""
    import numpy as np

    response = without_surrogates(exchange.response)
    a, b = (side.tokenize(exchange) for side in sides)
    if isinstance(a, UnreadableResponse):
        return a
    if isinstance(b, UnreadableResponse):
        return b
    found = _partners(sides, (a, b), exchange, response)
    bos = _is_bos(sides[0].tokens, a) or _is_bos(sides[1].tokens, b)
    anchored = a.start > 0 and b.start > 0 and not bos
    first = [-1] if anchored else []
    indices = tuple(
        np.asarray([*first, *own], dtype=np.int32) + text.start
        for own, text in zip((found.a, found.b), (a, b), strict=True)
    )
    ends = np.asarray([*([0] if anchored else []), *found.ends], dtype=np.int32)
    return AlignedText((a, b), (indices[0], indices[1]), ends, anchored, int(bos))


def windows(texts: Iterable[AlignedText], most: int = WINDOW_TOKENS) -> Iterator[list[AlignedText]]:
    """Groups texts, in order, into windows that are read at once; a window ends with the text that fills it."""
    window: list[AlignedText] = []
    for text in texts:
        window.append(text)
        if sum(each.tokens for each in window) >= most:
            yield window
            window = []
    if window:
        yield window


def _partners(
    sides: tuple[SideModel, SideModel],
    texts: tuple[TokenizedResponse, TokenizedResponse],
    exchange: Exchange,
    response: str,
) -> TokenPartners:
    """The tokens of both that end at the same character; with one tokenizer, all of them."""
    import numpy as np

    spans_a, spans_b = (
        _spans(side.tokens, exchange, response)[: text.tokens] for side, text in zip(sides, texts, strict=True)
    )
    a, b = texts
    if sides[0].vocabulary == sides[1].vocabulary and np.array_equal(a.ids[a.start :], b.ids[b.start :]):
        every = tuple(range(a.tokens))
        return TokenPartners(every, every, tuple(end for _, end in spans_a))
    return partners(response, spans_a, spans_b)


def _spans(tokens: ResponseTokenizer, exchange: Exchange, response: str) -> Sequence[tuple[int, int]]:
    return tokens.spans(response) if exchange.conversation else tokens.document_spans(response)


def _is_bos(tokens: ResponseTokenizer, text: TokenizedResponse) -> bool:
    return tokens.bos is not None and text.start > 0 and int(text.ids[text.start - 1]) == tokens.bos
