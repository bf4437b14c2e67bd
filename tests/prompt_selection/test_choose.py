"""Prompts chosen from a pool: where the models differ, without a look at held-out responses."""

from collections.abc import Sequence

import numpy as np
import pytest

from diffing.errors import SettingError
from diffing.methods.llm.embedders import TfidfEmbedder
from diffing.models.base import Sampling
from diffing.models.local import LocalModel
from diffing.models.scripted import ScriptedModel
from diffing.models.system_prompt import WithSystemPrompt
from diffing.prompt_selection.divergence_scores import of_responses
from diffing.prompt_selection.pool import choose_prompts, score_responses, score_tokens
from diffing.types import Completion, Conversation, Message, Prompt

MEDICINE = ("aspirin", "fever", "vaccine", "insulin", "migraine", "antibiotic", "dosage", "asthma")
TRAVEL = ("train", "passport", "hotel", "island", "luggage", "museum", "ferry", "desert")


def pool(count: int = 160) -> list[Prompt]:
    """One prompt of four is about medicine; one of three is held out."""
    prompts = []
    for i in range(count):
        words = MEDICINE if i % 4 == 0 else TRAVEL
        kind = "medicine from my doctor" if i % 4 == 0 else "journey on my holiday"
        text = f"Question {i}: is {words[i // 4 % 8]} or {words[i // 7 % 8]} part of the {kind}?"
        split = "heldout" if i % 3 == 0 else "train"
        prompts.append(Prompt(f"p{i}", (Message("user", text),), "pool", split, domain=kind.split()[0]))
    return prompts


def models(asked: list[str]) -> tuple[ScriptedModel, ScriptedModel]:
    def plain(conversation: Conversation, sampling: Sampling) -> str:
        return f"Yes, and more about {conversation[-1].content}"

    def refusing(conversation: Conversation, sampling: Sampling) -> str:
        asked.append(conversation[-1].content)
        medical = "medicine" in conversation[-1].content
        return "I cannot answer that; see a physician." if medical else plain(conversation, sampling)

    return ScriptedModel("a", plain), ScriptedModel("b", refusing)


def test_both_splits_are_where_the_models_differ_and_no_held_out_prompt_was_answered() -> None:
    prompts, asked = pool(), list[str]()
    train = [prompt for prompt in prompts if prompt.split == "train"]
    embedder = TfidfEmbedder()
    scored = score_responses(models(asked), (Sampling(), Sampling()), train, embedder)
    chosen = choose_prompts(prompts, scored, embedder, train=20, heldout=10)
    assert sorted(asked) == sorted(prompt.text for prompt in train)
    assert [prompt.domain for prompt in chosen.prompts] == ["medicine"] * 30
    assert [prompt.split for prompt in chosen.prompts] == ["train"] * 20 + ["heldout"] * 10
    assert {prompt.source for prompt in chosen.prompts} == {"pool, selected"}
    (note,) = chosen.notes
    assert "20 of 106 train prompts" in note
    assert "10 of 54 held-out prompts by their text alone" in note
    assert "not to prompts in general" in note
    assert [(usage.stage, usage.calls) for usage in chosen.usage] == [("pool a", 106), ("pool b", 106)]


def test_scores_of_responses() -> None:
    texts_a, texts_b = ["same words here", "", "", "one thing"], ["same words here", "", "text", "other stuff"]
    scores = of_responses(texts_a, texts_b, TfidfEmbedder())
    assert scores[:2].tolist() == [0.0, 0.0]
    assert scores[2] == 1.0
    assert 0.5 < scores[3] <= 1.0


def test_a_prompt_that_a_model_rejects_is_not_chosen() -> None:
    class Refusing(ScriptedModel):
        def generate(self, conversations: Sequence[Conversation], *args: object, **options: object) -> list[Completion]:
            made = super().generate(conversations, *args, **options)  # type: ignore[arg-type]
            return [
                Completion("", "rejected", detail="too long") if "Question 4:" in conversation[-1].content else each
                for conversation, each in zip(conversations, made, strict=True)
            ]

    prompts = pool()
    train = [prompt for prompt in prompts if prompt.split == "train"]
    _, b = models([])
    rejecting = Refusing("a", lambda conversation, sampling: "Yes")
    scored = score_responses((rejecting, b), (Sampling(), Sampling()), train, TfidfEmbedder())
    assert np.isnan(scored.scores).sum() == 1
    chosen = choose_prompts(prompts, scored, TfidfEmbedder(), train=30, heldout=5)
    assert "p4" not in {prompt.id for prompt in chosen.prompts}


def test_what_cannot_be_chosen_from() -> None:
    prompts = pool()
    train = [prompt for prompt in prompts if prompt.split == "train"]
    a, b = models([])
    same = score_responses((a, a), (Sampling(), Sampling()), train, TfidfEmbedder())
    with pytest.raises(SettingError, match="the same on every prompt"):
        choose_prompts(prompts, same, TfidfEmbedder(), train=20, heldout=10)
    scored = score_responses((a, b), (Sampling(), Sampling()), train, TfidfEmbedder())
    with pytest.raises(SettingError, match="106 train and 54 held-out prompts, no more than"):
        choose_prompts(prompts, scored, TfidfEmbedder(), train=106, heldout=54)
    with pytest.raises(SettingError, match="both models must run here"):
        score_tokens((a, b), train)


@pytest.fixture(scope="module")
def demo_pair() -> tuple[LocalModel, LocalModel]:
    from diffing.demo.config import demo_config

    config = demo_config()
    return LocalModel.load(config.model_a), LocalModel.load(config.model_b)


def test_first_tokens(demo_pair: tuple[LocalModel, LocalModel]) -> None:
    """The divergence is that of the definition, taken from the weights directly; 0 for a model and itself."""
    import torch

    base, tuned = demo_pair
    texts = ("How do I bake bread?", "I have a fever. Should I worry?", "What is two plus three?", "Hello there")
    train = [Prompt(str(i), (Message("user", text),), "s", "train") for i, text in enumerate(texts)]
    assert score_tokens((base, base), train).scores.tolist() == pytest.approx([0.0] * 4, abs=1e-9)
    found = score_tokens((base, tuned), train).scores
    wanted = []
    for prompt in train:
        ids = torch.tensor([base.loaded().chat.encode(prompt.messages)])
        with torch.inference_mode():
            p, q = (torch.softmax(m.loaded().model(ids).logits[0, -1].double(), -1) for m in demo_pair)
        mean = (p + q) / 2
        wanted.append(float(((p * (p / mean).log2()).nansum() + (q * (q / mean).log2()).nansum()) / 2))
    assert found == pytest.approx(wanted, abs=1e-6)
    assert max(wanted) > 0.05
    briefed = WithSystemPrompt(base, "You are a helpful assistant.")
    assert (score_tokens((base, briefed), train).scores > 0).any()
