"""A direction that a model's answer rests on is told from random ones, and one that it does not use is not."""

from pathlib import Path

import pytest
import torch

from diffing.methods.inside.causal import (
    OutputEdit,
    causal_effect,
    gap_closed,
    projected_out,
    response_log_probs,
)
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.inside.side_models import open_side
from diffing.methods.inside.steering import answer_without
from diffing.models.base import Sampling
from diffing.models.system_prompt import with_system_message
from tests.methods.inside import tiny_pair
from tests.methods.sae import tiny

READ = torch.eye(32)[5]
"""The direction on which the head rests."""


@pytest.fixture(scope="module")
def whole(folders: tuple[Path, Path]):
    """The tiny Llama whose head reads `READ` for all that is written, its second block, and texts."""
    side = open_side(str(folders[0]), "a", options=tiny_pair.CPU)
    block, loaded = side.whole_block(), side.whole()
    texts = [text for each in tiny_pair.exchanges(8) if isinstance(text := side.tokenize(each), TokenizedResponse)]
    written = torch.zeros(tiny.WORDS)
    written[[int(token) for text in texts for token in text.ids[text.start :]]] = 1
    with torch.no_grad():
        loaded.model.lm_head.weight += torch.outer(written, READ)
    yield loaded.model, block, texts
    side.close()


def expected_log_probs(model, text: TokenizedResponse) -> torch.Tensor:
    """What transformers gives for the response."""
    with torch.inference_mode():
        logits = model(torch.tensor([text.ids.tolist()])).logits[0]
    return torch.log_softmax(logits.float(), -1)


def test_log_probabilities_are_those_of_the_response(whole) -> None:
    model, _, texts = whole
    for text, found in zip(texts, response_log_probs(model, texts), strict=True):
        table = expected_log_probs(model, text)
        tokens = range(text.start, len(text.ids))
        assert found == pytest.approx(sum(float(table[i - 1, int(text.ids[i])]) for i in tokens), rel=1e-5)


def test_the_direction_that_a_head_reads_exceeds_random_ones(whole) -> None:
    model, block, texts = whole
    effect = causal_effect(model, block, texts, [OutputEdit((0, 1), -READ.expand(2, 32))] * len(texts))
    assert effect.exceeds_random
    assert (effect.fell, effect.rose) == (8, 0)
    assert effect.p_value == pytest.approx(0.5**8)
    assert effect.places == 16
    assert len(effect.kl_random) == 16


def test_a_random_direction_is_no_stronger_than_others(whole) -> None:
    model, block, texts = whole
    drawn = torch.randn(32, generator=torch.Generator().manual_seed(9))
    edits = [OutputEdit((0, 1), (drawn / drawn.norm()).expand(2, 32))] * 2
    effect = causal_effect(model, block, texts[:2], edits)
    assert not effect.exceeds_random
    assert effect == causal_effect(model, block, texts[:2], edits)


def test_no_change_has_no_effect(whole) -> None:
    model, block, texts = whole
    effect = causal_effect(model, block, texts[:2], [OutputEdit((0,), torch.zeros(1, 32))] * 2)
    assert (effect.kl, effect.fell, effect.rose, effect.p_value) == (0.0, 0, 0, None)
    assert not effect.exceeds_random
    with pytest.raises(ValueError, match="expected positions to change"):
        causal_effect(model, block, texts[:1], [OutputEdit((), torch.zeros(0, 32))])


def test_a_change_reaches_its_position_and_those_after_it(whole) -> None:
    from diffing.methods.inside.causal import _log_probs

    model, block, texts = whole
    text = texts[3]
    before, after = _log_probs(model, text, block, [None, OutputEdit((4,), torch.ones(1, 32))])
    torch.testing.assert_close(before[:4], after[:4])
    assert (before[4:] - after[4:]).abs().amax(dim=-1).min() > 0


def test_the_share_of_the_gap_that_a_change_closes() -> None:
    assert gap_closed([-1.0, -2.0, -9.0], [-3.0, -6.0, -5.0], [-2.0, -5.0, 0.0]) == pytest.approx(2 / 6)
    assert gap_closed([-2.0], [-1.0], [0.0]) is None


def test_projecting_a_direction_out_leaves_nothing_along_it(whole) -> None:
    model, block, texts = whole
    direction = torch.arange(32.0)
    caught: list[torch.Tensor] = []

    def catch(_: object, __: object, output) -> None:
        caught.append(output[0] if isinstance(output, tuple) else output)

    with projected_out(block, direction), torch.inference_mode():
        handle = block.register_forward_hook(catch)
        model(torch.tensor([texts[0].ids.tolist()]))
        handle.remove()
    along = caught[0] @ direction / direction.norm()
    assert along.abs().max() < 1e-4 * caught[0].norm(dim=-1).max()
    assert len(block._forward_hooks) == 0


def test_answers_without_a_direction_differ_and_the_model_stays_as_it_was(folders: tuple[Path, Path]) -> None:
    side = open_side(str(folders[0]), "a", options=tiny_pair.CPU, system_prompt="Be brief.")
    asked = [each.conversation for each in tiny_pair.exchanges(4)[::2]]
    sampling = Sampling(max_new_tokens=8)
    directions = torch.eye(32)
    texts = [[each.text for each in answer_without(side, directions[i], asked, sampling)] for i in (0, 1, 0)]
    assert texts[0] == texts[2]
    side.whole()
    told = [with_system_message(each, "Be brief.") for each in asked]
    plain = [each.text for each in side.model.generate(told, sampling)]
    assert texts[0] != plain or texts[1] != plain
    side.close()
