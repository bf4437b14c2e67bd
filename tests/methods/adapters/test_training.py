"""Training recovers what tuning changed in the MLPs, finds nothing where nothing changed, and can be interrupted."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from diffing.errors import SettingError
from diffing.methods.adapters.chat_batches import chats_of_step
from diffing.methods.adapters.training import BranchTrainingSettings, Trainer
from diffing.methods.adapters.trust import measure_trust
from diffing.methods.inside.checkpoint import TrainingCheckpoint
from tests.methods.adapters.tiny import SHAPE, chats, hybrid, model, tuned


def with_planted_features() -> tuple[Any, Any]:
    """A base, and a copy of it in whose MLPs one neuron, a sparse feature, writes what the base's does not."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        base = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SHAPE, mlp_bias=True, hidden_act="relu"))
        for block in base.model.layers:
            mlp = block.mlp
            with torch.no_grad():
                mlp.up_proj.weight[0], mlp.up_proj.bias[0] = 0, 1
                mlp.gate_proj.weight[0], mlp.gate_proj.bias[0] = 0.7 * torch.randn(16), -1
                mlp.down_proj.weight[:, 0] = 0
        other = tuned(base)
        for block in other.model.layers:
            with torch.no_grad():
                block.mlp.down_proj.weight[:, 0] = torch.randn(16)
    return base, other


def test_between_a_model_and_itself_nothing_is_learnt() -> None:
    made = hybrid(model(), model())
    Trainer(made, chats(8), BranchTrainingSettings(steps=5, chats=4)).run()
    for branch in made.branches.blocks:
        assert not branch.w_dec.any()
        assert not branch.b.any()
        assert not branch.c.any()
    assert measure_trust(made, chats(4, seed=1)).recovered is None


def test_tuned_mlps_are_recovered_on_chats_never_seen() -> None:
    made = hybrid(*with_planted_features())
    heldout = chats(24, seed=1)
    before = measure_trust(made, heldout)
    Trainer(made, chats(400), BranchTrainingSettings(steps=45, chats=10, sparsity=1e-4, rate=4e-2)).run()
    after = measure_trust(made, heldout)
    assert before.base == after.base > 0.1
    assert before.recovered == pytest.approx(0, abs=1e-6)
    assert after.recovered is not None
    assert after.recovered >= 0.9


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_recovers_as_much() -> None:
    base, other = with_planted_features()
    made = hybrid(base.to("cuda"), other.to("cuda"))
    Trainer(made, chats(400), BranchTrainingSettings(steps=45, chats=10, sparsity=1e-4, rate=4e-2)).run()
    recovered = measure_trust(made, chats(24, seed=1)).recovered
    assert recovered is not None
    assert recovered >= 0.9
    assert made.branches.blocks[0].w_enc.device.type == "cuda"


def test_sparsity_outweighs_nothing_that_it_competes_with() -> None:
    trainer = Trainer(
        hybrid(*with_planted_features()), chats(40), BranchTrainingSettings(steps=20, chats=4, sparsity=1e3)
    )
    for _ in range(3):
        trainer.step()
    assert trainer.progress.sparsity == 2e3  # before the first step nothing is written, so it costs nothing
    trainer = Trainer(
        hybrid(*with_planted_features()), chats(40), BranchTrainingSettings(steps=20, chats=4, sparsity=1e-9)
    )
    for _ in range(3):
        trainer.step()
    assert trainer.progress.sparsity == 8e-9


@pytest.mark.parametrize("cut", [1, 3])
def test_an_interrupted_training_gives_the_same_bytes(tmp_path: Path, cut: int) -> None:
    texts, settings = chats(10), BranchTrainingSettings(steps=5, chats=3, sparsity=1e-3)

    def training() -> Trainer:
        return Trainer(hybrid(model(), tuned(model(), "mlp")), texts, settings)

    class Killed(Exception):
        pass

    def kill(done: int, steps: int) -> None:
        if done == cut + 1:
            raise Killed

    def checkpoint(identity: str = "x") -> TrainingCheckpoint:
        return TrainingCheckpoint(tmp_path / "state.safetensors", identity, seconds_between=0)

    whole, killed, resumed = training(), training(), training()
    whole.run()
    with pytest.raises(Killed):
        killed.run(checkpoint(), kill)
    steps: list[int] = []
    resumed.run(checkpoint(), lambda done, total: steps.append(done))
    assert steps == list(range(cut, 6))
    assert resumed.progress == whole.progress
    for own, there in zip(resumed.hybrid.branches.tensors(), whole.hybrid.branches.tensors(), strict=True):
        assert torch.equal(own, there)
    with pytest.raises(SettingError, match="belongs to another training"):
        training().run(checkpoint("y"))


def test_a_step_in_several_batches_is_the_same_step() -> None:
    texts = chats(8)
    made = []
    for batch_tokens in (8192, 20):
        own = hybrid(model(), tuned(model(), "mlp"))
        Trainer(own, texts, BranchTrainingSettings(steps=1, chats=8, rate=1e-2, batch_tokens=batch_tokens)).run()
        made.append(own.branches.tensors())
    assert all(torch.allclose(one, other, atol=1e-3) for one, other in zip(*made, strict=True))
    assert any(tensor.any() for tensor in made[0])


def test_each_pass_takes_every_chat_once_in_an_order_of_its_own() -> None:
    texts = chats(6)
    passes = [
        [text for step in (0, 1, 2) for text in chats_of_step(texts, 3 * number + step, 2, seed=0)] for number in (0, 1)
    ]
    for one in passes:
        assert sorted(map(id, one)) == sorted(map(id, texts))
    assert list(map(id, passes[0])) != list(map(id, passes[1]))
    assert [id(text) for text in chats_of_step(texts, 1, 2, seed=0)] == list(map(id, passes[0][2:4]))
