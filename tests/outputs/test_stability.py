"""What repeats with other seeds say, on the page."""

from dataclasses import replace

import pytest

from diffing.outputs.html import render
from diffing.outputs.html.stability_section import HYPOTHESES, REPEATS, RepeatView, stability_of
from diffing.report.index import index_of
from diffing.types import Report, Row
from tests.hostile import CORE
from tests.outputs.samples import merged_report


def repeated(rows: tuple[Row, ...] | None = None) -> Report:
    report = merged_report(train=10, heldout=20)
    first, second = report.findings[:2]
    repeats = ({"repeated_with": 1, "confirmed": 4, "came_back": 3, "confirmed_in_repeat": 5, "share": 0.9},)
    returned = tuple(
        {"hypothesis_id": each.hypothesis.id, "repeated_with": seed, "came_back": back}
        for each, backs in ((first, (True, False)), (second, (True, True)))
        for seed, back in enumerate(backs, 1)
    )
    return replace(report, tables={**report.tables, REPEATS: rows or repeats, HYPOTHESES: returned})


def test_repeats_and_what_came_back_are_shown() -> None:
    report = repeated()
    found = stability_of(report)
    assert found
    # the share is computed from the counts, whatever the table says
    assert found.repeats == (RepeatView(1, 4, 3, "75% (30 to 95%)", 5),)
    numbers = index_of(report).numbers
    second, first = (report.findings[place].hypothesis.id for place in (1, 0))
    assert [(each.number, each.came_back, each.repeats) for each in found.hypotheses] == [
        (numbers[second], 2, 2),
        (numbers[first], 1, 2),
    ]
    page = render(report)
    assert "Repeats with other seeds" in page
    assert "in 1 of 2\u00a0repeats" in page


def test_a_run_that_was_not_repeated_says_nothing() -> None:
    report = merged_report(train=10, heldout=20)
    assert stability_of(report) is None
    assert "Repeats with other seeds" not in render(report)


@pytest.mark.parametrize("value", [None, "x", -1, 2.5, True, *list(CORE.values())[:3]])
def test_a_row_of_a_stranger_without_its_numbers_is_left_out(value: str | int | float | None) -> None:
    good = {"repeated_with": 1, "confirmed": 4, "came_back": 3, "confirmed_in_repeat": 5}
    assert stability_of(repeated(({**good, "confirmed": value}, {**good, "came_back": 5}))) is None
