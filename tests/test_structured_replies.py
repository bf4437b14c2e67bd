"""Reading replies: whatever a model may send, a reply is what was asked for, or unreadable."""

import json
from contextlib import suppress

import pytest

from diffing.models.scripted import ScriptedModel
from diffing.structured_replies import (
    LlmQuestion,
    ReplyError,
    UnreadableReply,
    ask,
    ask_items,
    entries,
    entry,
    json_value,
    offered,
)
from diffing.types import Completion, Stage
from tests.fewer import fewer
from tests.work import assert_linear

SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"x": 1}', {"x": 1}),
        ('  \n{"x": 1}\n', {"x": 1}),
        ('```json\n{"x": 1}\n```', {"x": 1}),
        ('Sure! Here you go:\n```\n{"x": 1}\n```\nAnything else?', {"x": 1}),
        ('First {"x": 0}, but on reflection {"x": 1}.', {"x": 1}),
        ('[{"x": 1}, {"x": 2}]', [{"x": 1}, {"x": 2}]),
        ('{"x": 1} as in [1]', {"x": 1}),
        ('Considering {a, b} and [see above]: {"x": 1}', {"x": 1}),
        ('{"quoted": "he said {\\"x\\": 0}"}', {"quoted": 'he said {"x": 0}'}),
        ('{"x": "\\ud800"}', {"x": "?"}),
        ('{"\\udc00": ["\\ud800"]}', {"?": ["?"]}),
        ('{"x": NaN, "y": Infinity, "z": -Infinity}', {"x": None, "y": None, "z": None}),
        ('{"x": 1, "x": 1}', {"x": 1}),
        ('{"x": 99999999999999999999}', {"x": 1e20}),
    ],
)
def test_the_answer_is_found(text, value):
    assert json_value(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("I would rather not say.", "no JSON"),
        ('{"x": [{"x": 1}, {"x": 2}', "JSON that breaks off"),
        ('{"x": 1, "y": "and so', "JSON that breaks off"),
        ('Before {"x": 1}, after {', "JSON that breaks off"),
        ('Before {"x": 1}, after [ ', "JSON that breaks off"),
        ('```json\n{"x": 1,\n```', "JSON that breaks off"),
        # what was quoted before the answer broke off is not the answer
        ('It says {"x": 0}, which I ignore. {"x": 1, "y', "JSON that breaks off"),
        ("[" * 100_000, "JSON nested too deeply"),
        ("[" * 500 + "]" * 500, "JSON nested too deeply"),
        ('{"verdicts": ' + "[" * 600 + "]" * 600 + "}", "JSON nested too deeply"),
        ('{"verdicts": [' + '{"fits": ' * 600 + '"1"' + "}" * 600 + "]}", "JSON nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "JSON nested too deeply"),
        ('{"rating": 1, "rating": 5}', "JSON with two values under one name"),
        # the number is no reason to take a piece of the value for the answer
        ('{"x": ' + "9" * 10_000 + ', "y": {"x": 1}}', "too many digits"),
        ('{"x": 1}' + " " * 1_000_000, "too long"),
        ("[{1, " * 3_000, "JSON in pieces|JSON that breaks off|no JSON"),
        ('{"x": ' + "9" * 10_000 + "}", "no JSON"),
    ],
)
def test_no_answer_is_made_up(text, reason):
    with pytest.raises(ReplyError, match=reason):
        json_value(text)


@pytest.mark.parametrize(
    "piece",
    ["[", "{", "[1,", '{"a":', '{"a":1},', "[[1 x", '"', "[x", '{"a" ', '[{"a":1}, x', "{a ", "[1] ", '["', "\\"],
)
@pytest.mark.parametrize("end", fewer(["", " x", "]"], [""]))
def test_a_reply_is_read_in_proportion(piece, end):
    def read(size):
        with suppress(ReplyError):
            json_value(piece * (size // len(piece)) + end)

    assert_linear(read, 5_000)


def test_labels():
    assert offered(1, ("1", "2", "N/A")) == "1"
    assert offered(" n/a ", ("1", "2", "N/A")) == "N/A"
    assert offered(True, ("true", "false")) == "true"
    for wrong in (3, "3", "both", True, None, 1.0, ["1"], {"1": 1}):
        with pytest.raises(ReplyError, match="a label that was not offered"):
            offered(wrong, ("1", "2", "N/A"))


def test_entries():
    assert entries({"items": [1]}, "items") == [1]
    assert entries([1], "items") == [1]
    with pytest.raises(ReplyError, match='"items" is not a list'):
        entries({"items": 1}, "items")
    with pytest.raises(ReplyError, match='JSON without "items"'):
        entry("items", "items")


def answers(*texts):
    """A model that answers a question by the next text of its list, the last one for ever."""
    asked: dict[str, int] = {}

    def answer(conversation, sampling):
        question = conversation[-1].content
        n = asked[question] = asked.get(question, -1) + 1
        text = texts[min(n, len(texts) - 1)]
        return text if isinstance(text, Completion) else Completion(text, "stop", prompt_tokens=10, completion_tokens=2)

    return ScriptedModel("replies", answer)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "no",
        '{"y": 1}',
        Completion("", "stop"),
        Completion('{"x": 1}', "length"),
        Completion("", "error", detail="no answer after 6 attempts"),
        Completion("", "refused", detail="content filter"),
    ],
)
def test_a_bad_reply_is_asked_for_again(bad):
    model = answers(bad, '{"x": 1}')
    asked = ask(model, ["q"], lambda value: entry(value, "x"), stage=Stage("s"), schema=SCHEMA)
    assert asked.replies == (1,)
    assert (asked.usage.calls, asked.usage.unreadable) == (2, 0)


def test_attempts_are_samples_of_their_own():
    model = answers("no")
    ask(model, ["q"], lambda value: entry(value, "x"), stage=Stage("s"), schema=SCHEMA, attempts=3)
    samplings = [sampling for _, sampling in model.requests]
    assert [sampling.sample for sampling in samplings] == [0, 1000, 2000]
    assert samplings[0].temperature == 0
    assert samplings[1].temperature > 0
    assert all(json.loads(sampling.json_schema) == SCHEMA for sampling in samplings)


def test_what_stays_unreadable_is_said_and_counted():
    def answer(conversation, sampling):
        return Completion('{"x": 1}' if conversation[-1].content == "good" else "so so", "stop", None, 10, 2)

    seen = []
    asked = ask(
        ScriptedModel("m", answer),
        ["good", "bad", "good"],
        lambda value: entry(value, "x"),
        stage=Stage("s"),
        schema=SCHEMA,
        on_progress=lambda *event: seen.append(event),
    )
    assert asked.replies == (1, UnreadableReply("no JSON", "so so"), 1)
    assert asked.usage.calls == 3 + 1 + 1
    assert (asked.usage.prompt_tokens, asked.usage.completion_tokens) == (50, 10)
    assert asked.usage.unreadable == 1
    assert seen[:4] == [("s", 0, 3), ("s", 1, 3), ("s", 2, 3), ("s", 3, 3)]
    assert seen[4:] == [("s, asked again", 0, 1), ("s, asked again", 1, 1)] * 2


def test_items_once_read_are_kept():
    def parse(value):
        return tuple(x if isinstance(x, int) else UnreadableReply("not a number") for x in entries(value, "xs"))

    model = answers('{"xs": [1, null, null]}', '{"xs": [9, 2, null]}', "no")
    asked = ask_items(model, [LlmQuestion("q", parse, items=3)], stage=Stage("s"), schema=SCHEMA)
    assert asked.replies == ((1, 2, UnreadableReply("no JSON", "no")),)
    assert (asked.usage.calls, asked.usage.unreadable) == (3, 1)


def test_no_questions():
    model = answers("no")
    assert ask(model, [], lambda value: value, stage=Stage("s"), schema=SCHEMA).replies == ()
    assert model.requests == []
