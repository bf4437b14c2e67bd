"""Which sentences of a response show a property or contain a phrase."""

import pytest

from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.shown_sentences import ShownSentences
from diffing.types import LatentMeasure, Message, Pair, PhraseMeasure, Prompt, PropertyMeasure, Response

TEXT = "Hello! ... \n\n I'm sorry, but I can't help. “Really.” So it is? - a\n- best wishes. \n1. One thing.\n2. Two."
# numbers: 0 Hello!, 1 ..., 2 empty, 3 sorry, 4 Really, 5 So it is?, 6 "- a", 7 "- best wishes.", 8 empty, then the list


def shown(text: str) -> ShownSentences:
    return ShownSentences(ParsedResponse("?", text, "stop"))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("greetings", {0}),
        ("exclamation_marks", {0}),
        ("apologies", {3}),
        ("question_marks", {5}),
        ("words", set()),  # no passage shows it
        ("emoji", None),
        ("tables", None),
    ],
)
def test_sentences_that_show_a_property(name: str, first: set[int] | None) -> None:
    assert shown(TEXT).of_property(BY_NAME[name]) == first


@pytest.mark.parametrize(
    ("phrase", "sentences"),
    [("hello", {0}), ("can't help", {3}), ("help really", None), ("so it", {5}), ("best wishes", {7}), ("ahoy", None)],
)
def test_sentences_with_a_phrase(phrase: str, sentences: set[int] | None) -> None:
    assert shown(TEXT).of_phrase(phrase) == sentences


def test_a_phrase_in_a_list_stands_where_the_list_is_shown() -> None:
    text = shown("See:\n1. One thing.\n2. Two.\nBye now.")
    in_list, phrase = text.of_property(BY_NAME["numbered_lists"]), text.of_phrase("one thing")
    assert phrase
    assert phrase <= in_list
    assert not (text.of_phrase("bye now") & in_list)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "...", "1.", "- \n- ", "Ends.So it goes", "中文。好！", "a.b.c. D e.g. f"]
)
def test_odd_responses_are_read_to_their_end(text: str) -> None:
    one = shown(text)
    for word in {*one.exchange.words, "x"}:
        found = one.of_phrase(word)
        assert (found is None) == (word not in one.exchange.words)
        assert found is None or found
    for measured in BY_NAME.values():
        one.of_property(measured)


def test_the_method_answers_for_its_own_measures_alone() -> None:
    prompt = Prompt("p", (Message("user", "Q?"),), "test", "train")
    a, b = Response("p", "a", TEXT, "stop"), Response("p", "b", "It is so.", "stop")
    measures = [PhraseMeasure("hello"), PropertyMeasure("apologies"), PropertyMeasure("other"), LatentMeasure((1,))]
    method = LexicalMethod()
    assert method.sentences_shown(measures, Pair(prompt, a, b), "a") == [frozenset({0}), frozenset({3}), None, None]
    assert method.sentences_shown(measures, Pair(prompt, a, b), "b") == [None] * 4
    failed = Pair(prompt, a, Response("p", "b", "", "error"))
    assert method.sentences_shown(measures, failed, "a") == [None] * 4  # the pair cannot be measured
