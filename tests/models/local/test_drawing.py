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


def drawn_from_all(logits: torch.Tensor, sampling: Sampling, keys: list[bytes], steps: list[int]) -> list[int]:
    """What `draw` returns, from a stable sort of all tokens and noise for every one of them."""
    scores = logits.double() / sampling.temperature
    ordered, order = scores.sort(dim=-1, descending=True, stable=True)
    shares = ordered.softmax(dim=-1)
    outside = shares.cumsum(dim=-1) - shares >= sampling.top_p
    outside[:, 0] = False
    if sampling.top_p < 1:
        scores = scores.masked_fill(outside.scatter(-1, order, outside), -torch.inf)
    seeds = token_sampling._seeds(keys, steps, logits)
    return (scores + token_sampling._gumbel(seeds[:, None], torch.arange(logits.shape[-1]))).argmax(-1).tolist()


@pytest.mark.parametrize("top_p", [1e-12, 0.1, 0.5, 0.95, 0.999999, 1.0])
@pytest.mark.parametrize("temperature", [0.01, 0.7, 1.0, 30.0])
def test_draws_are_those_from_all_tokens(temperature: float, top_p: float) -> None:
    logits = 4 * torch.randn(60, 2000, generator=torch.Generator().manual_seed(1))
    logits[10:20] = logits[10:20].round()  # equal scores: the first are left
    logits[20:30] = logits[20:30] * 5  # one token has nearly all of the probability
    logits[30:35] = 0
    logits[35:40, 5:] = -torch.inf
    sampling = Sampling(temperature=temperature, top_p=top_p, seed=3)
    keys, steps = [noise_key(says(str(n)), sampling) for n in range(60)], list(range(60))
    for form in (logits, logits.bfloat16()):
        assert draw(form, sampling, keys, steps) == drawn_from_all(form, sampling, keys, steps)
