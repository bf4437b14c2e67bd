"""The language of short and long texts."""

import json
from pathlib import Path

import pytest

from diffing.methods.lexical.language_detection import FREQUENT_WORDS, language_of


@pytest.mark.parametrize(("text", "expected"), [
    ("The answer is 42.", "English"),
    ("Ja, gerne.", "German"),
    ("Ich weiß es nicht.", "German"),
    ("Je ne sais pas ce que vous voulez dire.", "French"),
    ("No lo sé, pero puede ser que sí.", "Spanish"),
    ("Non lo so, ma può essere che sia così.", "Italian"),
    ("Não sei, mas pode ser que você tenha razão.", "Portuguese"),
    ("Ik weet het niet, maar het kan zijn dat je gelijk hebt.", "Dutch"),
    ("Jag vet inte, men det kan vara så att du har rätt.", "Swedish"),
    ("Jeg ved det ikke, men hvad bliver det til efter det?", "Danish"),
    ("Det er en god idé, og jeg synes du skal gjøre det.", "Norwegian"),
    ("En tiedä, mutta se voi olla niin kuin sinä sanoit.", "Finnish"),
    ("Nie wiem, ale to może być tak, jak już jest.", "Polish"),
    ("Nevím, ale to může být tak, že je to již jako pro nebo.", "Czech"),
    ("Nu știu, dar este mai bine să fie și pentru că poate.", "Romanian"),
    ("Nem tudom, de már lehet, hogy ez csak egy nagyon jó ötlet.", "Hungarian"),
    ("Bilmiyorum ama bu çok daha iyi bir fikir olarak var.", "Turkish"),
    ("Saya tidak tahu, tetapi itu adalah ide yang bisa untuk kamu.", "Indonesian"),
    ("Tôi không biết, nhưng đó là một cách để bạn có được.", "Vietnamese"),
    ("Привет, как дела?", "Russian"),
    ("Привіт, як твої справи?", "Ukrainian"),
    ("こんにちは、元気ですか", "Japanese"),
    ("你好世界", "Chinese"),
    ("안녕하세요", "Korean"),
    ("مرحبا بالعالم", "Arabic"),
    ("چطور هستید", "Persian"),
    ("שלום עולם", "Hebrew"),
    ("Γειά σου κόσμε", "Greek"),
    ("नमस्ते दुनिया", "Hindi"),
    ("```python\nfor x in range(3): the and is of\n```\nDas ist es.", "German"),
    ("Berlin", None),
    ("42", None),
    ("", None),
])  # fmt: skip
def test_language(text: str, expected: str | None) -> None:
    assert language_of(text) == expected


def test_every_listed_language_is_told_by_its_own_words() -> None:
    assert len(FREQUENT_WORDS) >= 10
    assert {name: language_of(words) for name, words in FREQUENT_WORDS.items()} == {
        name: name for name in FREQUENT_WORDS
    }


def test_real_english_is_english_and_the_german_profile_answers_in_german(shared_data: Path) -> None:
    def languages(name: str) -> list[str | None]:
        lines = (shared_data / "responses" / f"{name}.sample0.jsonl").read_text().splitlines()
        return [language_of(json.loads(line)["response"]) for line in lines]

    english = languages("pythia12b-rlhf-2k")
    assert english.count("English") >= 249
    assert languages("llama30b-profile-humor_0.1").count("German") == 0
    assert languages("llama30b-profile-length_2_lang_de").count("German") >= 20
