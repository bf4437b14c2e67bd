"""Measured properties of a response's length, its vocabulary, and its completeness (cut off, empty, looping)."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from diffing.methods.lexical.form_properties import BULLET, HEADING, LINK, NUMBERED
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.word_tokens import END_MARKS, is_mostly_unspaced, run_length, words_of

CLOSED_END = re.compile(rf"[{END_MARKS}][\"'”’»)\]*_」』）]{{0,4}}\Z")
UNPUNCTUATED = (BULLET, NUMBERED, HEADING, LINK, re.compile(r"[\u0e01-\u0ece]\Z"))
"""Match last lines that need no full stop; the last one those in Thai or Lao, which have none."""
LAST_LINE = re.compile(r"[^\s][^\n]{0,80}\s*\Z")
LOOP_WORDS, LOOP_TIMES = 6, 3
ECHO_WORDS, LEAST_ECHO = 8, 4


def words(exchange: ParsedResponse) -> float:
    """Words."""
    return exchange.words_in("text")


def sentences(exchange: ParsedResponse) -> float:
    """Counts the sentences; a line with at least one word counts as at least one sentence."""
    return len(exchange.sentences)


def sentence_length(exchange: ParsedResponse) -> float:
    """Returns the number of words per sentence."""
    return exchange.words_in("text") / max(1, len(exchange.sentences))


def paragraphs(exchange: ParsedResponse) -> float:
    """Counts the blocks of text between empty lines."""
    return sum(1 for block in re.split(r"\n[ \t]*\n", exchange.text) if block.strip())


def word_variety(exchange: ParsedResponse) -> float:
    """Returns different words / words (type-token ratio); it falls with length, so it is compared at equal length."""
    return len(set(exchange.words)) / max(1, len(exchange.words))


def word_length(exchange: ParsedResponse) -> float | None:
    """Returns the number of characters per word; None in scripts without spaces, where each character is a word."""
    if is_mostly_unspaced(exchange.words):
        return None
    return sum(map(len, exchange.words)) / max(1, len(exchange.words))


def looping(exchange: ParsedResponse) -> float:
    """Returns 1 if six words in a row (15 characters in scripts without spaces) occur three times, otherwise 0."""
    size = run_length(exchange.words, LOOP_WORDS)
    runs = list(zip(*(exchange.words[i:] for i in range(size)), strict=False))
    if len(runs) - len(set(runs)) < LOOP_TIMES - 1:
        return 0.0
    return float(max(Counter(runs).values()) >= LOOP_TIMES)


def broken_off(exchange: ParsedResponse) -> float:
    """Returns 1 if the token limit cut the response; its last character would not show it, as many lack a full stop."""
    return float(exchange.finish == "length")


def open_end(exchange: ParsedResponse) -> float | None:
    """Returns 1 if the text ends with a letter, a digit or one of `,:;(-`, and 0 if it ends with closing punctuation.

    It is None for any other ending, for code, list items, headings and links, which need no punctuation, and for a
    response that the token limit cut.
    """
    if exchange.finish == "length":
        return None
    last = exchange.lines[-1] if exchange.lines else ""
    if CLOSED_END.search(last) is not None:
        return 0.0
    if exchange.text.count("```") % 2 or any(each.search(last) for each in UNPUNCTUATED):
        return None
    return 1.0 if last and (last[-1] in ",:;(-" or unicodedata.category(last[-1])[0] in "LNM") else None


def empty(exchange: ParsedResponse) -> float:
    """Returns 1 if the response has no characters but white space, otherwise 0."""
    return float(not exchange.text.strip())


def repeats_prompt(exchange: ParsedResponse) -> float:
    """Returns 1 if the response repeats eight consecutive words of the prompt, or a whole prompt of four to seven.

    In scripts without spaces, these are 20 characters, or a whole prompt of ten or more.
    """
    size, runs = _runs_of_prompt(exchange.prompt)
    return float(bool(runs) and not runs.isdisjoint(zip(*(exchange.words[i:] for i in range(size)), strict=False)))


@lru_cache(16)  # both sides of a pair answer one prompt
def _runs_of_prompt(prompt: str) -> tuple[int, frozenset[tuple[str, ...]]]:
    """Returns the number of words in a row that count as a repetition of a prompt, and all such runs of it."""
    words = words_of(prompt)
    size = min(run_length(words, ECHO_WORDS), len(words))
    if size < run_length(words, LEAST_ECHO):
        return size, frozenset()
    return size, frozenset(zip(*(words[i:] for i in range(size)), strict=False))


UNSPACED_WORDS = (
    "in scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) each character is one"
)
LENGTH = (
    MeasuredProperty(
        "words",
        "<MODEL> writes longer responses (in words)",
        "style",
        f"words of the response; {UNSPACED_WORDS}",
        words,
        grows=True,
    ),
    MeasuredProperty(
        "sentences",
        "<MODEL> writes more sentences",
        "style",
        "sentences of the response; a line with words has one at least, and in Thai and Lao, which have no full stop, "
        "a space ends one",
        sentences,
        grows=True,
    ),
    MeasuredProperty(
        "sentence_length",
        "<MODEL> writes longer sentences",
        "style",
        f"words per sentence; {UNSPACED_WORDS}",
        sentence_length,
        scale="matched sentences",
    ),
    MeasuredProperty(
        "paragraphs",
        "<MODEL> divides responses into more paragraphs",
        "format",
        "blocks of text between empty lines",
        paragraphs,
        grows=True,
    ),
    MeasuredProperty(
        "word_variety",
        "<MODEL> uses more varied words",
        "style",
        "different words / words",
        word_variety,
        scale="matched",
    ),
    MeasuredProperty(
        "word_length",
        "<MODEL> uses longer words",
        "style",
        "characters per word; not judged in scripts without spaces between words",
        word_length,
        scale="matched",
    ),
    MeasuredProperty(
        "looping",
        "<MODEL> repeats itself word for word more often",
        "capability",
        "six words in a row that occur three times (15 characters in scripts without spaces between words)",
        looping,
    ),
    MeasuredProperty(
        "broken_off",
        "<MODEL> is cut off by the token limit more often",
        "capability",
        "generation reached the limit of tokens (--max-new-tokens), so how the response would have ended is unknown",
        broken_off,
        scale="untested",
    ),
    MeasuredProperty(
        "open_end",
        "<MODEL> ends without closing punctuation more often",
        "style",
        "the last character is a letter, a digit or one of ,:;(- and not a full stop, exclamation or question mark; "
        "not judged where either response was cut by the token limit, or ends in code, a list item, a heading, a link "
        "or another sign, or in Thai or Lao, which have no full stop",
        open_end,
        show=LAST_LINE,
    ),
    MeasuredProperty(
        "empty",
        "<MODEL> answers nothing at all more often",
        "capability",
        "nothing but white space",
        empty,
    ),
    MeasuredProperty(
        "repeats_prompt",
        "<MODEL> repeats the prompt's own words at length more often",
        "style",
        "eight words in a row of the prompt, or all of a prompt of four to seven words; in scripts without spaces "
        "between words, 20 characters in a row, or all of a prompt of ten or more",
        repeats_prompt,
    ),
)
"""All properties of length, vocabulary and completeness."""
