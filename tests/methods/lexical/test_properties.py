"""Every measured property on texts that have it and texts that do not."""

import pytest

from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import ParsedPair, ParsedResponse, read_pair
from diffing.methods.lexical.properties import BY_NAME, PROPERTIES
from diffing.methods.lexical.property_comparison import compare_property
from diffing.types import Finish, Message, Pair, Prompt, Response, Verdict
from tests.work import assert_linear

LOOP = "I am happy to help you today. " * 3


PROMPT = "How do I bake bread at home without an oven?"


def exchange(text: str, prompt: str = PROMPT, finish: Finish = "stop") -> ParsedResponse:
    return ParsedResponse(prompt, text, finish)


def value(name: str, text: str, **other: str) -> float | None:
    return BY_NAME[name].value(exchange(text, **other))  # type: ignore[arg-type]


def pair(a: str, b: str) -> Pair:
    prompt = Prompt("p", (Message("user", "Hello there"),), "test", "train")
    return Pair(prompt, Response("p", "A", a, "stop"), Response("p", "B", b, "stop"))


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("words", "One two, three-four don't 5.", 5),
    ("words", "日本語", 3),
    ("words", "", 0),
    ("sentences", "One. Two! Is it 3.5?\nA line without a full stop", 4),
    ("sentences", "...", 0),
    ("sentence_length", "One two. One two three four.", 3),
    ("sentence_length", "", 0),
    ("paragraphs", "One\nstill one\n\ntwo\n \n\nthree\n", 3),
    ("word_variety", "the cat the dog", 0.75),
    ("word_length", "a bbb", 2),
    ("headings", "Intro\n## Part", 1),
    ("headings", "#hashtag and C# code", 0),
    ("bullet_lists", "- one\n- two", 1),
    ("bullet_lists", "- one dash alone", 0),
    ("bullet_lists", "a - b\nc - d", 0),
    ("numbered_lists", "1. one\n2) two", 1),
    ("numbered_lists", "It was 1945. Then 1946.", 0),
    ("lists", "  * one\n  * two", 1),
    ("lists", "1. one\n- two", 0),
    ("numbered_lists", "一、苹果\n二、梨", 1),
    ("numbered_lists", "１．りんご\n２．なし", 1),
    ("numbered_lists", "①りんご\n②なし", 1),
    ("numbered_lists", "一个苹果\n二个梨", 0),
    ("numbered_lists", "(一) 苹果\n(二) 梨", 1),
    ("numbered_lists", "๑. หนึ่ง\n๒. สอง", 1),
    ("words", "สวัสดี", 4),
    ("words", "Use AI好吗", 4),
    ("sentences", "1. Apples\n2. Pears", 2),
    ("looping", "人工智能技术很好，" * 3, 0),
    ("looping", "我们今天要去看一看那个很大的公园吧，" * 3, 1),
    ("repeats_prompt", "面包好吃", 0),
    ("open_end", "Well then「そう。」", 0),
    ("question_marks", "نعم؟ 是吗？", 2),
    ("quotations", "「はい」と『いいえ』", 2),
    ("parentheses", "好（很好）", 1),
    ("dashes", "好——很好", 1),
    ("upper_case", "ЭТО ВАЖНО", 1),
    ("bullet_lists", "・りんご\n・なし", 1),
    ("numbers", "一、苹果3个\n二、梨", 1),
    ("numbers", "１．りんご3\n２．なし", 1),
    ("tables", "| a | b |\n|---|:--|\n| 1 | 2 |", 1),
    ("tables", "a | b\n-----", 0),
    ("bold", "This is **bold**.", 1),
    ("bold", "2 ** 3 ** 4\n**", 1),
    ("bold", "2 * 3", 0),
    ("italics", "*smiles* Hello", 1),
    ("italics", "**bold** and 2 * 3 * 4", 0),
    ("code_blocks", "Text\n```python\nx\n```", 1),
    ("inline_code", "Run `ls` now", 1),
    ("inline_code", "```\nx\n```", 0),
    ("emoji", "Nice 🎉", 1),
    ("emoji", "Nice :)", 1),
    ("emoji", "At 10:30 (sharp); see note: (a)", 0),
    ("links", "See https://example.org.", 1),
    ("links", "See [here](x).", 1),
    ("maths", r"So \(x^2\) and \frac{1}{2}", 1),
    ("numbers", "1. In 1,945.5 there were 3\n2. x", 2),
    ("quotations", 'He said "yes" and “no”.', 2),
    ("upper_case", "This is VERY LOUD, but NASA and HTML are 4 too, USA is not", 4),
    ("dashes", "This — and that – too, well-known", 2),
    ("parentheses", "One (as said) and (b2)", 2),
    ("exclamation_marks", "Hi! Great!!", 3),
    ("question_marks", "Why? Really?", 2),
    ("ends_with_question", 'I can. Shall I do it?")  ', 1),
    ("ends_with_question", "Why? Because.", 0),
    ("looping", LOOP, 1),
    ("looping", LOOP[:-30], 0),
    ("broken_off", "word " * 25 + "and", 0),
    ("broken_off", "This is the letter you asked for. " * 5 + "\n\nBest regards,\nJohn Smith", 0),
    ("broken_off", "def double(x):\n    return 2 * x\n" * 9, 0),
    ("open_end", "word " * 25 + "and", 1),
    ("open_end", "After a long calculation, it is 42 \n", 1),
    ("open_end", "नमस्ते", 1),
    ("open_end", "Best regards,\nJohn Smith", 1),
    ("open_end", "word " * 25 + "end.", 0),
    ("open_end", "He said “it is so.”", 0),
    ("open_end", "यह ठीक है।", 0),
    ("empty", " \n\t", 1),
    ("empty", ".", 0),
    ("repeats_prompt", "You ask how do I bake bread at home without an oven? Easy.", 1),
    ("repeats_prompt", "To bake bread at home you need an oven.", 0),
    ("hedges", "It may rain, perhaps. I think it might.", 4),
    ("intensifiers", "Very good, really.", 2),
    ("first_person", "I think my cat likes me; it is Iris's.", 3),
    ("second_person", "You and your dog", 2),
    ("contractions", "Don't worry, it’s fine; the dog's bone isn't mine", 3),
    ("examples", "For example bread, such as rye, e.g. this", 3),
    ("reasons", "Because it is late, therefore go", 2),
    ("contrasts", "However, although late", 2),
    ("risks", "It is dangerous and illegal", 2),
    ("politeness", "Please, thank you", 2),
    ("refusals", "I'm sorry, but I can’t help with that.", 1),
    ("refusals", "I cannot assist you.", 1),
    ("refusals", "I am unable to provide this.", 1),
    ("refusals", "You can't help falling in love. I can help.", 0),
    ("apologies", "I apologize for that", 1),
    ("disclaimers", "Please consult a qualified tax lawyer.", 1),
    ("disclaimers", "I am not a doctor", 1),
    ("disclaimers", "See the doctor's notes on line 3", 1),
    ("disclaimers", "The film is about law", 0),
    ("self_as_ai", "As an AI language model, I have no body", 1),
    ("self_as_ai", "AI is a field of study", 0),
    ("greetings", "Hello! How are you", 1),
    ("greetings", "I say hello", 0),
    ("praise", "What a great question! So", 1),
    ("praise", "x " * 60 + "Great question", 0),
    ("consent", "Sure, here it is", 1),
    ("consent", "I am sure", 0),
    ("offers", "It is done. Let me know if you need more.", 1),
    ("offers", "Let me know. " + "x " * 200, 0),
    ("summaries", "One.\nOverall, it is fine", 1),
    ("summaries", "The overall mass", 0),
    ("other_language", "Das ist nicht so einfach, aber ich kann es versuchen.", 1),
    ("other_language", "That is not so easy but I can try it.", 0),
    ("language_german", "Das ist nicht so einfach, aber ich kann es versuchen.", 1),
    ("language_english", "That is not so easy but I can try it.", 1),
])  # fmt: skip
def test_value(name: str, text: str, expected: float) -> None:
    assert value(name, text) == pytest.approx(expected)


@pytest.mark.parametrize("text", [
    "I'm not comfortable with that.",
    "I’m not really comfortable writing this.",
    "I am uncomfortable discussing that.",
    "That's not something I can do.",
    "This isn't something that I can help with.",
    "That is not something I'm able to do.",
    "Sorry, no.",
    "I'm sorry, but no",
    "I won't be able to help with that.",
    "I have to respectfully decline.",
    "I'd rather not discuss it.",
    "I can't help with that. Ask someone who knows enough.",
    "I cannot help you write malware.",
    "It is not appropriate for me to answer.",
    "It is inappropriate to assist.",
    "I cannot share instructions for a highly dangerous weapon.",
    "I can't share that, it would be highly unethical.",
    "I'm not able to give enough details about that.",
    "I can't help with that because I don't know enough.",
    "I cannot assist in this.",
])  # fmt: skip
def test_a_refusal(text: str) -> None:
    assert value("refusals", text) == 1


@pytest.mark.parametrize("text", [
    "I cannot recommend this book enough.",
    "I can't recommend it highly enough!",
    "I can not only help with that but also write it for you.",
    "I can't share my excitement enough.",
    "What if I won't give up?",
    "I won't give up.",
    "I can't help but smile.",
    "I cannot help wondering why.",
    "I can't wait to help you.",
    "If I can't answer, I shall say so.",
    "I'm not comfortable with heights.",
    "That's not something I can forget.",
    "That's not something I can't handle.",
    "Sorry, no idea who that was, but here is what I found.",
    "Sorry, nobody knows.",
])  # fmt: skip
def test_no_refusal(text: str) -> None:
    assert value("refusals", text) == 0


def test_finish_is_looked_at() -> None:
    assert value("broken_off", "Paris", finish="length") == 1
    assert value("refusals", "", finish="refused") == 1


def test_the_battery_is_well_formed() -> None:
    assert len(PROPERTIES) >= 30
    assert len(BY_NAME) == len(PROPERTIES)
    assert len({measured.sentence for measured in PROPERTIES}) == len(PROPERTIES)
    assert all(measured.sentence.startswith("<MODEL> ") for measured in PROPERTIES)
    assert all(measured.definition for measured in PROPERTIES)


@pytest.mark.parametrize("measured", PROPERTIES, ids=lambda measured: measured.name)
def test_nothing_is_measured_in_nothing(measured: MeasuredProperty) -> None:
    assert (measured.value(exchange("")) or 0.0) == (1.0 if measured.name == "empty" else 0.0)


def verdict_of(measured: MeasuredProperty, reading: ParsedPair) -> Verdict:
    return next(iter(compare_property(measured, [reading])))[0]


def test_a_mere_difference_in_length_changes_nothing_but_length() -> None:
    """A text against its own first half: what depends on rates is compared within the shorter one's words."""
    half = 'I think you may like it! Perhaps not; however, it\'s 5 "odd" things (as said), because VERY risky. '
    reading = read_pair(pair(half * 2, half))
    verdicts = {measured.name: verdict_of(measured, reading) for measured in PROPERTIES}
    assert {name: verdict for name, verdict in verdicts.items() if verdict != Verdict.NEITHER} == {
        "words": Verdict.A,
        "sentences": Verdict.A,
    }
    assert compare_property(BY_NAME["words"], [reading]).whole.tolist() == [[36, 18]]


@pytest.mark.parametrize(
    "text", ["So:\n- a last item", "```\nx = 1", "```\nx = 1\n```", "Nice 🎉", "## Part", "ครับ", ""]
)
def test_how_a_text_ends_is_not_told_where_no_full_stop_is_needed(text: str) -> None:
    assert value("open_end", text) is None


@pytest.mark.parametrize(("name", "a", "b", "expected"), [
    ("numbers", "The answer is 42.", "Let me work this out for you. 7 + 35 = 42, so 42; check: 42 - 7.", "B"),
    ("numbers", "The answer is 42.", "The answer is 42. The answer is 42.", "NEITHER"),
    ("question_marks", "Use a pan and some oil.",
     "Use a pan and some oil until it browns. Shall I go on? Just tell me.", "B"),
    ("numbers", "The answer is 42.", "Sure thing! The answer is 42.", "NEITHER"),
    ("numbers", "The answer is 42.", "Sure thing! The answer is big.", "A"),
    ("numbers", "The answer is 42.", "42 or 43, as I said before.", "B"),
    ("question_marks", "It is so, I think. Why?", "Why? It is.", "NEITHER"),
    ("word_variety", "red red red", "red blue green red red red red red red red red red", "B"),
    ("word_variety", "red blue green", "red blue green red blue green red blue green", "NEITHER"),
    ("word_length", "a bb", "a ccccc bb", "NEITHER"),
    ("sentence_length", "One two.", "One two. One two three. One.", "B"),
    ("language_english", "That is not so easy but I can try it.", "Berlin", "NEITHER"),
    ("language_english", "That is not so easy but I can try it.", "```\nx = 1\n```", "NEITHER"),
    ("language_english", "That is not so easy but I can try it.", "Das ist nicht so einfach.", "A"),
    ("other_language", "Das ist nicht so einfach, aber es geht.", "42", "NEITHER"),
    ("other_language", "Das ist nicht so einfach, aber es geht.", "That is not so easy but I can try it.", "A"),
])  # fmt: skip
def test_a_verdict_does_not_come_from_length_alone(name: str, a: str, b: str, expected: str) -> None:
    both = pair(a, b)
    prompt = Prompt("p", (Message("user", PROMPT),), "test", "train")
    assert verdict_of(BY_NAME[name], read_pair(Pair(prompt, both.a, both.b))) == expected
    swapped = {"A": "B", "B": "A"}.get(expected, expected)
    assert verdict_of(BY_NAME[name], read_pair(Pair(prompt, both.b, both.a))) == swapped


def test_the_language_other_than_the_prompts_needs_a_prompt_whose_language_can_be_told() -> None:
    assert BY_NAME["other_language"].value(exchange("Das ist nicht so einfach, aber es geht.", "Berlin?")) is None


def test_the_longer_side_is_cut_to_its_first_and_last_words_for_phrases() -> None:
    reading = read_pair(pair("One two, three four. Five six seven!", "Eins zwei drei vier?"))
    assert [side.text for side in reading.ends] == ["One two, \n\n six seven!", "Eins zwei drei vier?"]
    assert [side.text for side in read_pair(pair("One two three", "Eins")).ends] == ["One \n\n", "Eins"]
    assert [side.text for side in read_pair(pair("One two three", "")).ends] == ["\n\n", ""]


def test_sentences_are_spread_over_the_longer_side() -> None:
    reading = read_pair(pair("One. Two. Three. Four. Five.", "Eins! Zwei! Drei!"))
    assert [side.text for side in reading.spread_sentences] == ["one\nthree\nfive", "eins\nzwei\ndrei"]
    assert [side.text for side in read_pair(pair("One. Two.", "Eins!")).spread_sentences] == ["two", "eins"]
    assert [side.text for side in read_pair(pair("One. Two.", "")).spread_sentences] == ["", ""]


@pytest.mark.parametrize("name", ["words", "sentences", "paragraphs"])
def test_which_of_two_lengths_is_larger_is_unknown_if_the_limit_cut_the_shorter_one(name: str) -> None:
    prompt = Prompt("p", (Message("user", PROMPT),), "test", "train")

    def verdict(longer: Finish, shorter: Finish) -> Verdict:
        texts = Response("p", "A", "One.\n\nTwo. Three.", longer), Response("p", "B", "One.", shorter)
        return verdict_of(BY_NAME[name], read_pair(Pair(prompt, *texts)))

    assert verdict("stop", "stop") == verdict("length", "stop") == Verdict.A
    assert verdict("stop", "length") == verdict("length", "length") == Verdict.NEITHER


JUNK = [
    "*",
    "`a",
    "[",
    "](",
    '"',
    ".",
    "-",
    "|-",
    "\n",
    " ",
    "n't",
    "1.",
    "1,",
    "#",
    "- \n",
    "(",
    "😀",
    "的",
    "a'",
    "A",
    ";-",
]


@pytest.mark.parametrize(
    "junk",
    [
        *JUNK,
        "\u202e",
        "see a b c ",
        "I can't ",
        "http://",
        "I can't give a ",
        "I'm not so ",
        "that is not something i can ",
        "sorry, ",
        "स्",
        "e\u0301",
        "e'\u0301",
        "が",
    ],
)
def test_hostile_text_takes_linear_time(junk: str) -> None:
    def measure_all(size: int) -> None:
        long = exchange((junk * size)[:size])
        for measured in PROPERTIES:
            measured.value(long)

    assert_linear(measure_all, 2_500)
