"""Answers of local models: equal to transformers' own, whatever the batch, in order, and ended where they should
end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
import torch
import transformers

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.model import make_room
from diffing.types import Completion
from tests.models.local.tiny import IM_END, MIXED, says, tokenizer

GREEDY = Sampling(max_new_tokens=16)
DRAWN = Sampling(max_new_tokens=16, temperature=0.7, top_p=0.95, seed=3)
ModelFolder = Callable[[str], Path]


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(str(folder), options=LocalOptions(device="cpu", **options))


def by_transformers(model: Any, prompt: list[int], **settings: Any) -> list[int]:
    """New tokens of a single, unpadded prompt."""
    output = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=False, **settings
    )
    return output[0, len(prompt) :].tolist()


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt2", "bloom", "mistral", "gemma3_text", "mamba"])
def test_greedy_is_what_transformers_generates(model_folder: ModelFolder, kind: str) -> None:
    """Also with windows of 8 tokens (mistral, gemma3), learned positions (gpt2), none (bloom), no attention (mamba)."""
    folder = model_folder(kind)
    conversations = MIXED[:5] if kind == "mamba" else MIXED  # slow without its kernels
    answers = load(folder, max_batch_rows=4).generate(conversations, GREEDY)
    tokens = tokenizer()
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    for conversation, answer in zip(conversations, answers, strict=True):
        turns = [{"role": message.role, "content": message.content} for message in conversation]
        prompt = tokens.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
        new = by_transformers(model, prompt, max_new_tokens=16, eos_token_id=[256, IM_END], pad_token_id=256)
        assert answer.prompt_tokens == len(prompt)
        assert answer.completion_tokens == len(new)
        stopped = new[-1] in (256, IM_END)
        assert answer.finish == ("stop" if stopped else "length")
        assert answer.text == tokens.decode(new, skip_special_tokens=True)


def test_real_weights_equal_transformers(shared_data: Path) -> None:
    folder = shared_data / "models" / "stories260K"
    conversations = [says("Once upon a time" + " there was a little dog" * n) for n in range(6)]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    answers = load(folder, max_batch_rows=3).generate(conversations, Sampling(max_new_tokens=30))
    tokens = transformers.AutoTokenizer.from_pretrained(folder)
    for conversation, answer in zip(conversations, answers, strict=True):
        prompt = tokens(f"User: {conversation[0].content}\nAssistant:").input_ids
        new = by_transformers(model, prompt, max_new_tokens=30, eos_token_id=[1, 2], pad_token_id=0)
        text = tokens.decode(new, skip_special_tokens=True).split("\nUser:")[0].strip()
        assert (answer.text, answer.prompt_tokens) == (text, len(prompt))


@pytest.mark.parametrize("sampling", [GREEDY, DRAWN], ids=["greedy", "drawn"])
def test_answers_do_not_depend_on_the_batch(model_folder: ModelFolder, sampling: Sampling) -> None:
    """Other numbers of rows, another order, a tight token budget, more prompts beside them: the same answers."""
    folder = model_folder("llama")
    expected = load(folder, max_batch_rows=1).generate(MIXED, sampling)
    assert len({answer.text for answer in expected}) > len(MIXED) / 2
    model = load(folder)
    assert model.generate(MIXED, sampling) == expected
    assert model.generate(MIXED[::-1], sampling)[::-1] == expected
    assert model.generate([says(f"another {n}") for n in range(9)] + MIXED, sampling)[9:] == expected
    assert load(folder, max_batch_rows=4, max_batch_tokens=300).generate(MIXED, sampling) == expected
    assert model.generate([MIXED[0], MIXED[0]], sampling) == [expected[0], expected[0]]


def test_models_without_keys_and_values_draw_the_same_noise(model_folder: ModelFolder) -> None:
    few, sampling = MIXED[:4], Sampling(max_new_tokens=6, temperature=0.7)
    model = load(model_folder("mamba"))
    expected = model.generate(few, sampling)
    assert len({answer.text for answer in expected}) == 4
    assert load(model_folder("mamba"), max_batch_rows=2).generate(few[::-1], sampling)[::-1] == expected


def test_samples_and_seeds_are_independent(model_folder: ModelFolder) -> None:
    model = load(model_folder("llama"))
    draws = [
        model.generate(MIXED, Sampling(max_new_tokens=16, temperature=1.0, seed=seed, sample=sample))
        for seed, sample in [(0, 0), (0, 1), (1, 0)]
    ]
    for place in range(len(MIXED)):
        assert len({answers[place].text for answers in draws}) == 3


def test_each_answer_is_told_once_and_every_token_counted(model_folder: ModelFolder) -> None:
    told: dict[int, Completion] = {}
    counts: list[int] = []

    def tell(index: int, completion: Completion) -> None:
        assert index not in told
        told[index] = completion

    answers = load(model_folder("llama"), max_batch_rows=4).generate(
        MIXED, GREEDY, on_completion=tell, on_tokens=counts.append
    )
    assert [told[index] for index in range(len(MIXED))] == answers
    assert sum(counts) == sum(answer.completion_tokens or 0 for answer in answers)
    assert max(counts) == 4


def test_long_prompts_are_refused_not_cut(model_folder: ModelFolder) -> None:
    """The context holds 256 tokens; ChatML adds 34 bytes and special tokens to the user's words."""
    model = load(model_folder("llama"))
    overhead = model.generate([says("")], Sampling(max_new_tokens=1))[0].prompt_tokens
    assert overhead is not None
    fits, little, full = (says("x" * (256 - overhead - room)) for room in (9, 1, 0))
    answers = model.generate([full, fits, little], Sampling(max_new_tokens=9, temperature=1.0))
    assert answers[0] == Completion(
        text="",
        finish="rejected",
        prompt_tokens=256,
        detail="prompt of 256 tokens, the model reads at most 256 with its answer",
    )
    assert [answer.completion_tokens for answer in answers[1:]] == [9, 1]
    assert [answer.finish for answer in answers[1:]] == ["length", "length"]


def test_no_conversations_load_nothing(model_folder: ModelFolder) -> None:
    assert load(model_folder("llama")).generate([], GREEDY) == []


def test_models_give_way_to_one_that_does_not_fit_beside_them(model_folder: ModelFolder) -> None:
    first = load(model_folder("llama"))
    answers = first.generate(MIXED[:2], GREEDY)

    def only_alone() -> str | None:
        if first._loaded is not None:
            raise ModelError("org/name needs more memory")
        return None

    assert make_room(only_alone, WeakSet([first])) is None
    assert first.generate(MIXED[:2], GREEDY) == answers
    with pytest.raises(ModelError, match="org/name needs more memory"):
        make_room(only_alone, WeakSet())
    assert make_room(lambda: None, WeakSet([first])) is None
    assert first._loaded is not None  # both fit: none has to go


def test_closed_models_open_again(model_folder: ModelFolder) -> None:
    model = load(model_folder("llama"))
    before = model.generate(MIXED[:2], GREEDY)
    model.close()
    assert model.generate(MIXED[:2], GREEDY) == before
