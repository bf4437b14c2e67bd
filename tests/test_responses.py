"""What a reader must know of the responses comes first."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from diffing.cli.show import show_report
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.responses import cut_note, respond
from diffing.types import Completion, Pair
from tests.outputs.samples import medium_report, pairs_of

CUT_A = (
    "3 of 8 responses of model A were cut off at the token limit: their length and their endings say little. "
    "Let them finish with more tokens per response (--max-new-tokens)."
)


def cut(pairs: tuple[Pair, ...], a: int, b: int) -> tuple[Pair, ...]:
    """The first so many responses of each side stop at the limit."""
    return tuple(
        replace(
            pair,
            a=replace(pair.a, finish="length" if place < a else "stop"),
            b=replace(pair.b, finish="length" if place < b else "stop"),
        )
        for place, pair in enumerate(pairs)
    )


def test_what_was_cut_is_counted_per_side() -> None:
    pairs = pairs_of(4, 4)
    assert cut_note(cut(pairs, 0, 0)) == ""
    assert cut_note(cut(pairs, 3, 0)) == CUT_A
    assert cut_note(cut(pairs, 0, 1)).startswith("1 of 8 responses of model B were cut")
    both = "3 of 8 responses of model A and 8 of 8 responses of model B were cut off at the token limit: "
    assert cut_note(cut(pairs, 3, 8)).startswith(both)


def test_it_is_the_first_note() -> None:
    prompts = [pair.prompt for pair in pairs_of(4, 4)]

    def answers(limit: int) -> Any:
        asked = count()

        def reply(conversation: Any, sampling: Any) -> Completion | str:
            place = next(asked)
            if place == 7:
                return Completion(text="", finish="rejected", detail="too long")
            return Completion(text=str(place), finish="length" if place < limit else "stop")

        return reply

    models = (ScriptedModel("a", answers(3)), ScriptedModel("b", answers(0)))
    responded = respond(models, prompts, Sampling(), (0, 0), lambda *told: None)
    assert [note.partition(" of ")[0] for note in responded.notes] == [
        "3",
        "1 prompts were left out because a model could not answer; first reason: too long",
        "On 7",
    ]


def test_it_is_told_before_anything_is_claimed(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    report = medium_report(4, 4)
    pairs = cut(report.pairs, 3, 0)
    show_report(replace(report, pairs=pairs, notes=(CUT_A, "Another note.")), False)
    shown = capsys.readouterr().out
    assert shown.startswith(CUT_A)
    assert shown.count("were cut off at the token limit") == 1
    assert "Note: Another note." in shown
    show_report(replace(report, pairs=cut(report.pairs, 0, 0), notes=("Another note.",)), False)
    assert "were cut" not in capsys.readouterr().out
