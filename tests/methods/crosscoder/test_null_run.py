"""Two samples of one model confirm nothing; responses that another one wrote in its place do."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from diffing.demo.config import FOLDER
from diffing.methods.crosscoder import latent_facts
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.null_run import run_null
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser
from diffing.methods.exchanges import Exchange
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.side_models import open_side
from diffing.methods.inside.texts import TrainingTexts
from diffing.methods.inside.training_rows import TrainingRows
from diffing.models.base import Sampling
from diffing.models.local import LocalOptions
from diffing.types import Message, Pair, Prompt, Response, Split, Stage

pytestmark = pytest.mark.slow
SAMPLING = Sampling(max_new_tokens=10, temperature=1.0)
OPTIONS = CrosscoderOptions(null_sampling=replace(SAMPLING, sample=1))


@pytest.fixture(scope="module")
def pair() -> Iterator[InsidePair]:
    base = str(FOLDER / "models" / "base")
    cpu = LocalOptions(device="cpu", dtype="float32")
    with InsidePair(open_side(base, "a", options=cpu), open_side(base, "b", options=cpu)) as opened:
        yield opened


@pytest.fixture(scope="module")
def own(pair: InsidePair) -> list[Pair]:
    """Pairs with responses that the model wrote itself."""
    asked = [(Message("user", f"Tell me about number {n}."),) for n in range(60)]
    answers = pair.sides[0].model.generate(asked, SAMPLING)
    return [pair_of(n, messages, one.text) for n, (messages, one) in enumerate(zip(asked, answers, strict=True))]


def pair_of(number: int, messages: tuple[Message, ...], text: str) -> Pair:
    split: Split = "train" if number < 30 else "heldout"
    prompt = Prompt(f"p{number}", messages, "numbers", split=split)
    response = Response(prompt.id, "base", text, "stop")
    return Pair(prompt, response, response)


@pytest.fixture(scope="module")
def dictionaries(pair: InsidePair, own: list[Pair]) -> Dictionaries:
    """A latent for either sign of every dimension, alive or not."""
    exchanges = [Exchange(each.prompt.messages, each.a.text) for each in own]
    pair.calibrate(exchanges)
    width = pair.widths[0]
    signs = torch.cat([torch.eye(width), -torch.eye(width)])
    zeros = torch.zeros(width)
    weights = DictionaryWeights((signs, signs), torch.zeros(2 * width), (signs, signs), (zeros, zeros))
    crosscoder = Crosscoder(
        weights, Normaliser((zeros, zeros), (1.0, 1.0)), threshold=0.0, k=8, partition=(0, 0), same_space=True,
        source=None,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latent_facts, "_FEWEST_ROWS", 400)
        facts = latent_facts.latent_facts(crosscoder, TrainingRows(pair, TrainingTexts(exchanges), 1_000))
    return Dictionaries(crosscoder, None, facts, None)


@pytest.fixture(autouse=True)
def dense_latents_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_facts, "DENSE_SHARE", 1.0)


def test_two_samples_of_one_model_confirm_nothing(
    pair: InsidePair, own: list[Pair], dictionaries: Dictionaries
) -> None:
    seen: list[tuple[Stage, int, int]] = []
    found = run_null(pair, dictionaries, OPTIONS, (own[:30], own[30:]), lambda *told: seen.append(told))
    assert (found.kept, found.confirmed) == (0, 0)
    assert found.tested is not None
    assert seen[-1] == ("null responses", 60, 60)


def test_responses_of_another_writer_are_told_from_a_sample(
    pair: InsidePair, own: list[Pair], dictionaries: Dictionaries
) -> None:
    other = [pair_of(n, each.prompt.messages, "Zzz! Zzz! Zzz!") for n, each in enumerate(own)]
    found = run_null(pair, dictionaries, OPTIONS, (other[:30], other[30:]), lambda *_: None)
    assert found.tested is not None
    assert found.confirmed is not None
    assert found.tested >= found.confirmed > 10


def test_without_a_second_sample_only_what_is_kept_is_counted(
    pair: InsidePair, own: list[Pair], dictionaries: Dictionaries
) -> None:
    found = run_null(pair, dictionaries, CrosscoderOptions(), (own[:30], own[30:]), lambda *_: None)
    assert (found.kept, found.tested, found.confirmed) == (0, None, None)
