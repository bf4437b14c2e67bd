"""Phrases that one side uses more, on planted texts."""

import random

import pytest

from diffing.methods.lexical import phrase_table
from diffing.methods.lexical.counted_pairs import words_of_pair
from diffing.methods.lexical.parsed_response import ParsedResponse, read_pair
from diffing.methods.lexical.phrase_table import PairWords, count_phrases
from diffing.methods.lexical.phrases import PhraseSearch, find_phrases, holds_phrase, kind_of
from diffing.methods.lexical.word_tokens import as_written
from diffing.types import Message, Pair, Prompt, Response

FILLER = [f"{consonant}{vowel}{end}" for consonant in "bdfgklmnprst" for vowel in "aeiou" for end in ("x", "zu", "ng")]


def readings(a: list[str], b: list[str]) -> list[PairWords]:
    def pair(i: int) -> Pair:
        prompt = Prompt(f"p{i}", (Message("user", "Hello"),), "test", "train")
        return Pair(prompt, Response(f"p{i}", "A", a[i], "stop"), Response(f"p{i}", "B", b[i], "stop"))

    return [words_of_pair(read_pair(pair(i))) for i in range(len(a))]


def filler(draw: random.Random, words: int = 40) -> str:
    return " ".join(draw.choice(FILLER) for _ in range(words))


def test_planted_phrases_of_both_sides_are_found_whole_and_nothing_else() -> None:
    draw = random.Random(0)
    a = [f"I hope this helps. {filler(draw)}" if i % 4 == 0 else f"{filler(draw)} well then" for i in range(120)]
    b = [f"{'Absolutely fascinating! ' if i % 3 == 0 else 'Quite. '}{filler(draw)} well then" for i in range(120)]
    found, left_out = find_phrases(readings(a, b), PhraseSearch())
    texts = {side: [phrase.text for phrase in found if phrase.side == side] for side in ("a", "b")}
    assert texts["b"][0] == "quite"
    assert "absolutely fascinating" in texts["b"]
    assert [text for text in texts["a"] if "hop" in text or "help" in text] == ["hope this helps"]
    assert left_out["phrases merged with a stronger one that says the same"] >= 4
    absolutely = next(phrase for phrase in found if phrase.text == "absolutely fascinating")
    assert (absolutely.responses_a, absolutely.responses_b) == (0, 40)


def test_counting_range_by_range_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    texts = [
        [f"{'Certainly, as I said. ' if draw.random() < share else ''}{filler(draw)}" for _ in range(40)]
        for share in (0.2, 0.7)
    ]
    pairs = readings(*texts)
    whole = count_phrases(pairs, 2)
    monkeypatch.setattr(phrase_table, "_AT_ONCE", 50)
    ranges = count_phrases(pairs, 2)
    numbers = range(len(whole.telling))
    assert [ranges.text(number) for number in numbers] == [whole.text(number) for number in numbers]
    assert (ranges.responses == whole.responses).all()
    assert len(whole.lengths) >= 3
    assert all(ranges.holders(n, side) == whole.holders(n, side) for n in numbers for side in (0, 1))
    place = next(number for number in numbers if whole.text(number) == "as i said")
    assert whole.holders(place, 1) == {n for n, text in enumerate(texts[1]) if "as I said" in text}


def test_one_response_that_repeats_a_phrase_counts_once() -> None:
    draw = random.Random(1)
    a = [filler(draw) for _ in range(60)]
    a[0] = "buy gold now " * 40
    found, _ = find_phrases(readings(a, [filler(draw) for _ in range(60)]), PhraseSearch(min_responses=2))
    assert not any("gold" in phrase.text for phrase in found)


def test_mere_length_makes_no_phrase() -> None:
    draw = random.Random(2)
    a = [filler(draw, 200) for _ in range(150)]
    b = [filler(draw, 40) for _ in range(150)]
    found, _ = find_phrases(readings(a, b), PhraseSearch())
    assert len(found) <= 0.1 * len(FILLER)  # z > 1.96 in some of 180 words by chance, on either side
    assert {phrase.side for phrase in found} != {"a"}


def test_the_strongest_of_each_side_are_kept() -> None:
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"]
    a = [
        "Well. " + " ".join(f"{word}." for k, word in enumerate(words) if (i + 17 * k) % 100 < 30 + 5 * k)
        for i in range(100)
    ]
    b = ["Well. Well. Well. Well. Well. Well. Well."] * 100
    found, left_out = find_phrases(readings(a, b), PhraseSearch(per_side=2))
    assert [phrase.text for phrase in found if phrase.side == "a"] == ["foxtrot", "echo"]
    assert left_out["phrases beyond the strongest of their side"] >= 4


def test_two_languages_that_share_no_word() -> None:
    draw = random.Random(3)
    a = [" ".join(f"{draw.choice(FILLER)}a" for _ in range(60)) for _ in range(800)]
    b = [" ".join(f"{draw.choice(FILLER)}b" for _ in range(60)) for _ in range(800)]
    pairs = readings(a, b)
    found, left_out = find_phrases(pairs, PhraseSearch())
    assert len(found) == 40
    assert left_out["phrases beyond the strongest of their side"] > 300


def test_numbers_and_single_words_of_grammar_are_no_phrases() -> None:
    a = ["at 1984 the zebra"] * 40
    found, left_out = find_phrases(readings(a, ["kilo lima mike november"] * 40), PhraseSearch())
    assert {phrase.text for phrase in found if phrase.side == "a"} == {"the zebra"}
    assert left_out["grammatical words and numbers"] >= 5


def test_in_scripts_without_spaces_phrases_are_runs_of_characters() -> None:
    a = ["希望对您有帮助。" if i % 2 else "好。" for i in range(80)]
    found, _ = find_phrases(readings(a, ["是的，天气真的非常好。"] * 80), PhraseSearch())
    longest = next(phrase for phrase in found if phrase.side == "a")
    assert as_written(longest.text) in "希望对您有帮助"
    assert len(as_written(longest.text)) == 6
    thai = ["ครับ ดีมาก" if i % 2 else "ดีมาก" for i in range(80)]
    found, _ = find_phrases(readings(thai, ["ดีมาก ดี"] * 80), PhraseSearch())
    assert [as_written(phrase.text) for phrase in found if phrase.side == "a"] == ["ครับ"]
    assert [kind_of(text) for text in ("ค รั บ", "您", "コーヒー", "let me", "so")] == [
        *("characters", "character", "word", "phrase", "word"),
    ]


def test_phrases_do_not_reach_over_the_end_of_a_sentence() -> None:
    said = ParsedResponse("", "As an AI. I can’t\nsay", "stop")
    assert holds_phrase(said, "an ai")
    assert holds_phrase(said, "i can't")
    assert not holds_phrase(said, "ai i")
    assert not holds_phrase(said, "can't say")
    assert not holds_phrase(said, "a")


def test_what_one_side_only_says_later_is_no_difference() -> None:
    """Both say `it is` in every response; a talks on, so that it stands in the middle of a and at the end of b."""
    b = [f"Plain answer number {i} it is." for i in range(150)]
    a = [f"{text} And then some more words that only this side has to say." for text in b]
    found, _ = find_phrases(readings(a, b), PhraseSearch(per_side=50))
    assert "a" in {phrase.side for phrase in found}
    assert [phrase.text for phrase in found if phrase.side == "b"] == []


def test_a_phrase_that_lives_in_the_responses_of_a_stronger_one_is_merged() -> None:
    a = [f"{'Lovely' if i % 3 else 'Mighty'} question. It is so." if i % 2 else "It is so." for i in range(120)]
    b = ["It is so."] * 120
    found, left_out = find_phrases(readings(a, b), PhraseSearch())
    assert [phrase.text for phrase in found] == ["question"]
    assert left_out["phrases merged with a stronger one that says the same"] >= 3
