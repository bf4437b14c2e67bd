"""Which responses of a run are shown while it answers: the latest, side by side, and of long ones the beginning."""

import io
import json
from types import SimpleNamespace

import pytest

from diffing.types import Message, Prompt
from diffing.view.runs import run_child
from diffing.view.runs.latest_responses import LatestResponses, LivePair
from diffing.view.runs.run_child import ProgressWriter


def prompt(number: int, text: str = "") -> Prompt:
    return Prompt(f"p{number}", (Message("user", text or f"Prompt {number}"),), "test", "train")


def test_the_latest_prompts_are_paired_as_the_second_model_responds() -> None:
    latest = LatestResponses()
    assert latest.pairs == ()
    for number in range(5):
        latest.add("a", prompt(number), f"a{number}")
    assert latest.pairs == tuple(LivePair(f"Prompt {number}", f"a{number}") for number in (4, 3, 2))
    latest.add("b", prompt(0), "b0")
    latest.add("b", prompt(3), "")
    assert latest.pairs == (
        LivePair("Prompt 3", "a3", ""), LivePair("Prompt 0", "a0", "b0"), LivePair("Prompt 4", "a4"),
    )  # fmt: skip


def test_long_texts_are_cut() -> None:
    latest = LatestResponses()
    latest.add("a", prompt(0, "p" * 10_000), "r" * 10_000)
    (pair,) = latest.pairs
    assert pair == LivePair("p" * 299 + "…", "r" * 599 + "…")


def test_responses_are_reported_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 0.5, 1.0, 1.5, 2.5))
    monkeypatch.setattr(run_child, "time", SimpleNamespace(monotonic=lambda: next(clock)))  # threads keep their own
    stream = io.StringIO()
    writer = ProgressWriter(stream)
    for number in range(5):
        writer.responded("b" if number % 2 else "a", prompt(number // 2), str(number))
    told = [json.loads(line)["latest"][0] for line in stream.getvalue().splitlines()]
    assert told == [
        {"prompt": "Prompt 0", "a": "0", "b": None}, {"prompt": "Prompt 1", "a": "2", "b": None},
        {"prompt": "Prompt 2", "a": "4", "b": None},
    ]  # fmt: skip
