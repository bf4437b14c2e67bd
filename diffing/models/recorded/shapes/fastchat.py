"""Parses answer files of FastChat's judge benchmarks such as MT-bench, whose questions are in a second file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diffing.models.recorded.shapes.shape import (
    Beside,
    Companion,
    RecordedAnswer,
    RecordingShape,
    finish_at,
    id_at,
    model_at,
    one_turn,
    said_text,
    text_at,
)
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, kind
from diffing.types import Completion, Conversation


def _fits(row: Row) -> bool:
    return "question_id" in row and ("choices" in row or {"text", "answer_id"} <= row.keys())


def _read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    id_ = id_at(row, "question_id")
    if not _fits(row) or id_ is None:
        raise RowError("expected `question_id` and `choices`, as in the first row")
    question = beside.get(id_)
    if beside and question is None:
        raise RowError(f"the questions file has no question {id_[:60]!r}")
    for number, text in enumerate(_first_turns(row)):
        said, thinking = said_text(text, "choices" if "choices" in row else "text")
        yield RecordedAnswer(
            messages=_asked(question) if question else (),
            completion=Completion(text=said, finish=finish_at(row), thinking=thinking),
            id=id_,
            sample=number,
            model=model_at(row),
            domain=text_at(question, "domain", "category") if question else None,
        )


def _first_turns(row: Row) -> list[object]:
    if "choices" not in row:
        return [row["text"]]
    choices = row["choices"]
    if not isinstance(choices, Sequence) or isinstance(choices, str) or not choices:
        raise RowError(f"`choices` must be a list of {{index, turns}}, got {kind(choices)}")
    turns = [choice.get("turns") if isinstance(choice, Mapping) else None for choice in choices]
    if not all(isinstance(each, Sequence) and each for each in turns):
        raise RowError("`choices` must be a list of {index, turns}, with a turn in each")
    firsts = [each if isinstance(each, str) else each[0] for each in turns if each]
    return [first.get("content", first) if isinstance(first, Mapping) else first for first in firsts]


def _asked(question: Row) -> Conversation:
    turns = question.get("turns", question.get("text", question.get("prompt")))
    first = turns[0] if isinstance(turns, Sequence) and not isinstance(turns, str) and turns else turns
    return one_turn(first.get("content") if isinstance(first, Mapping) else first, "turns")


def _questions(answers: Path) -> list[Path]:
    """Possible question files: in the parent folder, as FastChat's layout has them, or beside the answers."""
    folders = (answers.parent, answers.parent.parent)
    return [folder / name for folder in folders for name in ("question.jsonl", "questions.jsonl")]


FASTCHAT = RecordingShape(
    "FastChat answers",
    _fits,
    _read,
    companion=Companion("questions file", "question_id", _questions),
    remark="Of FastChat answers only first turns are compared: later prompts follow each model's own answer.",
)
