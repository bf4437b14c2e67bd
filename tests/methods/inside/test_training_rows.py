"""The stream of training rows: complete, seeded, resumable byte for byte, and bounded in memory."""

import gc
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
import torch

from diffing.errors import SettingError
from diffing.methods.exchanges import Exchange
from diffing.methods.inside.corpus import Corpus
from diffing.methods.inside.pair_reading import AlignedRows, InsidePair
from diffing.methods.inside.texts import TrainingTexts
from diffing.methods.inside.training_rows import StreamSizes, TrainingRows
from diffing.types import Message
from tests.methods.inside.tiny_pair import exchanges, open_pair

SIZES = StreamSizes(buffer_rows=64, window_tokens=300)
UNREADABLE = Exchange((Message("user", "x" * 500),), "x")


def stream(pair: InsidePair, number: int = 20, *, wanted: int = 10_000, seed: int = 3) -> TrainingRows:
    """The rows of a few responses."""
    return TrainingRows(pair, TrainingTexts(exchanges(number)), wanted, seed=seed, sizes=SIZES)


def keys(a: torch.Tensor) -> list[tuple[float, ...]]:
    """Rows as values that can be compared, as the buffer stores them."""
    return [tuple(row[:6]) for row in a.bfloat16().float().tolist()]


def test_one_pass_has_every_row_or_it_is_held_back(pair: InsidePair) -> None:
    rows = stream(pair)
    read = [each for each in pair.read(exchanges(20)) if isinstance(each, AlignedRows)]
    every = Counter(key for each in read for key in keys(each.a))
    held = Counter(key for batch in rows.held_back(16) for key in keys(batch.a))
    assert held.total() > 0
    assert rows.total + held.total() == every.total()
    # a whole number of passes that fills the buffer a whole number of times
    trained = Counter(key for batch in islice(rows.batches(32), 8 * rows.total // 32) for key in keys(batch.a))
    assert not trained.keys() & held.keys()
    assert trained.keys() == (every - held).keys()


def test_rows_of_both_models_stay_together(pair: InsidePair) -> None:
    read = [each for each in pair.read(exchanges(20)) if isinstance(each, AlignedRows)]
    partner = {key: keys(each.b)[row] for each in read for row, key in enumerate(keys(each.a))}
    for batch in islice(stream(pair).batches(32), 10):
        assert batch.a.dtype == batch.b.dtype == torch.float32
        assert batch.a.shape == batch.b.shape == (32, 32)
        assert [partner[key] for key in keys(batch.a)] == keys(batch.b)


def test_a_stream_that_goes_on_from_a_place_has_the_same_bytes(pair: InsidePair) -> None:
    whole = list(islice(stream(pair).batches(24), 39))  # over four passes
    for done in (0, 6, 17, 35):
        resumed = islice(stream(pair).batches(24, whole[done].place), 3)
        for batch, expected in zip(resumed, whole[done + 1 : done + 4], strict=True):
            assert torch.equal(batch.a, expected.a)
            assert torch.equal(batch.b, expected.b)
            assert batch.place == expected.place


def test_models_that_do_not_fit_at_once_give_the_same_rows(folders: tuple[Path, Path], pair: InsidePair) -> None:
    with InsidePair(*open_pair(folders).sides, reserve_bytes=1 << 60) as apart:
        apart.calibrate(exchanges(20))
        assert stream(apart).identity == stream(pair).identity
        for batch, expected in zip(islice(stream(apart).batches(32), 10), stream(pair).batches(32), strict=False):
            assert torch.equal(batch.a, expected.a)
            assert torch.equal(batch.b, expected.b)


def test_the_seed_decides_the_order(pair: InsidePair) -> None:
    first, again, other = (next(stream(pair, seed=seed).batches(24)) for seed in (3, 3, 4))
    assert torch.equal(first.a, again.a)
    assert not torch.equal(first.a, other.a)
    assert stream(pair, seed=3).identity == stream(pair, seed=3).identity != stream(pair, seed=4).identity


def test_equal_rows_of_both_responses_are_held_back_together(pair: InsidePair) -> None:
    same = [Exchange(each.conversation, each.response) for each in exchanges(40) for _ in (0, 1)]
    texts = TrainingTexts(same)
    split = list(texts.once(pair.align, held=True))
    assert split
    assert all((a.held == b.held).all() for a, b in zip(split[::2], split[1::2], strict=True))


def test_at_most_four_passes_over_responses_and_one_over_a_corpus(pair: InsidePair) -> None:
    rows = stream(pair)
    assert rows.rows == 4 * rows.total
    assert stream(pair, wanted=100).rows == 100
    both = TrainingRows(pair, TrainingTexts(exchanges(20), [corpus(30)]), 10_000, sizes=SIZES)
    alone = TrainingRows(pair, TrainingTexts((), [corpus(30)]), 10_000, sizes=SIZES)
    assert both.total == rows.total + alone.total
    assert both.rows == 4 * rows.total + alone.total


def test_a_small_corpus_is_read_once_beside_four_passes_over_the_responses(pair: InsidePair) -> None:
    alone = TrainingRows(pair, TrainingTexts((), [corpus(30)]), 10_000, sizes=SIZES)
    own = {key for batch in islice(alone.batches(32), 2 * alone.total // 32) for key in keys(batch.a)}
    both = TrainingRows(pair, TrainingTexts(exchanges(20), [corpus(30)]), 10_000, sizes=SIZES)
    read = Counter(key for batch in islice(both.batches(32), both.rows // 32) for key in keys(batch.a))
    of_corpus = sum(count for key, count in read.items() if key in own)
    assert of_corpus == pytest.approx(alone.total, rel=0.15)


def test_responses_and_a_corpus_take_turns(pair: InsidePair) -> None:
    texts = TrainingTexts(exchanges(20), [corpus(60)])
    given = {True: 0, False: 0}
    for text in islice(texts.training(pair.align, 0.25), 100):
        given[text.text.anchored] += text.trained
    assert given[True] / sum(given.values()) == pytest.approx(0.25, abs=0.03)


def test_a_corpus_is_read_for_training_or_held_back(pair: InsidePair) -> None:
    texts = TrainingTexts((), [corpus(200)])
    trained = [text.text.texts[0].ids.tobytes() for text in texts.once(pair.align, held=False)]
    held = [text.text.texts[0].ids.tobytes() for text in texts.once(pair.align, held=True)]
    assert len(trained) + len(held) == 200
    assert 2 <= len(held) <= 25
    assert not set(trained) & set(held)


def test_sinks_are_left_out_of_full_batches(pair: InsidePair, monkeypatch: pytest.MonkeyPatch) -> None:
    norms = torch.cat([each.b.norm(dim=-1) for each in pair.read(exchanges(20)) if isinstance(each, AlignedRows)])
    limit = float(norms.quantile(0.8))
    monkeypatch.setattr(pair, "_limits", (float("inf"), limit))
    whole = list(islice(stream(pair).batches(24), 8))
    assert all(len(batch.b) == 24 and batch.b.norm(dim=-1).max() < 1.01 * limit for batch in whole)
    assert whole[-1].place > 8 * 24
    resumed = next(stream(pair).batches(24, whole[2].place))
    assert torch.equal(resumed.a, whole[3].a)


def test_memory_does_not_grow_with_the_texts(pair: InsidePair) -> None:
    def peak(number: int) -> int:
        """The largest size of all tensors that are alive between two batches."""
        rows = TrainingRows(pair, TrainingTexts(exchanges(number)), 10_000, sizes=SIZES)
        most = 0
        for place, batch in enumerate(islice(rows.batches(32), rows.total // 32)):
            if place % (number // 20):
                continue
            alive = {id(each): each for each in gc.get_objects() if isinstance(each, torch.Tensor)}
            most = max(most, sum(each.nbytes for each in alive.values()))
            del alive, batch
        return most

    assert peak(200) < 1.1 * peak(20)


def test_texts_that_no_model_reads_are_refused(pair: InsidePair) -> None:
    rows = TrainingRows(pair, TrainingTexts([UNREADABLE]), 100, sizes=SIZES)
    with pytest.raises(SettingError, match="None of the texts can be read by both models"):
        _ = rows.total


def corpus(number: int) -> Corpus:
    """Different documents."""
    rows = [{"text": f"the dog {index} and {index * 7} went home"} for index in range(number)]
    return Corpus("words", "words", lambda: rows, frozenset(), local=True)
