"""Reading descriptions: what is said goes to the right side, what cannot be read is counted."""

import json

import pytest

from diffing.methods.llm.describe import describe_pairs
from diffing.models.scripted import ScriptedModel
from diffing.types import Message, Pair, Prompt, Response, ignore_progress
from tests.servers.rules import read

PROMPT = Prompt("p", (Message("user", "hi"),), "test", "train")


def pair(a="text of a", b="text of b", prompt=PROMPT):
    return Pair(prompt, Response(prompt.id, "m-a", a, "stop"), Response(prompt.id, "m-b", b, "stop"))


def entry(place="1", **other):
    return {
        "shown_by": place,
        "has": "<MODEL> shows it.",
        "lacks": "<MODEL> shows nothing.",
        "label": "showing",
        "category": "style",
        "scope": "general",
        "impact": "low",
        "serves": "neutral",
        "error": False,
        "unexpected": True,
        "quote_1": "",
        "quote_2": "",
        **other,
    }


def describe(reply, pairs=None, seed=0):
    """Describes by a reply, or a function of the two responses as they are shown."""

    def answer(conversation, sampling):
        made = reply(*read(conversation[-1].content).blocks[1:]) if callable(reply) else reply
        return made if isinstance(made, str) else json.dumps(made)

    return describe_pairs(ScriptedModel("d", answer), pairs or [pair()], seed=seed, on_progress=ignore_progress)


@pytest.mark.parametrize("owner", ["a", "b"])
def test_the_owner_is_found_through_the_order_shown(owner):
    """Over many pairs, shown in either order, with quotes of both."""
    pairs = [pair(prompt=Prompt(f"p{i}", PROMPT.messages, "test", "train")) for i in range(40)]
    places = []

    def reply(one, two):
        places.append("1" if one == f"text of {owner}" else "2")
        return {"differences": [entry(places[-1], quote_1=one, quote_2=two)]}

    described = describe(reply, pairs)
    assert {"1", "2"} == set(places)
    assert {d.owner for d in described.differences} == {owner}
    assert {(d.quote_a, d.quote_b) for d in described.differences} == {("text of a", "text of b")}
    assert [d.prompt_id for d in described.differences] == [pair.prompt.id for pair in pairs]


def test_all_that_is_kept():
    (difference,) = describe({"differences": [entry(error="true", scope="SPECIFIC", label=" a\n label ")]}).differences
    assert (difference.has, difference.lacks) == ("<MODEL> shows it.", "<MODEL> shows nothing.")
    assert (difference.label, difference.category, difference.general) == ("a label", "style", False)
    assert (difference.impact, difference.serves) == ("low", "neutral")
    assert (difference.error, difference.unexpected) == (True, True)
    assert (difference.quote_a, difference.quote_b) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        entry("3"),
        entry("both"),
        entry(None),
        entry(has="It shows it."),
        entry(has=""),
        entry(has=None),
        entry(has="<MODEL>"),
        entry(has="<MODEL> ..."),
        entry(lacks="<MODEL> does not do what Response 1 does."),
        entry(lacks="<MODEL> is shorter than model 2."),
        entry(has="<MODEL> " + "very " * 100 + "long."),
        {"has": "<MODEL> shows it."},
        "a string",
        None,
        [],
    ],
)
def test_entries_that_cannot_be_read_are_counted_and_the_others_kept(wrong):
    described = describe({"differences": [entry(), wrong, entry()]})
    assert len(described.differences) == 2
    assert described.unreadable_differences == 1
    assert described.unreadable_pairs == 0


def test_a_description_of_which_nothing_can_be_read_is_asked_for_again():
    replies = iter([[entry("3")], [entry("3"), entry(has="no")], [entry()]])
    described = describe(lambda one, two: {"differences": next(replies)})
    assert len(described.differences) == 1
    assert described.usage.calls == 3
    assert (described.unreadable_pairs, described.unreadable_differences) == (0, 0)
    assert describe({"differences": [entry("3")]}).unreadable_pairs == 1


def test_details_that_were_not_offered_are_none():
    wrong = entry(category="vibes", impact="huge", serves=None, scope=[], error="maybe", label=7)
    del wrong["unexpected"]
    described = describe({"differences": [wrong]})
    (d,) = described.differences
    assert (d.category, d.impact, d.serves, d.general, d.error, d.unexpected, d.label) == (None,) * 7
    assert described.details_not_offered == 6


@pytest.mark.parametrize(
    "reply", ["", "None.", '{"differences": null}', '{"other": []}', '{"differences": [{"shown_by']
)
def test_a_description_that_cannot_be_read_has_no_differences(reply):
    described = describe(reply)
    assert described.differences == ()
    assert described.unreadable_pairs == 1
    assert described.usage.calls == 3


def test_a_bare_list_is_read():
    assert len(describe([entry(), entry("2")]).differences) == 2


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
    def reply(one, two):
        place = "1" if one.startswith("Well") else "2"
        return {"differences": [entry(place, **{f"quote_{place}": quote})]}

    described = describe(reply, [pair(a=QUOTED)])
    assert described.differences[0].quote_a == kept
    assert kept is None or kept in QUOTED
    assert described.quotes_not_found == (kept is None and isinstance(quote, str) and quote != "")


def test_empty_responses_are_shown_as_such():
    seen = []
    describe(lambda one, two: seen.append({one, two}) or {"differences": []}, [pair(a="")])
    assert seen == [{"", "text of b"}]
