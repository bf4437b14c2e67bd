"""Scopes in words: every clause is read as a sentence, and names from outside stay quoted and short."""

import pytest

from diffing.prompts.bundled_set import bundled_domains
from diffing.scope import Junction, ScopeRule, Term
from diffing.scopes.wording import words_of_rule

MEDICINE, TRAVEL = Term("domain", "medicine"), Term("domain", "travel")
QUESTION = Term("form", "question")
PRIVACY = Term("domain", "contrast_privacy")


@pytest.mark.parametrize(
    ("terms", "junction", "words"),
    [
        ((MEDICINE,), None, "when asked about medicine"),
        ((Term("domain", "health-advice"),), None, "when asked about health advice"),
        ((Term("domain", "summarise-and-edit"),), None, "when asked to summarise or edit a text"),
        ((Term("domain", "multilingual"),), None, "when the prompt's domain is “multilingual”"),
        ((PRIVACY,), None, "when the prompt's domain is “contrast_privacy”"),
        ((MEDICINE, TRAVEL), "or", "when asked about medicine or travel"),
        ((MEDICINE, PRIVACY, TRAVEL), "or", "when the prompt's domain is “medicine”, “contrast_privacy” or “travel”"),
        ((Term("part", "contrast"),), None, "when the prompt's domain contains “contrast”"),
        ((Term("word", "the end"),), None, "when the prompt says “the end”"),
        ((Term("word", "中 国"),), None, "when the prompt says “中国”"),
        ((QUESTION,), None, "when the prompt ends with a question mark"),
        ((Term("form", "more than 40 words"),), None, "when the prompt is long (more than 40 words)"),
        ((Term("form", "fewer than 12 words"),), None, "when the prompt is short (fewer than 12 words)"),
        ((Term("form", "several lines"),), None, "when the prompt has several lines"),
        ((MEDICINE, QUESTION), "and", "when asked about medicine and the prompt ends with a question mark"),
        ((MEDICINE, QUESTION), "or", "when asked about medicine or when the prompt ends with a question mark"),
        (
            (QUESTION, MEDICINE),
            "without",
            "when the prompt ends with a question mark but not when asked about medicine",
        ),
    ],
)
def test_words(terms: tuple[Term, ...], junction: Junction | None, words: str) -> None:
    assert words_of_rule(ScopeRule(terms, junction)) == words


def test_names_are_short() -> None:
    (words,) = {words_of_rule(ScopeRule((Term("domain", "x" * 100),)))}
    assert len(words) < 80


def test_no_bundled_domain_reads_badly() -> None:
    told = [words_of_rule(ScopeRule((Term("domain", domain),))) for domain in bundled_domains()]
    assert all(each.startswith(("when asked ", "when the prompt's domain is “")) for each in told)
