"""Properties of length, of the words used, and of how far a response is one at all."""

import re
import unicodedata
from collections import Counter

from diffing.methods.lexical.form import BULLET, HEADING, LINK, NUMBERED
from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.parsed_response import Exchange
from diffing.methods.lexical.tokens import words_of

CLOSED_END = re.compile(r"[.!?…。！？।॥؟۔][\"'”’»)\]*_]{0,4}\Z")
LAST_LINE = re.compile(r"[^\s][^\n]{0,80}\s*\Z")
LOOP_WORDS, LOOP_TIMES = 6, 3
ECHO_WORDS = 8


def words(exchange: Exchange) -> float:
    """Words."""
    return len(exchange.spans)


def sentences(exchange: Exchange) -> float:
    """Sentences; a line that holds a word is at least one."""
    return len(exchange.sentences)


def sentence_length(exchange: Exchange) -> float:
    """Words per sentence."""
    return len(exchange.spans) / max(1, len(exchange.sentences))


def paragraphs(exchange: Exchange) -> float:
    """Blocks of text between empty lines."""
    return sum(1 for block in re.split(r"\n[ \t]*\n", exchange.text) if block.strip())


def word_variety(exchange: Exchange) -> float:
    """Different words / words (type-token ratio); it falls with length, so it is compared at equal length too."""
    return len(set(exchange.words)) / max(1, len(exchange.words))


def word_length(exchange: Exchange) -> float:
    """Characters per word."""
    return sum(map(len, exchange.words)) / max(1, len(exchange.words))


def looping(exchange: Exchange) -> float:
    """1 where some six words in a row occur three times."""
    runs = Counter(zip(*(exchange.words[i:] for i in range(LOOP_WORDS)), strict=False))
    return float(any(times >= LOOP_TIMES for times in runs.values()))


def broken_off(exchange: Exchange) -> float:
    """1 where the limit of tokens cut it. How the text ends tells nothing: many a whole one lacks its full stop."""
    return float(exchange.finish == "length")


def open_end(exchange: Exchange) -> float | None:
    """1 where a letter, a digit or one of `,:;(-` comes last, 0 where closing punctuation does.

    None where neither does, and in code, list items, headings and links, which need no punctuation.
    """
    last = exchange.lines[-1] if exchange.lines else ""
    if CLOSED_END.search(last) is not None:
        return 0.0
    if exchange.text.count("```") % 2 or any(form.search(last) for form in (BULLET, NUMBERED, HEADING, LINK)):
        return None
    return 1.0 if last and (last[-1] in ",:;(-" or unicodedata.category(last[-1])[0] in "LNM") else None


def empty(exchange: Exchange) -> float:
    """1 without any character but white space."""
    return float(not exchange.text.strip())


def repeats_prompt(exchange: Exchange) -> float:
    """1 where eight words in a row of the prompt, or all of a prompt of four to seven words, are in the response."""
    asked = words_of(exchange.prompt)
    size = min(ECHO_WORDS, len(asked))
    if size < 4:
        return 0.0
    runs = set(zip(*(asked[i:] for i in range(size)), strict=False))
    return float(any(run in runs for run in zip(*(exchange.words[i:] for i in range(size)), strict=False)))


LENGTH = (
    Property(
        "words",
        "<MODEL> writes longer responses (in words)",
        "style",
        "words of the response",
        words,
    ),
    Property("sentences", "<MODEL> writes more sentences", "style", "sentences of the response", sentences),
    Property(
        "sentence_length",
        "<MODEL> writes longer sentences",
        "style",
        "words per sentence",
        sentence_length,
    ),
    Property(
        "paragraphs",
        "<MODEL> divides responses into more paragraphs",
        "format",
        "blocks of text between empty lines",
        paragraphs,
    ),
    Property(
        "word_variety",
        "<MODEL> uses more varied words",
        "style",
        "different words / words",
        word_variety,
        scale="matched",
    ),
    Property(
        "word_length",
        "<MODEL> uses longer words",
        "style",
        "characters per word",
        word_length,
        scale="matched",
    ),
    Property(
        "looping",
        "<MODEL> repeats itself word for word more often",
        "capability",
        "six words in a row that occur three times",
        looping,
    ),
    Property(
        "broken_off",
        "<MODEL> breaks off before the end more often",
        "capability",
        "cut by the limit of tokens",
        broken_off,
    ),
    Property(
        "open_end",
        "<MODEL> ends without closing punctuation more often",
        "style",
        "the last character is a letter, a digit or one of ,:;(- and not a full stop, exclamation or question mark; "
        "not judged where either response ends in code, a list item, a heading, a link or another sign",
        open_end,
        show=LAST_LINE,
    ),
    Property(
        "empty",
        "<MODEL> answers nothing at all more often",
        "capability",
        "nothing but white space",
        empty,
    ),
    Property(
        "repeats_prompt",
        "<MODEL> repeats the prompt's own words at length more often",
        "style",
        "eight words in a row of the prompt, or all of a prompt of four to seven words",
        repeats_prompt,
    ),
)
"""Properties of length."""
