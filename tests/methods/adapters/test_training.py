"""Training recovers what tuning changed in the MLPs, finds nothing where nothing changed, and can be interrupted."""

from diffing.methods.adapters.training import Trainer, TrainingSettings
from diffing.methods.adapters.trust import measure_trust
from tests.methods.adapters.tiny import chats, hybrid, model, tuned


def test_between_a_model_and_itself_nothing_is_learnt() -> None:
    made = hybrid(model(), model())
    Trainer(made, chats(8), TrainingSettings(steps=5, chats=4)).run()
    for branch in made.branches.blocks:
        assert not branch.w_dec.any()
        assert not branch.b.any()
        assert not branch.c.any()
    assert measure_trust(made, chats(4, seed=1)).recovered is None


def test_tuned_mlps_are_recovered_on_chats_never_seen() -> None:
    base = model()
    made = hybrid(base, tuned(base, "down_proj", size=0.05), features=32)
    before = measure_trust(made, chats(24, seed=1))
    settings = TrainingSettings(steps=120, chats=8, sparsity=1e-4, rate=2e-2)
    trainer = Trainer(made, chats(200), settings)
    trainer.run()
    after = measure_trust(made, chats(24, seed=1))
    assert before.base == after.base > 0.01
    assert after.recovered is not None
    assert after.recovered >= 0.9
