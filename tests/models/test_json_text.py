"""JSON from outside: bounded in depth and numbers, whatever else it holds."""

import json

import pytest

from diffing.models.json_text import DEEPEST, UnreadableJsonError, read_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested too deeply"),
        ("[" * 500 + "]" * 500, "nested too deeply"),
        ('{"a":' * 800 + "1" + "}" * 800, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"n": ' + "9" * 10_000 + "}", "too many digits"),
        ('{"a": 1, "a": 2}', "two values under one name"),
    ],
)
def test_what_is_no_value(text, reason):
    with pytest.raises(UnreadableJsonError, match=reason):
        read_json(text)


def test_what_is_one():
    deepest = "[" * DEEPEST + "]" * DEEPEST
    assert json.dumps(read_json(deepest)) == deepest
    assert read_json('{"a": 1, "a": 1, "n": 999999999999999999, "s": "\\ud800", "f": 1.5}') == {
        "a": 1,
        "n": 999_999_999_999_999_999,
        "s": "\ud800",
        "f": 1.5,
    }
    assert read_json("[NaN, -Infinity, 1, " + "9" * 19 + "]") == [None, None, 1, 1e19]
