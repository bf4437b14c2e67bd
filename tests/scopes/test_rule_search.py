"""The search names the rule by which verdicts were planted, and none where they were not."""

import numpy as np
import pytest

from diffing.scope import Junction, Term
from diffing.scopes.conditions import PromptConditions, conditions_of
from diffing.scopes.rule_search import best_conditions, best_rules
from diffing.scopes.verdict_table import MISSING, VerdictTable

DOMAINS = [f"domain {letter}" for letter in "abcdefghij"]
PROMPTS = 500


def conditions() -> PromptConditions:
    """500 train prompts in ten domains of 50; a form by halves, and two words that lie across the domains."""
    found = {Term("domain", domain): list(range(i, PROMPTS, 10)) for i, domain in enumerate(DOMAINS)}
    found[Term("form", "question")] = list(range(PROMPTS // 2))
    found[Term("word", "umbrella")] = [i for i in range(PROMPTS) if i % 7 < 2]
    found[Term("word", "ladder")] = [i for i in range(PROMPTS) if i % 3 == 0]
    return conditions_of(found, np.ones(PROMPTS, dtype=np.bool_))


FOUND = conditions()


def planted(inside: np.ndarray, strength: float = 0.8) -> np.ndarray:
    """Verdicts for the side on a share of the prompts inside; elsewhere one in five either way."""
    rng = np.random.default_rng(1)
    noise = rng.choice(np.array([1, -1, 0], dtype=np.int8), p=[0.1, 0.1, 0.8], size=PROMPTS)
    return np.where(inside & (rng.random(PROMPTS) < strength), np.int8(1), noise)


def column(kind: str, value: str) -> np.ndarray:
    return FOUND.column(FOUND.terms.index(Term(kind, value)))


A, C, E = (column("domain", f"domain {each}") for each in "ace")
QUESTION, UMBRELLA, LADDER = column("form", "question"), column("word", "umbrella"), column("word", "ladder")


@pytest.mark.parametrize(
    ("inside", "values", "junction"),
    [
        (A, ["domain a"], None),
        (UMBRELLA, ["umbrella"], None),
        (A | C, ["domain a", "domain c"], "or"),
        (A | C | E, ["domain a", "domain c", "domain e"], "or"),
        (UMBRELLA & QUESTION, ["umbrella", "question"], "and"),
        (UMBRELLA & ~QUESTION, ["umbrella", "question"], "without"),
        (LADDER | UMBRELLA, ["ladder", "umbrella"], "or"),
    ],
)
def test_the_planted_rule_is_named(inside: np.ndarray, values: list[str], junction: Junction | None) -> None:
    (found,) = best_rules(VerdictTable(planted(inside)[None]), FOUND)
    assert found is not None
    assert ([term.value for term in found.rule.terms], found.rule.junction) == (values, junction)
    assert FOUND.inside(found.rule).tolist() == inside.tolist()


def test_nothing_is_named_where_a_difference_is_everywhere_or_nowhere_or_reversed() -> None:
    everywhere = np.ones(PROMPTS, dtype=np.bool_)
    against = np.where(planted(A) == 1, -1, 0)
    values = np.stack([planted(everywhere, 1.0), planted(~everywhere), against]).astype(np.int8)
    assert best_rules(VerdictTable(values), FOUND)[0] is None
    assert best_rules(VerdictTable(values), FOUND)[1] is None
    # what is reversed in one domain lives in the others only if it favours the side there
    assert best_conditions(VerdictTable(values), FOUND) == [None, None, None]


def test_the_gain_and_the_cost_are_those_of_the_formula() -> None:
    """30 of 50 inside and none outside; ten domains: by hand."""
    values = np.zeros(PROMPTS, dtype=np.int8)
    values[np.flatnonzero(A)[:30]] = 1
    (found,) = best_conditions(VerdictTable(values[None]), FOUND)
    log = np.log
    own = 30 * log(30 / 50) + 20 * log(20 / 50)
    common = 30 * log(30 / 500) + 470 * log(470 / 500)
    assert found is not None
    assert found.score == pytest.approx(own - common - log(10))


def test_only_judged_pairs_count() -> None:
    values = planted(A)
    values[np.flatnonzero(A)[7:]] = MISSING  # 7 are left: too few
    (found,) = best_conditions(VerdictTable(values[None]), FOUND)
    assert found is None or found.rule.terms != (Term("domain", "domain a"),)


def test_the_order_of_prompts_and_of_hypotheses_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    order = rng.permutation(PROMPTS)
    mixed = conditions_of(
        {term: sorted(np.argsort(order)[FOUND.column(place)].tolist()) for place, term in enumerate(FOUND.terms)},
        np.ones(PROMPTS, dtype=np.bool_),
    )
    values = np.stack([planted(A | C), planted(UMBRELLA & ~QUESTION, 0.6), planted(LADDER, 0.3)])
    expected = best_rules(VerdictTable(values), FOUND)
    assert best_rules(VerdictTable(values[:, order]), mixed) == expected
    assert best_rules(VerdictTable(values[::-1]), FOUND) == expected[::-1]
