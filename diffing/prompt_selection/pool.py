"""Chooses from a pool the prompts on which two models differ most.

Train prompts by how much the models really differ on them; held-out prompts by how much they are expected to, from the
text of the prompt alone: the mean over the nearest train prompts of the pool. No response to a held-out prompt is
looked at, so the choice cannot favour any hypothesis on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diffing.errors import SettingError
from diffing.methods.llm.embed import Embedder, Vectors
from diffing.models.base import Model, Sampling
from diffing.models.cache import CachedModel
from diffing.models.system_prompt import WithSystemPrompt, with_system_message
from diffing.prompt_selection.divergence import Scores, TokenModel, of_first_tokens, of_responses
from diffing.prompt_selection.selected import Elicited
from diffing.responses import answer, usage_of
from diffing.stages import POOL
from diffing.types import SIDES, Conversation, OnProgress, Prompt, Split, Usage, ignore_progress

NEIGHBOURS = 10
"""Train prompts whose mean tells how much a prompt is expected to show."""
FOLDS = 5
"""Of the check how well that works."""


@dataclass(frozen=True, slots=True)
class Scored:
    """How much two models differ on the train prompts of a pool."""

    scores: Scores
    """One per train prompt; NaN where a model gave no answer."""
    by: str
    """How that was measured, in words."""
    usage: tuple[Usage, ...] = ()
    """What it took."""


def score_responses(
    models: tuple[Model, Model],
    samples: tuple[Sampling, Sampling],
    train: Sequence[Prompt],
    embedder: Embedder,
    on_progress: OnProgress = ignore_progress,
) -> Scored:
    """Has both models answer, and compares the answers. The run finds those to chosen prompts in the cache.

    Args:
        models: A and B.
        samples: How A's and how B's answers are drawn.
        train: The train prompts of the pool.
        embedder: Of responses.
        on_progress: Told of every answer.

    Raises:
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    completions = [
        answer(model, train, sampling, POOL[side], on_progress)
        for model, sampling, side in zip(models, samples, SIDES, strict=True)
    ]
    of_a, of_b = ([completion.text for completion in made] for made in completions)
    scores = of_responses(of_a, of_b, embedder)
    failed = [{a.finish, b.finish} & {"rejected", "error"} != set() for a, b in zip(*completions, strict=True)]
    usage = [usage_of(POOL[side], model, made) for side, model, made in zip(SIDES, models, completions, strict=True)]
    by = f"how unlike the two responses are (1 - cosine of their embeddings by {embedder.name})"
    return Scored(np.where(failed, np.nan, scores), by, tuple(usage))


def score_tokens(models: tuple[Model, Model], train: Sequence[Prompt]) -> Scored:
    """Compares the distributions of the first token of the answer; no answer is generated.

    Args:
        models: A and B.
        train: The train prompts of the pool.

    Raises:
        SettingError: A model does not tell its next tokens, or the two have different vocabularies.
    """
    readable = [_token_model(model) for model in models]
    if readable[0] is None or readable[1] is None:
        raise SettingError("--pool-by tokens reads weights, so both models must run here. Use --pool-by responses")
    systems = [model.system_prompt if isinstance(model, WithSystemPrompt) else None for model in models]
    sides = [[_under(prompt.messages, system) for prompt in train] for system in systems]
    scores = of_first_tokens(readable[0], readable[1], (sides[0], sides[1]))
    return Scored(scores, "the Jensen-Shannon divergence of the first token of the two answers")


def _token_model(model: Model) -> TokenModel | None:
    """The model under its system prompt and its cache, where it tells its next tokens."""
    while isinstance(model, WithSystemPrompt | CachedModel):
        model = model.model
    return model if isinstance(model, TokenModel) else None


def choose_prompts(pool: Sequence[Prompt], scored: Scored, embedder: Embedder, *, train: int, heldout: int) -> Elicited:
    """Takes the train prompts with the highest scores, and the held-out prompts that are expected to have them.

    Args:
        pool: Both splits.
        scored: Of the pool's train prompts, in their order.
        embedder: Of prompts.
        train: How many train prompts to take.
        heldout: How many held-out prompts to take.

    Raises:
        SettingError: The pool holds no more than is asked for, or the models differ on none of its prompts.
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
        f"train prompts, before any response to them was seen. {_how_well(of_train, scored.scores[known])} Shares hold "
        "for prompts selected like this, not for prompts at large."
    )
    taken = [*(parts["train"][i] for i in best), *(parts["heldout"][i] for i in nearest)]
    marked = tuple(replace(prompt, source=f"{prompt.source}, selected") for prompt in taken)
    return Elicited(marked, (note,), scored.usage)


def _under(conversation: Conversation, system_prompt: str | None) -> Conversation:
    return with_system_message(conversation, system_prompt) if system_prompt else conversation


def _highest(scores: Scores, count: int) -> list[int]:
    """The places of the highest scores; of equal ones the first, which a hash of the prompt put there."""
    return [int(i) for i in np.argsort(-scores, kind="stable")[:count]]


def _neighbours(known: int) -> Any:  # noqa: ANN401 - scikit-learn ships no types
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(n_neighbors=min(NEIGHBOURS, known))


def _how_well(of_train: Vectors, scores: Scores) -> str:
    """The rank correlation of expected and measured scores over train prompts, each expected from other folds."""
    from scipy.stats import spearmanr
    from sklearn.model_selection import cross_val_predict

    if len(scores) < 2 * FOLDS:
        return "How well a prompt's text tells this is not known: there are too few prompts."
    known = len(scores) - len(scores) // FOLDS - 1
    expected = cross_val_predict(_neighbours(known), of_train, scores, cv=FOLDS)
    if np.ptp(expected) == 0 or np.ptp(scores) == 0:
        return "A prompt's text tells nothing of this, so the held-out prompts are as good as drawn at random."
    rank = float(spearmanr(expected, scores).statistic)
    return f"Over train prompts, text tells this with a rank correlation of {rank:.2f} ({FOLDS}-fold)."
