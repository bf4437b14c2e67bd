"""Scores how much two models differ on each prompt, from their responses or from their next-token distributions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from diffing.errors import SettingError
from diffing.types import Conversation

if TYPE_CHECKING:
    from diffing.methods.llm.embedders import Embedder

Scores = npt.NDArray[np.float64]
"""One score per prompt: 0 if the models behave the same, NaN if unknown; shape (prompts,)."""

AT_ONCE = 512
"""Number of prompts per batch: their distributions take 300 MB per model at a vocabulary of 150,000."""


@runtime_checkable
class TokenModel(Protocol):
    """A model that returns the probability of every token as the first of its answer."""

    @property
    def id(self) -> str:
        """The model's id."""

    @property
    def vocabulary(self) -> str:
        """A fingerprint that is equal for two models if their tokens have the same ids."""

    def next_token_logprobs(self, conversations: Sequence[Conversation]) -> npt.NDArray[np.float32]:
        """Log-probabilities of shape (conversations, tokens); NaN for conversations that the model cannot read."""


def of_responses(texts_a: Sequence[str], texts_b: Sequence[str], embedder: "Embedder") -> Scores:
    """Scores each prompt by 1 - cosine of the two responses' embeddings: 0 if equal, 1 if only one is empty.

    Args:
        texts_a: A's responses.
        texts_b: B's responses to the same prompts.
        embedder: The sentence embedder, which embeds each whole response.
    """
    vectors = embedder.embed([*texts_a, *texts_b]).astype(np.float64)
    cosine = (vectors[: len(texts_a)] * vectors[len(texts_a) :]).sum(axis=1)
    equal = np.array([a == b for a, b in zip(texts_a, texts_b, strict=True)], dtype=bool)
    return np.where(equal, 0.0, np.clip(1.0 - cosine, 0.0, 1.0))


def of_first_tokens(
    model_a: TokenModel, model_b: TokenModel, sides: tuple[Sequence[Conversation], Sequence[Conversation]]
) -> Scores:
    """Scores each prompt by the Jensen-Shannon divergence (bits, 0 to 1) of the distributions of the first token.

    Args:
        model_a: Model A.
        model_b: Model B, with the same vocabulary.
        sides: The conversations for A and for B, prompt by prompt; they differ only in system prompts.

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

    width = max(a.shape[1], b.shape[1])  # rows of NaN have one column; padded embeddings have extra columns
    p, q = (np.exp(_widened(rows, width).astype(np.float64)) for rows in (a, b))
    return np.asarray(jensenshannon(p, q, base=2, axis=1) ** 2, dtype=np.float64)


def _widened(rows: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    missing = np.full((len(rows), width - rows.shape[1]), -np.inf, dtype=np.float32)
    return np.concatenate([rows, missing], axis=1)
