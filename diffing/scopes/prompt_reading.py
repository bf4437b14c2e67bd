"""Extracts from a prompt what conditions are about: its domain, the words of its last user message, its form.

Prompts come from outside, so everything is bounded: the characters that are read, the length of a word, and the domains
that can be named.
"""

import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from diffing.methods.lexical.language_detection import GRAMMAR
from diffing.methods.lexical.word_tokens import SENTENCE_END, words_of
from diffing.scope import ScopeRule, Term
from diffing.types import Prompt

CHARACTERS = 20_000
"""The number of characters at the start of a message that are read for its length."""
CHARACTERS_FOR_WORDS = 4_000
"""The number of characters at the start of a message in which words are sought."""
LONGEST_DOMAIN = 100
"""The largest number of characters of a domain that becomes a condition."""
LONGEST_WORD = 60
"""The largest number of characters of one or two words that become a condition."""
LEAST_LETTERS = 3
"""The smallest number of letters of a word in the names of several domains."""
QUESTION = "question"
"""The form of a message that ends with a question mark."""
SEVERAL_LINES = "several lines"
"""The form of a message with more than one line."""
MORE_THAN, FEWER_THAN = "more than {} words", "fewer than {} words"
"""The forms of long and of short messages."""
_QUESTION_MARKS = ("?", "？", "؟")
_LENGTH = re.compile(r"(more|fewer) than ([0-9]{1,9}) words")


@dataclass(frozen=True)
class PromptReading:
    """What conditions can be about in one prompt."""

    prompt: Prompt
    """The prompt."""

    @property
    def domain(self) -> str | None:
        """The domain, if it is short enough to be named and has no characters that cannot be shown."""
        domain = self.prompt.domain
        if not domain or len(domain) > LONGEST_DOMAIN or not domain.isprintable() or {"<", ">"} & set(domain):
            return None
        return domain

    @cached_property
    def parts(self) -> frozenset[str]:
        """The words of three letters or more in the domain's name, without words of grammar."""
        return parts_of(self.domain or "")

    @cached_property
    def sentences(self) -> tuple[tuple[str, ...], ...]:
        """The words of each sentence of the start of the last user message, in lower case."""
        parts = SENTENCE_END.split(_start(self.prompt.text))
        # the same word of many prompts is kept once
        return tuple(tuple(map(sys.intern, words_of(part))) for part in parts)

    def single_words(self) -> set[str]:
        """All words that a condition could name, alone or with another: without digits and not too long."""
        return {word for sentence in self.sentences for word in sentence if _is_plain(word)}

    def word_runs(self, among: Collection[str]) -> set[str]:
        """One or two words that stand side by side in a sentence and that are not words of grammar alone.

        Args:
            among: The only words to consider.
        """
        runs: set[str] = set()
        for sentence in self.sentences:
            before = ""
            for word in sentence:
                if word not in among:
                    before = ""
                    continue
                if word not in GRAMMAR:
                    runs.add(word)
                if before and not (before in GRAMMAR and word in GRAMMAR):
                    runs.add(f"{before} {word}")
                before = word
        return {run for run in runs if len(run) <= LONGEST_WORD}

    @cached_property
    def word_count(self) -> int:
        """The number of words of the message."""
        text = self.prompt.text[:CHARACTERS]
        return len(words_of(text)) if len(text) > CHARACTERS_FOR_WORDS else sum(map(len, self.sentences))

    @property
    def is_question(self) -> bool:
        """Whether the message ends with a question mark."""
        return self.prompt.text.rstrip().endswith(_QUESTION_MARKS)

    @property
    def has_several_lines(self) -> bool:
        """Whether the message has more than one line."""
        return "\n" in self.prompt.text.strip()

    def meets(self, term: Term) -> bool:
        """Tells whether the prompt meets a condition."""
        match term.kind:
            case "domain":
                return self.domain == term.value
            case "part":
                return term.value in self.parts
            case "word":
                return any(f" {term.value} " in f" {' '.join(sentence)} " for sentence in self.sentences)
            case "form":
                return self._has_form(term.value)

    def _has_form(self, form: str) -> bool:
        if form == QUESTION:
            return self.is_question
        if form == SEVERAL_LINES:
            return self.has_several_lines
        length = _LENGTH.fullmatch(form)
        if length is None:
            return False
        return self.word_count > int(length[2]) if length[1] == "more" else self.word_count < int(length[2])


def meets(rule: ScopeRule, prompt: Prompt) -> bool:
    """Tells whether a prompt is in a measured scope, from the prompt alone.

    Args:
        rule: The scope's rule.
        prompt: Any prompt.
    """
    reading = PromptReading(prompt)
    held = [reading.meets(term) for term in rule.terms]
    if rule.junction == "without":
        return held[0] and not any(held[1:])
    return any(held) if rule.junction == "or" else all(held)


def parts_of(domain: str) -> frozenset[str]:
    """The words of three letters or more in a domain's name, in lower case and without words of grammar."""
    words = "".join(letter if letter.isalpha() else " " for letter in domain).casefold().split()
    return frozenset(word for word in words if len(word) >= LEAST_LETTERS and word not in GRAMMAR)


def _start(text: str) -> str:
    """The part of a message in which words are sought, without a word that is cut in two."""
    end = min(len(text), CHARACTERS_FOR_WORDS)
    least = max(0, end - LONGEST_WORD)
    while end < len(text) and end > least and text[end - 1].isalnum() and text[end].isalnum():
        end -= 1
    return text[:end]


def _is_plain(word: str) -> bool:
    return len(word) <= LONGEST_WORD and not any(letter.isdigit() for letter in word)
