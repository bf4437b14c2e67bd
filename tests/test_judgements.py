"""Verdicts in columns are the same sequence as the verdicts one by one."""

import sys
from dataclasses import replace

import pytest

from diffing.judgements import Judgements
from diffing.types import Judgement, Verdict

ROWS = (
    Judgement("h2", "p1", Verdict.A, "judge", "b", "1"),
    Judgement("h1", "p1", Verdict.NEITHER, "measured"),
    Judgement("h2", "p2", Verdict.UNREADABLE, "judge", "a", "neither of | them"),
    Judgement("h1", "p3", Verdict.B, "measured"),
)


def test_columns_are_the_sequence_that_they_were_made_of() -> None:
    columns = Judgements.of(iter(ROWS))
    assert (len(columns), tuple(columns), columns[1], columns[-1]) == (4, ROWS, ROWS[1], ROWS[3])
    assert columns == ROWS
    assert ROWS == columns
    assert columns == list(ROWS)
    assert columns[1:3] == ROWS[1:3]
    assert columns != ROWS[::-1]
    assert columns != "four"
    assert Judgements.of(columns) is columns
    assert repr(columns) == repr(ROWS)
    assert isinstance(columns[0].verdict, Verdict)
    with pytest.raises(IndexError):
        columns[4]


def test_verdicts_on_a_hypothesis_keep_their_order() -> None:
    columns = Judgements.of(ROWS)
    assert columns.of_hypothesis("h2") == (ROWS[0], ROWS[2])
    assert columns.of_hypothesis("h1")[1:] == (ROWS[3],)
    assert columns.of_hypothesis("h1").of_hypothesis("h2") == ()
    assert Judgements.of(()).of_hypothesis("h1") == ()
    assert columns.with_judges(str.upper) == tuple(replace(row, judge=row.judge.upper()) for row in ROWS)


def test_a_verdict_takes_a_fraction_of_an_objects_memory() -> None:
    columns = Judgements.of(ROWS * 10_000)
    taken = sum(column.codes.nbytes + sys.getsizeof(column.values) for column in columns.columns)
    assert taken / len(columns) < 10  # a byte for each of nine columns
