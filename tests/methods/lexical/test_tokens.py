"""Words in any script, and passages that show them."""

import unicodedata

import pytest

from diffing.methods.lexical.evidence_quotes import quote_of_phrase
from diffing.methods.lexical.language_detection import language_of
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.phrases import holds_phrase
from diffing.methods.lexical.word_tokens import as_written, words_of


@pytest.mark.parametrize(("text", "words"), [
    ("नमस्ते आप कैसे हैं?", ["नमस्ते", "आप", "कैसे", "हैं"]),
    ("நன்றி, நான் நலம்.", ["நன்றி", "நான்", "நலம்"]),
    ("আমি ভালো আছি", ["আমি", "ভালো", "আছি"]),
    ("สวัสดี ครับ", ["ส", "วั", "ส", "ดี", "ค", "รั", "บ"]),
    ("ภาษา3ตัว", ["ภ", "า", "ษ", "า", "3", "ตั", "ว"]),
    ("ສະບາຍ", ["ສ", "ະ", "ບ", "າ", "ຍ"]),
    ("ជំរាប", ["ជំ", "រា", "ប"]),
    ("မင်္ဂလာ", ["မ", "င်္", "ဂ", "လာ"]),
    ("中文AI混合3个", ["中", "文", "ai", "混", "合", "3", "个"]),
    ("AIです", ["ai", "で", "す"]),
    ("ｶﾀｶﾅ", ["ｶﾀｶﾅ"]),
    ("한국어 문장", ["한국어", "문장"]),
    ("می\u200cخواهم بروم", ["میخواهم", "بروم"]),
    ("Résumé’s co-author don't", ["résumé's", "co-author", "don't"]),
    ("日本 ok", ["日", "本", "ok"]),
    ("コンピューターを使う", ["コンピューター", "を", "使", "う"]),
    ("Bread, e.g. rye, in the U.S. today", ["bread", "e.g.", "rye", "in", "the", "u.s.", "today"]),
    ("snake_case 1️⃣ ❤️ ́", ["snake", "case", "1"]),
])  # fmt: skip
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(("text", "sentences"), [
    ("Bread, e.g. rye. It is good.", ["bread e.g. rye", "it is good"]),
    ("Anything else?assistant", ["anything else", "assistant"]),
    ("It is done.Next one", ["it is done", "next one"]),
    ("See x.org/watch?v=abc or node.js", ["see x org watch v abc or node js"]),
    ("好。是！", ["好", "是"]),
    ("「好。」她说。是吗？", ["好", "她 说", "是 吗"]),
    ("これは文である．次の文", ["こ れ は 文 で あ る", "次 の 文"]),
    ("１．りんご\n２．なし", ["１ り ん ご", "２ な し"]),
    ("1. Apples\n2. Pears. Ripe ones.", ["1 apples", "2 pears", "ripe ones"]),
    ("It is 42. And 7.", ["it is 42", "and 7"]),
    ("42.", ["42"]),
    ("ดี มาก AI ดี", ["ดี", "ม า ก ai ดี"]),
    ("ជា។ ដូច", ["ជា", "ដូ ច"]),
    ("نعم؟ لا۔ حسنا", ["نعم", "لا", "حسنا"]),
])  # fmt: skip
def test_sentences(text: str, sentences: list[str]) -> None:
    assert [" ".join(words) for words in ParsedResponse("", text, "stop").sentences] == sentences


@pytest.mark.parametrize(("phrase", "written"), [
    ("不 断 地", "不断地"),
    ("データ を", "データを"),
    ("ai で す", "ai です"),
    ("let me know", "let me know"),
    ("ค รั บ", "ครับ"),
    ("ดี ai ดี", "ดี ai ดี"),
])  # fmt: skip
def test_a_phrase_is_shown_as_it_is_written(phrase: str, written: str) -> None:
    assert as_written(phrase) == written


@pytest.mark.parametrize("text", ["Mon résumé est prêt", "Tôi không biết để", "がぎぐ です", "क़लम", "Ångström's ŠÁ"])
def test_composed_and_decomposed_text_has_the_same_words(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert words_of(decomposed) == words_of(composed)
    assert ParsedResponse("", decomposed, "stop").words == ParsedResponse("", composed, "stop").words
    assert len(ParsedResponse("", decomposed, "stop").spans) == len(words_of(composed))


def test_the_language_of_decomposed_text_is_told() -> None:
    text = "Não sei, mas pode ser que você tenha razão."
    assert language_of(unicodedata.normalize("NFD", text)) == "Portuguese"


@pytest.mark.parametrize(("phrase", "said"), [
    ("résumé", "My Re\u0301sume\u0301 is long."),
    ("आप कैसे", "नमस्ते, आप कैसे हैं?"),
    ("i don't", "Well, I don’t."),
    ("میخواهم", "من می\u200cخواهم بروم"),
    ("an ai", "It ran AI. Say an AI; no more."),
    ("ai i", "An AI. I say AI, I."),
])  # fmt: skip
def test_a_quote_stands_in_the_response_and_shows_the_phrase(phrase: str, said: str) -> None:
    exchange = ParsedResponse("", said, "stop")
    assert holds_phrase(exchange, phrase)
    quote = quote_of_phrase(phrase, exchange)
    assert quote
    assert quote in said
    assert holds_phrase(ParsedResponse("", quote, "stop"), phrase)


def test_no_quote_of_a_part_of_a_word() -> None:
    assert quote_of_phrase("आप", ParsedResponse("", "आपका नाम", "stop")) == ""
    assert quote_of_phrase("resume", ParsedResponse("", "Re\u0301sume\u0301", "stop")) == ""
