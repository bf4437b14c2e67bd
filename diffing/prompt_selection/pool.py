"""Selects from a pool the prompts on which two models differ most.

Train prompts are selected by how much the models differ on them. Held-out prompts are selected by how much the models
are expected to differ, judging from the prompt's text alone: the mean over the nearest train prompts of the pool. No
response to a held-out prompt is used, so the selection cannot favour any hypothesis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffing.errors import SettingError
from diffing.methods.llm.embedders import Embedder, Vectors
from diffing.models.base import Model, Sampling
from diffing.models.cache import CachedModel
from diffing.models.shared_model import SharedModel
from diffing.models.system_prompt import WithSystemPrompt, with_system_message
from diffing.prompt_selection.divergence_scores import Scores, TokenModel, of_first_tokens, of_responses
from diffing.prompt_selection.selected import SelectedPrompts
from diffing.responses import answer, usage_of
from diffing.stages import POOL
from diffing.types import SIDES, Conversation, OnProgress, Prompt, Split, Usage, ignore_progress

NEIGHBOURS = 10
"""Number of nearest train prompts whose mean score is the expected score of a held-out prompt."""
FOLDS = 5
"""Number of folds of the cross-validation of that expectation."""


@dataclass(frozen=True, slots=True)
class PoolScores:
    """Scores of how much two models differ on the train prompts of a pool."""

    scores: Scores
    """One score per train prompt; NaN if a model gave no answer."""
    by: str
    """How the scores were measured, in words."""
    usage: tuple[Usage, ...] = ()
    """The calls and tokens that the scores took."""


def score_responses(
    models: tuple[Model, Model],
    samples: tuple[Sampling, Sampling],
    train: Sequence[Prompt],
    embedder: Embedder,
    on_progress: OnProgress = ignore_progress,
) -> PoolScores:
    """Has both models answer, and compares the answers. The run reuses the answers to selected prompts from the cache.

    Args:
        models: Models A and B.
        samples: The sampling parameters of A and of B.
        train: The train prompts of the pool.
        embedder: The embedder for the responses.
        on_progress: Called after every answer.

    Raises:
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    completions = [
        answer(model, train, sampling, POOL[side], on_progress)
        for model, sampling, side in zip(models, samples, SIDES, strict=True)
    ]
    texts_a, texts_b = ([completion.text for completion in answers] for answers in completions)
    scores = of_responses(texts_a, texts_b, embedder)
    failed = [{a.finish, b.finish} & {"rejected", "error"} != set() for a, b in zip(*completions, strict=True)]
    usage = [usage_of(POOL[side], model, got) for side, model, got in zip(SIDES, models, completions, strict=True)]
    by = f"how much the two responses differ (1 - cosine of their embeddings by {embedder.name})"
    return PoolScores(np.where(failed, np.nan, scores), by, tuple(usage))


def score_tokens(models: tuple[Model, Model], train: Sequence[Prompt]) -> PoolScores:
    """Compares the distributions of the first token of the answers; no answer is generated.

    Args:
        models: Models A and B.
        train: The train prompts of the pool.

    Raises:
        SettingError: A model does not give next-token probabilities, or the two have different vocabularies.
    """
    readable = [_token_model(model) for model in models]
    if readable[0] is None or readable[1] is None:
        raise SettingError("--pool-by tokens reads weights, so both models must run here. Use --pool-by responses")
    systems = [model.system_prompt if isinstance(model, WithSystemPrompt) else None for model in models]
    sides = [[_under(prompt.messages, system) for prompt in train] for system in systems]
    scores = of_first_tokens(readable[0], readable[1], (sides[0], sides[1]))
    return PoolScores(scores, "the Jensen-Shannon divergence of the first token of the two answers")


def _token_model(model: Model) -> TokenModel | None:
    """The model without its wrappers, if it gives next-token probabilities; else None."""
    while isinstance(model, WithSystemPrompt | SharedModel | CachedModel):
        model = model.model
    return model if isinstance(model, TokenModel) else None


def choose_prompts(
    pool: Sequence[Prompt], scored: PoolScores, embedder: Embedder, *, train: int, heldout: int
) -> SelectedPrompts:
    """Selects the train prompts with the highest scores, and the held-out prompts with the highest expected scores.

    Args:
        pool: The prompts of both splits.
        scored: The scores of the pool's train prompts, in the same order.
        embedder: The embedder for the prompts.
        train: How many train prompts to select.
        heldout: How many held-out prompts to select.

    Raises:
        SettingError: The pool has no more prompts than requested, or the models differ on none of them.
    """
    parts: dict[Split, list[Prompt]] = {
        "train": [prompt for prompt in pool if prompt.split == "train"],
        "heldout": [prompt for prompt in pool if prompt.split == "heldout"],
    }
    if len(parts["train"]) <= train and len(parts["heldout"]) <= heldout:
        raise SettingError(
            f"The pool holds {len(parts['train'])} train and {len(parts['heldout'])} held-out prompts, no more than "
            "are compared, so there is nothing to choose. Give a larger --pool and source, or smaller --train and "
            "--heldout"
        )
    known = np.flatnonzero(~np.isnan(scored.scores))
    if not (scored.scores[known] > 0).any():
        raise SettingError("The two models do the same on every prompt of the pool: there is nothing to choose by")
    vectors = embedder.embed([prompt.text for prompt in (*parts["train"], *parts["heldout"])])
    of_train, of_heldout = vectors[: len(parts["train"])][known], vectors[len(parts["train"]) :]
    model = _neighbours(len(known)).fit(of_train, scored.scores[known])
    expected = np.asarray(model.predict(of_heldout), dtype=np.float64)
    best = sorted(int(known[i]) for i in _highest(scored.scores[known], train))
    nearest = sorted(_highest(expected, heldout))
    note = (
        f"Prompts were selected to show differences: {len(best)} of {len(parts['train'])} train prompts by "
        f"{scored.by}; {len(nearest)} of {len(parts['heldout'])} held-out prompts by their text alone, nearest to such "
        f"train prompts, before any response to them was seen. {_how_well(of_train, scored.scores[known])} Shares "
        "apply to prompts selected like this, not to prompts in general."
    )
    selected = [*(parts["train"][i] for i in best), *(parts["heldout"][i] for i in nearest)]
    marked = tuple(replace(prompt, source=f"{prompt.source}, selected") for prompt in selected)
    return SelectedPrompts(marked, (note,), scored.usage)


def _under(conversation: Conversation, system_prompt: str | None) -> Conversation:
    return with_system_message(conversation, system_prompt) if system_prompt else conversation


def _highest(scores: Scores, count: int) -> list[int]:
    """The indices of the highest scores; among equal scores the first ones, in the prompts' hash order."""
    return [int(i) for i in np.argsort(-scores, kind="stable")[:count]]


def _neighbours(known: int) -> Any:  # noqa: ANN401 - scikit-learn ships no types
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(n_neighbors=min(NEIGHBOURS, known))


def _how_well(of_train: Vectors, scores: Scores) -> str:
    """A sentence on how well text predicts the scores: the cross-validated rank correlation over train prompts."""
    from scipy.stats import spearmanr
    from sklearn.model_selection import cross_val_predict

    if len(scores) < 2 * FOLDS:
        return "How well a prompt's text predicts this is unknown, because there are too few prompts."
    known = len(scores) - len(scores) // FOLDS - 1
    expected = cross_val_predict(_neighbours(known), of_train, scores, cv=FOLDS)
    if np.ptp(expected) == 0 or np.ptp(scores) == 0:
        return "A prompt's text does not predict this, so the held-out prompts are in effect chosen at random."
    rank = float(spearmanr(expected, scores).statistic)
    return f"Over train prompts, text predicts this with a rank correlation of {rank:.2f} ({FOLDS}-fold)."
