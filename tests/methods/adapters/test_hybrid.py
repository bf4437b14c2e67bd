"""The hybrid is the tuned model with the base's MLPs, and nothing else."""

import pytest
import torch

from diffing.methods.adapters.chat_batches import anchor, padded
from diffing.methods.adapters.hybrid import forward
from diffing.methods.adapters.trust import measure_trust
from tests.methods.adapters.tiny import ARCHITECTURES, BLOCKS, chats, hybrid, model, tuned


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_each_choice_of_mlps_is_the_model_with_those_weights(kind: str) -> None:
    base = model(kind)
    other = tuned(base, "self_attn", "mlp", "norm", "embed")
    batch = padded(chats(4))
    expected = tuned(base)
    expected.load_state_dict({**other.state_dict(), **{k: v for k, v in base.state_dict().items() if ".mlp." in k}})
    with torch.no_grad():
        of_tuned, of_bare = forward(other, batch), forward(expected, batch)
        made = hybrid(base, other)
        assert torch.equal(made.run(batch, made.uniform("tuned")).log_probabilities, of_tuned[1])
        assert torch.equal(made.run(batch, made.uniform("base")).log_probabilities, of_bare[1])
        # new branches add nothing
        adapted = made.run(batch, made.uniform("adapted"))
    assert torch.equal(adapted.log_probabilities, of_bare[1])
    assert all(torch.equal(own, there) for own, there in zip(adapted.leaving, of_bare[0], strict=True))
    assert not torch.allclose(of_bare[1], of_tuned[1], atol=1e-2)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_log_probabilities_are_those_of_the_whole_model(kind: str) -> None:
    own = model(kind)
    texts = chats(3)
    with torch.no_grad():
        made = forward(own, padded(texts))[1]
        alone = [
            own(torch.from_numpy(text.ids).long()[None]).logits[0, anchor(text) :].log_softmax(-1) for text in texts
        ]
    assert torch.allclose(made, torch.cat(alone), atol=1e-4)


def test_features_add_their_directions_to_the_output_of_the_mlp() -> None:
    made = hybrid(model(), tuned(model(), "norm"))
    batch = padded(chats(2))
    branch = made.branches.blocks[1]
    with torch.no_grad():
        branch.w_dec.normal_()
        branch.b.normal_()
        mlps = ("base", "adapted")
        before = made.run(batch, made.uniform("base")).leaving[1]
        passed = made.run(batch, mlps)
        features = passed.features[1]
    assert set(passed.features) == {1}
    assert features.shape == (*batch.ids.shape, 24)
    assert 0 < float((features > 0).float().mean()) < 1
    assert torch.allclose(passed.leaving[1] - before, features @ branch.w_dec.T + branch.b, atol=1e-5)


def test_if_only_attention_was_tuned_the_hybrid_is_the_tuned_model() -> None:
    base = model()
    trust = measure_trust(hybrid(base, tuned(base, "self_attn", "norm")), chats(8))
    assert trust.base > 0.01
    assert trust.without_branches == trust.hybrid == 0
    assert (trust.recovered, trust.outside_mlps, trust.recovered_of_mlps) == (1, 1, None)
    assert trust.stream_errors == (0,) * BLOCKS


def test_if_only_mlps_were_tuned_the_hybrid_without_branches_is_the_base() -> None:
    base = model()
    trust = measure_trust(hybrid(base, tuned(base, "mlp")), chats(8))
    assert trust.without_branches == trust.hybrid == pytest.approx(trust.base)
    assert trust.base > 0.01
    assert trust.recovered == pytest.approx(0, abs=1e-6)
