"""When memory runs out, fewer rows go on, and nothing that is done is done again."""

from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM, MambaForCausalLM

from diffing.errors import ModelError
from diffing.models.local.batching_trial import BatchingStrategy, find_strategy
from diffing.models.local.continuous_batching import ContinuousBatch
from diffing.models.local.decoding import DecodingJob, DecodingRow, vacancies
from diffing.models.local.static_batching import StaticBatches
from tests.models.local.tiny import config


class Cramped:
    """Mixed into a model: its forward pass runs out of memory where a batch has too many rows or columns."""

    rows = 1000
    columns = 1000
    message = ""
    forwards = 0

    def forward(self, input_ids: torch.Tensor, **more: Any) -> Any:
        self.forwards += 1
        mask = more["attention_mask"]
        columns = 0 if mask is None else mask.shape[1]
        if len(input_ids) > self.rows or columns > self.columns:
            raise (RuntimeError(self.message) if self.message else torch.OutOfMemoryError("CUDA out of memory"))
        return super().forward(input_ids=input_ids, **more)


class CrampedLlama(Cramped, LlamaForCausalLM):
    def forward(self, input_ids=None, position_ids=None, logits_to_keep=0, **more):  # type: ignore[no-untyped-def]
        return super().forward(input_ids, position_ids=position_ids, logits_to_keep=logits_to_keep, **more)


class CrampedMamba(Cramped, MambaForCausalLM):
    pass


def make(kind: type[Any], name: str, **limits: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(config(name)).eval()
    for key, value in limits.items():
        setattr(model, key, value)
    return model


def rows(*shapes: tuple[int, int]) -> list[DecodingRow]:
    """Rows with prompts of a length and a limit each."""
    return [
        DecodingRow(i, [(7 * i + k) % 250 for k in range(length)], limit, bytes(32))
        for i, (length, limit) in enumerate(shapes)
    ]


def job(finished: list[int], tokens: list[int], max_rows: int = 64, max_tokens: int = 10**9) -> DecodingJob:
    return DecodingJob(
        choose=lambda logits, rows: logits.argmax(dim=-1).tolist(),
        stop_ids=frozenset({256}),
        ends=lambda written: False,
        max_rows=max_rows,
        max_tokens=max_tokens,
        on_finish=lambda row: finished.append(row.index),
        on_tokens=tokens.append,
    )


SHAPES = [(4, 3), (9, 12), (5, 20), (6, 2), (12, 9), (3, 15), (20, 7), (8, 11)]


@pytest.mark.parametrize("message", ["", "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"])
def test_halving_loses_nothing(message: str) -> None:
    """The batch grows too wide in the middle, when some rows have finished and others are half way."""
    expected = rows(*SHAPES)
    ContinuousBatch(make(CrampedLlama, "llama"), job([], [])).run(expected)
    finished: list[int] = []
    tokens: list[int] = []
    todo = rows(*SHAPES)
    ContinuousBatch(make(CrampedLlama, "llama", rows=3, message=message), job(finished, tokens)).run(todo)
    assert [row.written for row in todo] == [row.written for row in expected]
    assert [row.finish for row in todo] == ["length"] * len(SHAPES)
    assert sorted(finished) == list(range(len(SHAPES)))
    assert sum(tokens) == sum(limit for _, limit in SHAPES)  # none was made twice


def test_rows_that_fit_only_alone_go_on_alone() -> None:
    """Wider than 18 columns is too much: the row of 20 never fits, the others do and are kept."""
    finished: list[int] = []
    todo = rows(*SHAPES)
    ContinuousBatch(make(CrampedLlama, "llama", columns=18), job(finished, [])).run(todo)
    failed = {row.index: row.detail for row in todo if row.finish == "error"}
    assert failed[6] == "out of memory at 20 tokens, even alone"
    assert set(failed) == {row.index for row in todo if row.reach - 1 > 18}
    assert sorted(finished) == list(range(len(SHAPES)))


@pytest.mark.parametrize(
    ("way", "kind", "name"), [(ContinuousBatch, CrampedLlama, "llama"), (StaticBatches, CrampedMamba, "mamba")]
)
def test_nothing_fits(way: type[Any], kind: type[Any], name: str) -> None:
    with pytest.raises(ModelError, match=r"single conversation of 3 tokens: quantise the model \(4bit\), use a larger"):
        way(make(kind, name, rows=0), job([], [])).run(rows(*SHAPES))


def test_whole_batches_halve_too() -> None:
    todo, finished = rows(*SHAPES[:5]), []
    StaticBatches(make(CrampedMamba, "mamba", rows=2), job(finished, [])).run(todo)
    assert [len(row.written) for row in todo] == [limit for _, limit in SHAPES[:5]]
    assert sorted(finished) == [0, 1, 2, 3, 4]


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(RuntimeError, match="a bug of the model"):
        ContinuousBatch(make(CrampedLlama, "llama", rows=0, message="a bug of the model"), job([], [])).run(
            rows(*SHAPES)
        )


def test_rows_come_as_others_leave() -> None:
    """Four slots, one long row among short ones: static batches would take 5 * 40 passes, this takes little more than
    40."""
    shapes = [(5, 40 if place == 0 else 4) for place in range(20)]
    model = make(CrampedLlama, "llama", rows=4)
    todo = rows(*shapes)
    ContinuousBatch(model, job([], [], max_rows=4)).run(todo)
    assert [len(row.written) for row in todo] == [limit for _, limit in shapes]
    assert model.forwards <= 40 + 20


def test_batches_keep_to_the_token_budget() -> None:
    waiting = rows((10, 10), (10, 10), (10, 30), (50, 50))
    assert vacancies([], waiting, job([], [], max_tokens=40), max_rows=64) == 2
    assert vacancies([], waiting, job([], [], max_tokens=120), max_rows=64) == 3
    assert vacancies([], waiting, job([], [], max_tokens=10**6), max_rows=3) == 3
    assert vacancies(waiting[:1], waiting[1:], job([], [], max_tokens=40), max_rows=64) == 1
    assert vacancies([], waiting[3:], job([], [], max_tokens=1), max_rows=64) == 1  # a single one always goes


def test_which_models_have_slots() -> None:
    text = list(range(40))
    assert find_strategy("tiny", make(LlamaForCausalLM, "llama"), text) == BatchingStrategy("slots")
    assert find_strategy("tiny", make(MambaForCausalLM, "mamba"), text) == BatchingStrategy("batches")
