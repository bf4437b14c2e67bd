"""Amplified sampling: its scores are exactly those of the formula, however rows are batched; what cannot be amplified
is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from diffing.errors import ModelError, SettingError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions, decoding_rows
from diffing.models.local.amplified import AmplifiedModel, LocalSide, amplified_scores
from diffing.models.local.cached_rows import CachedRows
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.stop_tokens import StopTokens
from diffing.models.system_prompt import with_system_message
from tests.models.local.tiny import MIXED, VOCABULARY, save, says, tokenizer

GREEDY = Sampling(max_new_tokens=8)
DRAWN = Sampling(max_new_tokens=8, temperature=0.9, seed=4)
Folders = tuple[Path, Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Two tiny models with one vocabulary."""
    root = tmp_path_factory.mktemp("amplified")
    return save(root / "one", seed=0), save(root / "two", seed=1)


def local(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(str(folder), options=LocalOptions(device="cpu", **options))


def amplified(folders: Folders, alpha: float, systems: tuple[str, str] = ("", ""), **options: Any) -> AmplifiedModel:
    own, other = (LocalSide(local(folder, **options), text) for folder, text in zip(folders, systems, strict=True))
    return AmplifiedModel(own, other, alpha)


def test_the_scores_are_those_of_the_formula() -> None:
    nothing = float("-inf")
    own = torch.tensor([[2.0, 1.0, nothing, 3.0, 9.0]])
    other = torch.tensor([[1.0, 3.0, 4.0, nothing]])  # the first model's embeddings are padded with a column
    assert amplified_scores(own, other, 0.5).tolist() == [[2.5, 0.0, nothing, 3.0, nothing]]


@pytest.mark.parametrize("sampling", [GREEDY, DRAWN], ids=["greedy", "drawn"])
def test_without_amplification_the_answers_are_the_models_own(folders: Folders, sampling: Sampling) -> None:
    plain = local(folders[0]).generate(MIXED, sampling)
    assert amplified(folders, 0.0).generate(MIXED, sampling) == plain
    assert amplified(folders, 0.7).generate(MIXED, sampling) != plain


SYSTEMS = ("Be brief.", "You are a poet who writes long answers.")


@pytest.fixture(scope="module")
def by_hand(folders: Folders) -> list[tuple[str, int]]:
    """Text and number of tokens of each answer, if all tokens are read anew for each next one."""
    one, two = (transformers.AutoModelForCausalLM.from_pretrained(folder) for folder in folders)
    tokens = tokenizer()
    chat = Chat(tokens, StopTokens(), None, "tiny")
    made = []
    for conversation in MIXED:
        prompts = [chat.encode(with_system_message(conversation, system)) for system in SYSTEMS]
        written: list[int] = []
        while len(written) < GREEDY.max_new_tokens and not (written and written[-1] in (256, 258)):
            own, other = (
                model(input_ids=torch.tensor([[*prompt, *written]])).logits[0, -1]
                for model, prompt in zip((one, two), prompts, strict=True)
            )
            written.append(int((own + 0.7 * (own - other)).argmax()))
        made.append((tokens.decode(written, skip_special_tokens=True), len(written)))
    return made


@pytest.mark.parametrize("rows", [1, 3, 64])
def test_each_token_is_the_best_by_the_amplified_scores(
    folders: Folders, by_hand: list[tuple[str, int]], rows: int
) -> None:
    """In any batch: rows join and leave, since answers and prompts are of many lengths. Each has a system prompt."""
    answers = amplified(folders, 0.7, SYSTEMS, max_batch_rows=rows).generate(MIXED, GREEDY)
    assert [(answer.text, answer.completion_tokens) for answer in answers] == by_hand


@pytest.mark.slow
def test_a_model_that_keeps_no_keys_and_values_is_read_anew(folders: Folders, tmp_path: Path) -> None:
    mamba = save(tmp_path / "mamba", "mamba")
    few, sampling = MIXED[:3], Sampling(max_new_tokens=2)
    both = amplified((folders[0], mamba), 0.5, max_batch_rows=2).generate(few, sampling)
    alone = [amplified((folders[0], mamba), 0.5, max_batch_rows=1).generate([each], sampling)[0] for each in few]
    assert both == alone
    assert amplified((mamba, folders[0]), 0.0).generate(few, sampling) == local(mamba).generate(few, sampling)


def test_memory_that_runs_out_changes_no_answer(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the other model while it goes on, and in the model's own draws, when the other has read the token already."""
    expected = amplified(folders, 0.7).generate(MIXED, GREEDY)
    for owner, name in ((CachedRows, "_forward"), (decoding_rows, "draw")):
        model, calls = amplified(folders, 0.7), 0
        real = getattr(owner, name)

        def fails(*given: Any, real: Any = real) -> Any:
            nonlocal calls
            calls += 1
            if calls in (5, 9, 17):
                raise torch.OutOfMemoryError("out of memory")
            return real(*given)

        model.generate(MIXED[:1], GREEDY)  # the trial of both models' batches is over
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, fails)
            assert model.generate(MIXED, GREEDY) == expected
        assert calls > 17


def test_the_id_covers_both_models_their_prompts_and_alpha(folders: Folders) -> None:
    models = [
        amplified(folders, 0.5),
        amplified(folders[::-1], 0.5),
        amplified(folders, 0.6),
        amplified(folders, 0.5, ("Be brief.", "")),
        amplified(folders, 0.5, ("", "Be brief.")),
    ]
    assert len({model.id for model in models} | {local(folder).id for folder in folders}) == 7
    assert models[0].id == amplified(folders, 0.5).id
    assert models[0].id.startswith(f"{local(folders[0]).id}#amplified=0.5#against=")


def test_the_model_itself_and_another_vocabulary_are_refused(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(
        SettingError, match=r"--amplify has no effect where both sides are the same model .*Leave it out"
    ):
        amplified((folders[0], folders[0]), 0.5)
    assert amplified((folders[0], folders[0]), 0.5, ("Be brief.", "")).generate([says("Hi")], GREEDY)
    words = save(tmp_path / "words", seed=1)
    other = tokenizer()
    other.add_tokens(["word"])
    other.save_pretrained(words)
    assert len(other) == VOCABULARY  # within the embeddings, so that only the vocabulary differs
    with pytest.raises(ModelError, match=r"the vocabularies of .* differ: leave --amplify out"):
        amplified((folders[0], words), 0.5).generate([says("Hi")], GREEDY)


def test_models_that_do_not_fit_together_are_refused(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    model = amplified(folders, 0.5)
    load = LocalModel.loaded

    def alone(self: LocalModel) -> Any:
        model._own.model.close()
        return load(self)

    monkeypatch.setattr(LocalModel, "loaded", alone)
    with pytest.raises(ModelError, match=r"--amplify needs both models in memory at once, and .* do not fit"):
        model.generate([says("Hi")], GREEDY)


def test_a_conversation_that_one_of_both_cannot_read_is_rejected(folders: Folders) -> None:
    answers = amplified(folders, 0.5, ("", "long " * 60)).generate([says("Hi"), says("Hi")], GREEDY)
    assert [answer.finish for answer in answers] == ["rejected", "rejected"]
