"""Drawn tokens follow the softmax, and their noise depends on nothing but its key."""

import numpy as np
import pytest
import torch
from scipy import stats

from diffing.models.base import Sampling
from diffing.models.local import token_sampling
from diffing.models.local.token_sampling import draw, noise_key
from tests.models.local.tiny import says

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, 0.5, -3.0, 1.5, 0.0])
DRAWS = 20_000


def counts(sampling: Sampling, *, steps: bool) -> np.ndarray:
    """How often each token comes, over 20,000 conversations or over as many steps of one."""
    keys = [noise_key(says("same" if steps else str(n)), sampling) for n in range(DRAWS)]
    drawn = draw(LOGITS.expand(DRAWS, -1), sampling, keys, list(range(DRAWS)) if steps else [0] * DRAWS)
    return np.bincount(drawn, minlength=len(LOGITS))


@pytest.mark.parametrize("steps", [False, True], ids=["conversations", "steps"])
def test_draws_follow_the_softmax(steps: bool) -> None:
    observed = counts(Sampling(temperature=0.8, seed=5), steps=steps)
    expected = (LOGITS / 0.8).softmax(-1).numpy().astype(float)
    assert stats.chisquare(observed, expected / expected.sum() * DRAWS).pvalue > 0.01


def test_the_nucleus_leaves_the_likeliest_tokens() -> None:
    """Shares of the softmax in falling order: 0.42, 0.25, 0.15, 0.09...: the first three are the fewest with at least
    0.75."""
    observed = counts(Sampling(temperature=1.0, top_p=0.75), steps=False)
    inside = torch.zeros(8, dtype=torch.bool).index_fill(0, torch.tensor([0, 6, 1]), True)
    assert (observed > 0).tolist() == inside.tolist()
    shares = LOGITS.softmax(-1)[inside].numpy().astype(float)
    assert stats.chisquare(observed[inside.numpy()], shares / shares.sum() * DRAWS).pvalue > 0.01


def test_a_nucleus_of_nothing_is_greedy() -> None:
    observed = counts(Sampling(temperature=1.0, top_p=1e-9), steps=False)
    assert observed.tolist() == [DRAWS, 0, 0, 0, 0, 0, 0, 0]


def test_pairs_of_samples_are_independent() -> None:
    """A table of sample 0 against sample 1 of the same conversations."""
    tables = []
    for sample in (0, 1):
        sampling = Sampling(temperature=1.0, sample=sample)
        keys = [noise_key(says(str(n)), sampling) for n in range(DRAWS)]
        tables.append(draw(LOGITS.expand(DRAWS, -1), sampling, keys, [0] * DRAWS))
    table = np.zeros((8, 8))
    np.add.at(table, tuple(tables), 1)
    assert stats.chi2_contingency(table[[0, 1, 2, 4, 6, 7]][:, [0, 1, 2, 4, 6, 7]]).pvalue > 0.01


def test_rows_draw_alone_what_they_draw_together() -> None:
    sampling = Sampling(temperature=1.0)
    keys = [noise_key(says(str(n)), sampling) for n in range(50)]
    together = draw(LOGITS.expand(50, -1), sampling, keys, list(range(50)))
    alone = [draw(LOGITS[None], sampling, [key], [step])[0] for step, key in enumerate(keys)]
    assert together == alone


def test_greedy_takes_the_largest() -> None:
    assert draw(LOGITS[None], Sampling(), [b""], [0]) == [0]


@pytest.mark.parametrize("top_p", [1e-12, 0.1, 0.5, 0.95, 0.999999])
def test_the_nucleus_is_that_of_a_stable_sort_of_all_tokens(top_p: float) -> None:
    scores = 3 * torch.randn(6, 700, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scores[1:3] = scores[1:3].round()  # equal scores: the first are left
    scores[3] = 0
    scores[4, 5:] = -torch.inf
    ordered, order = scores.sort(dim=-1, descending=True, stable=True)
    shares = ordered.softmax(dim=-1)
    outside = shares.cumsum(dim=-1) - shares >= top_p
    outside[:, 0] = False
    expected = scores.masked_fill(outside.scatter(-1, order, outside), -torch.inf)
    assert torch.equal(token_sampling._nucleus(scores, top_p), expected)
