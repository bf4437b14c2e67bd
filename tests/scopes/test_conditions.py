"""Conditions are read from prompts alone: which are kept, what they hold of, and that their order changes nothing."""

import random

import pytest

from diffing.scope import ScopeRule, Term
from diffing.scopes import meets
from diffing.scopes.conditions import find_conditions
from diffing.types import Message, Prompt, Split


def prompt(number: int, text: str, domain: str | None = None, split: Split = "train") -> Prompt:
    return Prompt(f"p{number}", (Message("user", text),), "test", split, domain)


def terms(prompts: list[Prompt], kind: str) -> list[str]:
    return [term.value for term in find_conditions(prompts).terms if term.kind == kind]


def varied(per_domain: int = 12) -> list[Prompt]:
    """Prompts of four domains, of many lengths and forms, a third of them held out."""
    domains = ["contrast_privacy", "contrast-homonyms", "medicine", "travel"]
    found = []
    for number in range(4 * per_domain):
        domain = domains[number % 4]
        words = " ".join(
            ("give me the plan for", "please tell me about")[number % 2].split() + ["harbour"] * (number % 7)
        )
        end = ("?", ".", ".\nThank you")[number % 3]
        found.append(prompt(number, words + end, domain, "heldout" if number % 12 >= 8 else "train"))
    return found


def test_domains_and_their_common_parts() -> None:
    prompts = varied()
    assert terms(prompts, "domain") == ["contrast-homonyms", "contrast_privacy", "medicine", "travel"]
    assert terms(prompts, "part") == ["contrast"]
    renamed = [prompt(i, each.text, f"contrast {each.domain}", each.split) for i, each in enumerate(prompts)]
    assert terms(renamed, "part") == []


@pytest.mark.parametrize(("inside", "outside", "kept"), [(8, 8, True), (7, 9, False), (12, 8, True), (13, 8, False)])
def test_a_condition_divides_train(inside: int, outside: int, kept: bool) -> None:
    prompts = [prompt(i, "x", "medicine" if i < inside else None) for i in range(inside + outside)]
    prompts += [prompt(100 + i, "x", "medicine", "heldout") for i in range(50)]
    assert terms(prompts, "domain") == (["medicine"] if kept else [])


def test_words_stand_in_one_sentence_have_no_digits_and_are_not_grammar_alone() -> None:
    texts = ["Tell me of the umbrella. Stand 7b is open", "Something else entirely"]
    prompts = [prompt(i, texts[i % 2]) for i in range(20)]
    found = find_conditions(prompts)
    inside = {term.value for term in found.terms if term.kind == "word"}
    # words of the same train prompts are one condition: the longest single word
    assert inside == {"umbrella", "something"}
    mixed = [prompt(i, ("the umbrella", "of it", "an umbrella")[i % 3]) for i in range(36)]
    assert terms(mixed, "word") == ["an umbrella", "the umbrella"]


def test_forms_have_their_bounds_in_their_names() -> None:
    prompts = [prompt(i, " ".join(["word"] * (i + 1)) + ("?" if i % 2 else "\nend")) for i in range(30)]
    assert terms(prompts, "form") == ["fewer than 12 words", "more than 20 words", "question", "several lines"]
    long = ScopeRule((Term("form", "more than 20 words"),))
    assert [meets(long, prompt(0, "word " * count)) for count in (20, 21)] == [False, True]


def test_every_condition_holds_of_the_same_prompts_one_by_one() -> None:
    prompts = varied()
    found = find_conditions(prompts)
    assert {term.kind for term in found.terms} == {"domain", "part", "word", "form"}
    for place, term in enumerate(found.terms):
        assert [meets(ScopeRule((term,)), each) for each in prompts] == found.column(place).tolist(), term
    first, second = (next(t for t in found.terms if t.kind == kind) for kind in ("part", "form"))
    for junction in ("and", "or", "without"):
        rule = ScopeRule((first, second), junction)
        assert [meets(rule, each) for each in prompts] == found.inside(rule).tolist(), junction


def test_the_order_of_prompts_changes_nothing() -> None:
    prompts = varied()
    mixed = random.Random(0).sample(prompts, len(prompts))
    one, two = find_conditions(prompts), find_conditions(mixed)
    assert one.terms == two.terms
    places = [mixed.index(each) for each in prompts]
    assert (one.met.toarray() == two.met.toarray()[places]).all()


def test_hostile_prompts_are_bounded() -> None:
    long_word = "a" * 70
    names = ["x" * 101, "line\nbreak", "<MODEL>", "right\u202eto left"]
    prompts = [prompt(i, f"{long_word} short", names[i % 4]) for i in range(36)]
    prompts += [prompt(100 + i, "ladder " * 5_000) for i in range(36)]
    assert terms(prompts, "domain") == []
    assert terms(prompts, "word") == ["ladder", "short"]
    assert not meets(ScopeRule((Term("form", f"more than {'9' * 5000} words"),)), prompts[0])
