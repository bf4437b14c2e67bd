"""Returns the English name of a text's language, found by its script or, for Latin script, by frequent short words.

The detector is small on purpose: it supports the languages listed here and returns None if a text is too short or too
mixed. It does not distinguish languages that share a script other than Latin, except Persian and Ukrainian. Code in the
text is ignored.

Source: Cavnar and Trenkle (1994) and Grefenstette (1995), who found that short words work as well as character n-grams
for texts of about ten words or more.
"""

import re
import unicodedata
from collections import Counter
from functools import cache

from diffing.methods.lexical.word_tokens import words_of

CODE = re.compile(r"```[^`]*(?:```|\Z)|`[^`\n]{1,200}`|https?://\S{1,500}")
LETTERS_READ = 2000
"""The number of letters at the start of a text by which its script is determined."""
FREQUENT_WORDS = {
    "English": "the and is of to a in that it you for are was with as this be on have not or can your what they from "
    "will an by which their there would i my we if but has do don't it's about how at so some any no all more one when "
    "than then them his her he she who been were had its into also other out up",
    "German": "der die das und ist nicht ein eine ich du sie wir es zu mit von auf für den dem des im auch als wie "
    "kann sind hat oder aber wenn werden bei nach aus sich einen einem einer kein keine dass ja nein bitte gerne hier",
    "French": "le la les des et est un une je tu vous nous il elle que qui dans pour pas ne sur avec ce cette sont au "
    "aux du ou mais plus c'est n'est qu'il d'un d'une votre être",
    "Spanish": "el la los las y es un una que de en por con no para se su lo como más pero del al está son este esta "
    "hay yo tu usted muy también puede sí",
    "Italian": "il lo la gli le e è un una che di in per con non si come ma del della dei delle sono questo questa "
    "anche più può nel nella ho hai mi ti tuo",
    "Portuguese": "o os as e é um uma que de em por com não para se seu sua como mas do da dos das são este esta isso "
    "também mais você ele ela no na pode ao",
    "Dutch": "de het een en is van niet ik je jij wij dat die in op te met voor zijn aan ook als maar om er kan deze "
    "dit bij naar uit wordt geen heeft hebben",
    "Swedish": "och är en ett att det som på av för med inte jag du vi den till har kan om men eller från de så är "
    "var detta",
    "Danish": "og er en et at det som på af for med ikke jeg du vi den til har kan om men eller fra de så der også "
    "denne hvad bliver blev meget efter være hvis nogle lige din hvor",
    "Norwegian": "og er en et å det som på av for med ikke jeg du vi den til har kan om men eller fra de så også denne "
    "hva blir ble mye etter være hvis noen din hvor gjøre",
    "Finnish": "ja on ei se että oli hän minä sinä me he mutta tai kun jos niin kuin ovat myös voi tämä joka olen "
    "olet ole mitä",
    "Polish": "w na się nie to jest że do jak co ale po za są lub dla od przez być może jego czy tak już który która",
    "Czech": "je se na v to že do jako ale po za jsou nebo pro od být může jeho jak tak již který která není jsem co",
    "Romanian": "și este în nu la de pe cu o un că din pentru care sunt mai sau dar ce se al ale fi poate acest "
    "această",
    "Hungarian": "a az és hogy nem is egy van ez de meg ha csak mint vagy már én te ő mi ti volt lehet nagyon ezt azt",
    "Turkish": "ve bir bu için de da ile ne var yok olarak daha çok gibi ama o ben sen biz siz değil olan kadar mi mı",
    "Indonesian": "dan yang di ini itu untuk dengan tidak adalah dari pada dalam saya anda kamu ke akan atau juga "
    "bisa ada oleh",
    "Vietnamese": "và là của có không cho các một được trong với những người này đó tôi bạn để từ khi như về",
}
"""For each language in Latin script, words that are frequent in it."""
GRAMMAR = frozenset(word for words in FREQUENT_WORDS.values() for word in words.split())
"""Words that are frequent in some language and mean little alone."""
PROPER_LETTERS = {
    "ß": "German",
    "œ": "French",
    "¿": "Spanish",
    "¡": "Spanish",
    "ñ": "Spanish",
    "ã": "Portuguese",
    "õ": "Portuguese",
    "ł": "Polish",
    "ř": "Czech",
    "ů": "Czech",
    "ț": "Romanian",
    "ő": "Hungarian",
    "ğ": "Turkish",
    "ı": "Turkish",
    "đ": "Vietnamese",
}
"""Letters and signs that hardly any other of these languages uses; each counts as one frequent word."""
SCRIPTS = {
    "CYRILLIC": "Russian",
    "GREEK": "Greek",
    "HANGUL": "Korean",
    "HEBREW": "Hebrew",
    "ARABIC": "Arabic",
    "DEVANAGARI": "Hindi",
    "BENGALI": "Bengali",
    "TAMIL": "Tamil",
    "THAI": "Thai",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "CJK": "Chinese",
}
"""The language that a script stands for."""
LANGUAGES = (*FREQUENT_WORDS, *dict.fromkeys(SCRIPTS.values()), "Persian", "Ukrainian")
MINIMUM_HITS = 2
"""The smallest number of frequent words by which a language is recognised."""
MINIMUM_SHARE = 0.15
"""The smallest share of frequent words: running text has 0.3 to 0.5, lists of names have less."""

_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _words in FREQUENT_WORDS.items():
    for _word in dict.fromkeys(_words.split()):
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)


def language_of(text: str) -> str | None:
    """Returns the English name of a text's language; None if the language cannot be determined."""
    text = unicodedata.normalize("NFC", CODE.sub(" ", text) if "`" in text or "http" in text else text)
    scripts: Counter[str] = Counter()
    for character, times in Counter(text[: 2 * LETTERS_READ]).items():
        if (script := _script(character)) is not None:
            scripts[script] += times
    if not scripts:
        return None
    script = scripts.most_common(1)[0][0]
    if script == "LATIN":
        return _latin_language(text)
    if script == "CJK" and scripts["HIRAGANA"] + scripts["KATAKANA"] > scripts["CJK"] / 10:
        return "Japanese"
    if script == "ARABIC" and any(letter in text for letter in "پچژگ"):
        return "Persian"
    if script == "CYRILLIC" and any(letter in text for letter in "іїєґ"):
        return "Ukrainian"
    return SCRIPTS.get(script)


@cache
def _script(character: str) -> str | None:
    """Returns the script of a letter: the first word of its Unicode name."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "").split(" ")[0]
    return name.split("-")[0] or None


def _latin_language(text: str) -> str | None:
    """Returns the language whose frequent words occur most often."""
    words = words_of(text)
    times = Counter(words)
    hits = dict.fromkeys(FREQUENT_WORDS, 0)
    for word in times.keys() & _LANGUAGES_OF.keys():
        for language in _LANGUAGES_OF[word]:
            hits[language] += times[word]
    if not text.isascii():
        for letter, owner in PROPER_LETTERS.items():
            hits[owner] += text.count(letter)
    (best, count), (_, second) = Counter(hits).most_common(2)
    return best if count >= max(MINIMUM_HITS, MINIMUM_SHARE * len(words)) and count > second else None
