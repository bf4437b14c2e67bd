"""The format that all benchmarks write and the page reads."""

import json
import math
from dataclasses import replace

import pytest

from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, load_result, load_results, save_result
from diffing.errors import SettingError
from diffing.metrics import UNDEFINED, wilson

RESULT = BenchmarkResult(
    kind="null",
    title="Two samples of one model",
    command="diffing bench null model",
    about="What is confirmed here is false.\n\nSecond paragraph, with <b>signs</b>.",
    settings={"pairs": 2},
    columns=(ResultColumn("method", "Method"), ResultColumn("rate", "False", "%")),
    rows=(
        {"method": "lexical", **estimate_cells("rate", wilson(0, 40))},
        {"method": "llm", **estimate_cells("rate", UNDEFINED)},
    ),
)


def test_a_result_comes_back_equal_with_the_same_bytes(tmp_path):
    path = save_result(RESULT, tmp_path / "new" / "null-x.json")
    assert load_result(path) == RESULT
    before = path.read_bytes()
    assert save_result(load_result(path), path).read_bytes() == before
    assert json.loads(before)["rows"][1]["rate"] is None
    assert [each.name for each in path.parent.iterdir()] == ["null-x.json"]


def test_results_are_ordered_by_kind_then_name(tmp_path):
    for name, kind in (("b", "null"), ("a", "compare"), ("c", "statistics"), ("a2", "null")):
        save_result(replace(RESULT, kind=kind), tmp_path / f"{name}.json")
    assert [name for name, _ in load_results(tmp_path)] == ["c", "a2", "b", "a"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "other"}, "kind is 'other', expected one of statistics"),
        ({"rows": ({"a": 1}, {"b": 1})}, "all rows must have the same columns"),
        ({"columns": (ResultColumn("nowhere", "x"),)}, "there is no column 'nowhere'"),
        ({"title": None}, "title, command and about must be text"),
    ],
)
def test_what_the_page_could_not_show_is_refused_when_it_is_written(tmp_path, change, message):
    with pytest.raises(SettingError, match=message):
        save_result(replace(RESULT, **change), tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def test_undefined_numbers_are_never_written_as_nan(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        save_result(replace(RESULT, rows=({"method": "x", "rate": math.nan},)), tmp_path / "x.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kind": "null", "rows": 3}', '{"rows": [], "more": 1}'])
def test_a_file_that_is_no_result_is_told_in_one_line(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(SettingError, match="is not the result of a benchmark"):
        load_results(tmp_path)


def test_a_folder_without_results_is_told(tmp_path):
    with pytest.raises(SettingError, match="holds no results"):
        load_results(tmp_path)
