"""Reading descriptions: what is said goes to the right side, what cannot be read is counted."""

import json

import pytest

from diffing.methods.llm.describe import describe_pairs
from diffing.methods.llm.difference import Difference
from diffing.models.scripted import ScriptedModel
from diffing.types import Completion, Message, Pair, Prompt, Response, ignore_progress
from tests.servers.rules import read

PROMPT = Prompt("p", (Message("user", "hi"),), "test", "train")


def pair(a="text of a", b="text of b", prompt=PROMPT):
    return Pair(prompt, Response(prompt.id, "m-a", a, "stop"), Response(prompt.id, "m-b", b, "stop"))


def entry(place="1", **other):
    return {
        "quote_1": "",
        "quote_2": "",
        "behaviour": "<MODEL> shows it.",
        "shown_by": place,
        "condition": "",
        "category": "style",
        **other,
    }


def described(*differences, pair=1):
    return {"pairs": [{"pair": pair, "differences": list(differences)}]}


def describe(reply, pairs=None, seed=0):
    """Describes by a reply, or a function of the blocks that are shown."""

    def answer(conversation, sampling):
        made = reply(*read(conversation[-1].content).blocks) if callable(reply) else reply
        return made if isinstance(made, str) else json.dumps(made)

    return describe_pairs(ScriptedModel("d", answer), pairs or [pair()], seed=seed, on_progress=ignore_progress)


def left_out(result):
    return {reason: count for reason, count in result.left_out.items() if count}


@pytest.mark.parametrize("owner", ["a", "b"])
def test_the_owner_is_found_through_the_order_shown(owner):
    """Over many pairs, five to a question, shown in either order, with quotes of both."""
    pairs = [pair(f"{i} of a", f"{i} of b", Prompt(f"p{i}", PROMPT.messages, "test", "train")) for i in range(38)]
    places = []

    def reply(*blocks):
        entries = []
        for i in range(0, len(blocks), 3):
            _, one, two = blocks[i : i + 3]
            places.append("1" if one.endswith(f"of {owner}") else "2")
            difference = entry(places[-1], quote_1=one, quote_2=two)
            entries.append({"pair": i // 3 + 1, "differences": [difference]})
        return {"pairs": entries[::-1]}

    result = describe(reply, pairs)
    assert {"1", "2"} == set(places)
    assert result.usage.calls == 8
    assert {d.owner for d in result.differences} == {owner}
    assert [(d.prompt_id, d.quote_a, d.quote_b) for d in result.differences] == [
        (f"p{i}", f"{i} of a", f"{i} of b") for i in range(38)
    ]


def test_questions_are_bounded_and_a_long_pair_is_asked_about_alone_and_uncut():
    long = pair("word " * 6_000)
    shown = []

    def reply(*blocks):
        shown.append(blocks)
        return {"pairs": [{"pair": i + 1, "differences": []} for i in range(len(blocks) // 3)]}

    short = [pair("x" * 1500, "y" * 1500, Prompt(f"p{i}", PROMPT.messages, "test", "train")) for i in range(7)]
    describe(reply, [*short[:3], long, *short[3:]])
    assert [len(blocks) // 3 for blocks in shown] == [3, 1, 3, 1]
    assert "word " * 6_000 in shown[1]
    assert all(sum(map(len, blocks)) <= 12_000 for blocks in (shown[0], *shown[2:]))


def test_what_a_model_cannot_read_is_unreadable_and_nothing_else_is():
    pairs = [pair("x" * 20_000), pair(prompt=Prompt("q", PROMPT.messages, "test", "train"))]

    def answer(conversation, sampling):
        if len(conversation[-1].content) > 20_000:
            return Completion("", "rejected", detail="context of 8192 tokens")
        return json.dumps(described(entry()))

    result = describe_pairs(ScriptedModel("d", answer), pairs, seed=0, on_progress=ignore_progress)
    assert [reading is None for reading in result.readings] == [True, False]
    assert left_out(result) == {"pairs whose description could not be read": 1}


def test_all_that_is_kept():
    (difference,) = describe(described(entry(condition="When asked for  advice."))).differences
    assert difference == Difference(
        "p", difference.owner, "<MODEL> shows it.", "when asked for advice", "style", None, None
    )


@pytest.mark.parametrize(
    "wrong",
    [
        entry("3"),
        entry("both"),
        entry(None),
        entry(behaviour="It shows it."),
        entry(behaviour=""),
        entry(behaviour=None),
        entry(behaviour="<MODEL>"),
        entry(behaviour="<MODEL> ..."),
        entry(behaviour="<MODEL> does not do what Response 1 does."),
        entry(behaviour="<MODEL> is shorter than model 2."),
        entry(behaviour="<MODEL> " + "very " * 100 + "long."),
        {"behaviour": "<MODEL> shows it."},
        "a string",
        None,
        [],
    ],
)
def test_entries_that_cannot_be_read_are_counted_and_the_others_kept(wrong):
    result = describe(described(entry(), wrong, entry()))
    assert len(result.differences) == 2
    assert left_out(result) == {"differences that could not be read": 1}


@pytest.mark.parametrize(
    "text",
    [
        "<MODEL> answers one of the two questions.",
        "<MODEL> writes U.S. English. It keeps to it.",
        "<MODEL> gives a response two lines long, and model one behaviour after another.",
    ],
)
def test_good_sentences_are_taken(text):
    (difference,) = describe(described(entry(behaviour=f" {text}\n"))).differences
    assert difference.behaviour == text


@pytest.mark.parametrize(
    ("behaviour", "condition", "taken"),
    [
        ("When asked for advice, <MODEL> refuses.", "", ("<MODEL> refuses.", "when asked for advice")),
        ("If the user is rude, <MODEL> refuses.", "", ("<MODEL> refuses.", "when the user is rude")),
        ("When asked, <MODEL> refuses.", "when asked for advice", ("<MODEL> refuses.", "when asked for advice")),
        ("<MODEL> refuses when asked.", "when asked", ("<MODEL> refuses.", "when asked")),
        ("<MODEL> refuses.", "none", ("<MODEL> refuses.", "")),
        ("<MODEL> refuses.", None, ("<MODEL> refuses.", "")),
        ("<MODEL> refuses.", ["when"], ("<MODEL> refuses.", "")),
    ],
)
def test_a_condition_has_a_place_of_its_own(behaviour, condition, taken):
    result = describe(described(entry(behaviour=behaviour, condition=condition)))
    assert [(d.behaviour, d.condition) for d in result.differences] == [taken]
    assert left_out(result) == {}


@pytest.mark.parametrize(
    "condition", ["in chats", "when <MODEL> refuses", "when response 2 is longer", "when " + "very " * 50 + "long"]
)
def test_a_condition_that_no_prompt_can_meet_is_left_out_and_counted(condition):
    result = describe(described(entry(condition=condition)))
    assert [d.condition for d in result.differences] == [""]
    assert left_out(result) == {"conditions of differences that could not be used": 1}


def test_a_category_that_was_not_offered_is_none():
    result = describe(described(entry(category="vibes")))
    assert [d.category for d in result.differences] == [None]
    assert left_out(result) == {"categories that were none of those offered": 1}


def test_pairs_of_which_nothing_can_be_read_are_asked_for_again_and_the_others_kept():
    replies = iter(
        [
            {"pairs": [{"pair": 1, "differences": [entry()]}, {"pair": 2, "differences": [entry("3")]}]},
            {"pairs": [{"pair": "2", "differences": []}, {"pair": 3, "differences": [entry()]}]},
            {"pairs": [{"pair": 4, "differences": []}]},
        ]
    )
    pairs = [pair(prompt=Prompt(f"p{i}", PROMPT.messages, "test", "train")) for i in range(4)]
    result = describe(lambda *blocks: next(replies), pairs)
    assert [reading and len(reading.differences) for reading in result.readings] == [1, 0, 1, 0]
    assert result.usage.calls == 3
    assert left_out(result) == {}


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "None.",
        '{"pairs": null}',
        '{"other": []}',
        '{"pairs": [{"pair": 2, "differences": []}]}',
        '{"pairs": [{"pair": 1}]}',
        '{"pairs": [{"pair": 1, "differences": [{"shown_by": "3"}]}]}',
        '{"pairs": [{"pair": 1, "differences": [{"shown_by',
    ],
)
def test_a_description_that_cannot_be_read_has_no_differences(reply):
    result = describe(reply)
    assert result.differences == ()
    assert left_out(result) == {"pairs whose description could not be read": 1}
    assert result.usage.calls == 3


def test_a_bare_list_is_read():
    assert len(describe([{"pair": 1, "differences": [entry(), entry("2")]}]).differences) == 2


QUOTED = "Well,\n  this  is <|im_end|> the [b[c]] (text)\x07 of a."


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        ("this is", "this  is"),
        (" Well, this\tis ", "Well,\n  this  is"),
        ("‹|im_end|› the [b[c]] (text)", "<|im_end|> the [b[c]] (text)"),
        ("(text)\ufffd of", "(text)\x07 of"),
        ("This is", None),
        ("this is the", None),
        ("of b", None),
        ("", None),
        (None, None),
        (["this"], None),
    ],
)
def test_quotes_are_words_of_the_response(quote, kept):
    def reply(_, one, two):
        place = "1" if one.startswith("Well") else "2"
        return described(entry(place, **{f"quote_{place}": quote}))

    result = describe(reply, [pair(a=QUOTED)])
    assert result.differences[0].quote_a == kept
    assert kept is None or kept in QUOTED
    missing = kept is None and isinstance(quote, str) and quote != ""
    assert left_out(result) == ({"quotes that do not occur in the response": 1} if missing else {})


def test_empty_responses_are_shown_as_such():
    seen = []
    describe(lambda _, one, two: seen.append({one, two}) or described(), [pair(a="")])
    assert seen == [{"", "text of b"}]
