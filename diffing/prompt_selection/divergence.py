"""How much two models differ on each prompt, as one number: from their responses, or from their first tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from diffing.errors import SettingError
from diffing.types import Conversation

if TYPE_CHECKING:
    from diffing.methods.llm.embed import Embedder

Scores = npt.NDArray[np.float64]
"""One per prompt, 0 where the models do the same; NaN where it is not known."""

AT_ONCE = 512
"""Prompts whose distributions are held at a time: 300 MB a model at a vocabulary of 150,000."""


@runtime_checkable
class TokenModel(Protocol):
    """A model that tells how likely each token is to begin its answer."""

    @property
    def id(self) -> str:
        """Identity."""

    @property
    def vocabulary(self) -> str:
        """The same for two models whose tokens have the same numbers."""

    def next_token_logprobs(self, conversations: Sequence[Conversation]) -> npt.NDArray[np.float32]:
        """One row per conversation, one column per token; NaN for what it cannot read."""


def of_responses(texts_a: Sequence[str], texts_b: Sequence[str], embedder: "Embedder") -> Scores:
    """1 - cosine of the two responses' embeddings; 0 for equal ones, 1 where just one of them is empty.

    Args:
        texts_a: A's responses.
        texts_b: B's, to the same prompts.
        embedder: Of sentences; a whole response is embedded as one.
    """
    vectors = embedder.embed([*texts_a, *texts_b]).astype(np.float64)
    cosine = (vectors[: len(texts_a)] * vectors[len(texts_a) :]).sum(axis=1)
    equal = np.array([a == b for a, b in zip(texts_a, texts_b, strict=True)], dtype=bool)
    return np.where(equal, 0.0, np.clip(1.0 - cosine, 0.0, 1.0))


def of_first_tokens(
    model_a: TokenModel, model_b: TokenModel, sides: tuple[Sequence[Conversation], Sequence[Conversation]]
) -> Scores:
    """Jensen-Shannon divergence (bits, 0 to 1) of the two distributions of the answer's first token.

    Args:
        model_a: Model A.
        model_b: Model B, with the same vocabulary.
        sides: What A and what B is asked, prompt by prompt; they differ by system prompts only.

    Raises:
        SettingError: The vocabularies differ.
    """
    if model_a.vocabulary != model_b.vocabulary:
        raise SettingError(
            "--pool-by tokens compares next tokens, but the two models have different vocabularies. Use --pool-by "
            "responses"
        )
    parts = [
        _jensen_shannon(
            model_a.next_token_logprobs(sides[0][start : start + AT_ONCE]),
            model_b.next_token_logprobs(sides[1][start : start + AT_ONCE]),
        )
        for start in range(0, len(sides[0]), AT_ONCE)
    ]
    return np.concatenate(parts)


def _jensen_shannon(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> Scores:
    from scipy.spatial.distance import jensenshannon

    width = max(a.shape[1], b.shape[1])  # a row of NaN alone has one column; padded embeddings have more than tokens
    p, q = (np.exp(_widened(rows, width).astype(np.float64)) for rows in (a, b))
    return np.asarray(jensenshannon(p, q, base=2, axis=1) ** 2, dtype=np.float64)


def _widened(rows: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    missing = np.full((len(rows), width - rows.shape[1]), -np.inf, dtype=np.float32)
    return np.concatenate([rows, missing], axis=1)
