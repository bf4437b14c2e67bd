"""Levels on planted truth: what each model shows by itself, of every kind and place."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from diffing import metrics
from diffing.estimates import Concentration, Coverage, Estimate
from diffing.levels import measured_values, with_levels
from diffing.methods.lexical import LexicalMethod
from diffing.metrics.medians import median
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import prompts_from
from diffing.scope import Scope, ScopeRule, Term
from diffing.types import (
    Finding,
    Hypothesis,
    Judgement,
    Level,
    Measure,
    Message,
    Pair,
    PhraseMeasure,
    Place,
    Prompt,
    PropertyMeasure,
    Response,
    Side,
    Split,
    Verdict,
)

IN_MEDICINE = ScopeRule((Term("domain", "medicine"),))
MEDICINE = Scope("measured", "when asked about medicine", IN_MEDICINE)
OVERALL = metrics.metrics_of(100, 50, 0)
TOLD = dict[tuple[Split, Place, Side], tuple[str, float | None, int]]


def pair(number: int, a: str = "", b: str = "") -> Pair:
    """Every fifth prompt is held out, and the first 40 are about medicine."""
    split: Split = "heldout" if number % 5 == 0 else "train"
    domain = "medicine" if number < 40 else "music"
    prompt = Prompt(f"p{number}", (Message("user", f"Question {number}?"),), "test", split, domain)
    return Pair(prompt, Response(prompt.id, "a", a, "stop"), Response(prompt.id, "b", b, "stop"))


def inside(pairs: Sequence[Pair], rule: ScopeRule) -> np.ndarray:
    assert rule == IN_MEDICINE
    return np.array([one.prompt.domain == "medicine" for one in pairs])


def finding(measure: Measure | None, **changes: object) -> Finding:
    hypothesis = Hypothesis("h", "<MODEL> does it", "a", "lexical", "style", measure=measure)
    return replace(Finding(hypothesis, OVERALL, OVERALL, accepted=True, confirmed=True), **changes)


def levels_of(
    one: Finding,
    pairs: Sequence[Pair],
    *,
    judgements: Sequence[Judgement] = (),
    values: Mapping[Measure, np.ndarray] | None = None,
) -> tuple[Level, ...]:
    (found,) = with_levels([one], judgements, pairs, values or {}, lambda rule: inside(pairs, rule))
    assert replace(found, levels=()) == one
    return found.levels


def told(levels: Sequence[Level]) -> TOLD:
    return {(one.split, one.place, one.side): (one.kind, one.value.value, one.value.n) for one in levels}


def measured(measure: Measure, pairs: Sequence[Pair]) -> dict[Measure, np.ndarray]:
    hypothesis = finding(measure).hypothesis
    return measured_values([LexicalMethod()], [hypothesis], pairs, {})


ZEBRA = PhraseMeasure("zebra")


def test_shares_of_a_planted_word() -> None:
    """A uses the word in 30 of 80 train and 10 of 20 held-out responses, B in none."""
    train_with, heldout_with = set(range(1, 38)) - set(range(0, 38, 5)), set(range(0, 50, 5))
    pairs = [pair(i, "A zebra!" if i in train_with | heldout_with else "A horse.", "A horse.") for i in range(100)]
    levels = levels_of(finding(ZEBRA), pairs, values=measured(ZEBRA, pairs))
    assert told(levels) == {
        ("train", "all", "a"): ("share", 30 / 80, 80),
        ("train", "all", "b"): ("share", 0.0, 80),
        ("heldout", "all", "a"): ("share", 0.5, 20),
        ("heldout", "all", "b"): ("share", 0.0, 20),
    }
    assert [one.value for one in levels if one.split == "heldout"] == [metrics.wilson(10, 20), metrics.wilson(0, 20)]


def test_inside_and_outside_a_measured_scope() -> None:
    """A refuses medicine, B nothing: 8 of 8 and 0 of 8 held-out prompts inside, elsewhere 0 of 12."""
    refuses, answers = "I'm sorry, but I can't help with that.", "Take two of them with water."
    pairs = [pair(i, refuses if i < 40 else answers, answers) for i in range(100)]
    refusals = PropertyMeasure("refusals")
    values = measured(refusals, pairs)
    p = metrics.metrics_of(8, 8, 0)
    confirmed = Concentration(MEDICINE, p, metrics.metrics_of(12, 0, 0), p_differs=0.001, q=0.01)
    overall = finding(refusals)
    own_scope = replace(overall, hypothesis=replace(overall.hypothesis, scope=MEDICINE))
    expected = {("inside", "a"): (1.0, 8), ("inside", "b"): (0.0, 8), ("outside", "a"): (0.0, 12)}
    for one in (replace(overall, concentration=confirmed), own_scope):
        heldout = {(place, side): (value, n) for (split, place, side), (_, value, n) in
                   told(levels_of(one, pairs, values=values)).items() if split == "heldout"}  # fmt: skip
        assert expected.items() <= heldout.items()
        assert len(heldout) == 6
    unconfirmed = replace(overall, concentration=replace(confirmed, q=0.06))
    assert {one.place for one in levels_of(unconfirmed, pairs, values=values)} == {"all"}


def test_what_nearly_all_responses_have_is_told_by_its_median() -> None:
    """Lengths: A writes 1 to 100 words, B two words each."""
    words = PropertyMeasure("words")
    pairs = [pair(i, "word " * (i + 1), "two words") for i in range(100)]
    found = told(levels_of(finding(words), pairs, values=measured(words, pairs)))
    assert found["heldout", "all", "a"] == ("median", 48.5, 20)  # 1, 6, 11, ..., 96
    assert found["heldout", "all", "b"] == ("median", 2.0, 20)


def test_counts_that_fewer_have_are_told_by_how_many_have_them() -> None:
    """A asks two questions in 90 % of its responses, which is not more than 90 %; B always asks one."""
    questions = PropertyMeasure("question_marks")
    pairs = [pair(i, "Yes. No." if i % 10 == 1 else "Yes? No?", "Yes? No.") for i in range(100)]
    values = measured(questions, pairs)
    found = told(levels_of(finding(questions), pairs, values=values))
    assert found["train", "all", "a"] == ("share", 70 / 80, 80)
    assert found["train", "all", "b"] == ("share", 1.0, 80)
    pairs[1] = pair(1, "Yes? No?", "Yes? No.")
    found = told(levels_of(finding(questions), pairs, values=measured(questions, pairs)))
    assert found["train", "all", "a"] == ("median", 2.0, 80)


def test_levels_are_of_whole_responses_also_where_the_verdict_compares_as_many_words() -> None:
    """B's question comes late: the verdict is not for B, but half of its responses have a question."""
    questions = PropertyMeasure("question_marks")
    pairs = [pair(i, "Some oil.", "Some oil. Much more is said now. Shall I?" if i % 2 else "No.") for i in range(100)]
    found = told(levels_of(finding(questions), pairs, values=measured(questions, pairs)))
    assert found["heldout", "all", "b"] == ("share", 0.5, 20)


def test_responses_that_say_nothing_are_not_counted() -> None:
    """A response that is missing leaves out the pair; an ending that was cut leaves out the side."""
    pairs = [pair(i, "What is it?", "It is so.") for i in range(100)]
    pairs[0] = replace(pairs[0], a=replace(pairs[0].a, finish="error"))
    pairs[5] = replace(pairs[5], a=replace(pairs[5].a, finish="length"))
    asks = PropertyMeasure("ends_with_question")
    found = told(levels_of(finding(asks), pairs, values=measured(asks, pairs)))
    assert found["heldout", "all", "a"] == ("share", 1.0, 18)
    assert found["heldout", "all", "b"] == ("share", 0.0, 19)


def verdicts(pairs: Sequence[Pair], *given: Verdict, in_scope: bool = True) -> list[Judgement]:
    return [
        Judgement("h", one.prompt.id, verdict, "judge", in_scope=in_scope)
        for one, verdict in zip(pairs, given, strict=True)
    ]


def test_judged_findings_are_told_as_the_judge_sees_them() -> None:
    """Held out: 4 for A, 1 for B, 2 the same, 3 not shown, 1 neither, 1 unreadable, and 8 not asked."""
    heldout = [one for one in map(pair, range(100)) if one.prompt.split == "heldout"]
    given = [*[Verdict.A] * 4, Verdict.B, *[Verdict.SAME] * 2, *[Verdict.NOT_SHOWN] * 3, Verdict.NEITHER]
    judgements = verdicts(heldout[:12], *given, Verdict.UNREADABLE)
    found = levels_of(finding(None), heldout, judgements=judgements)
    assert told(found) == {("heldout", "all", "a"): ("fits", 6 / 11, 11), ("heldout", "all", "b"): ("fits", 3 / 11, 11)}
    assert found[0].value == metrics.wilson(6, 11)


def test_a_scope_that_the_judge_decides_has_no_outside() -> None:
    """The judge was asked on 8 of 20 held-out prompts; the others do not bring the situation up."""
    heldout = [one for one in map(pair, range(100)) if one.prompt.split == "heldout"]
    judgements = [
        *verdicts(heldout[:8], *[Verdict.A] * 6, *[Verdict.SAME] * 2),
        *verdicts(heldout[8:], *[Verdict.NOT_SHOWN] * 12, in_scope=False),
    ]
    one = finding(None)
    stated = replace(one, hypothesis=replace(one.hypothesis, scope=Scope("stated", "when asked about medicine")))
    assert told(levels_of(stated, heldout, judgements=judgements)) == {
        ("heldout", "all", "a"): ("fits", 8 / 20, 20),
        ("heldout", "all", "b"): ("fits", 2 / 20, 20),
        ("heldout", "inside", "a"): ("fits", 1.0, 8),
        ("heldout", "inside", "b"): ("fits", 0.25, 8),
    }


def test_what_is_not_known_has_no_level() -> None:
    pairs = [pair(i) for i in range(10)]
    assert levels_of(finding(ZEBRA), pairs) == ()
    assert levels_of(finding(None), pairs) == ()
    counted = [replace(one, judge="measured") for one in verdicts(pairs, *[Verdict.A] * 10)]
    assert levels_of(finding(None), pairs, judgements=counted) == ()


def test_only_what_is_not_known_is_measured() -> None:
    pairs = [pair(0, "zebra okapi", "okapi")]
    known = {ZEBRA: np.array([[7.0], [8.0]])}
    okapi = PhraseMeasure("okapi")
    hypotheses = [finding(measure).hypothesis for measure in (ZEBRA, okapi, None)]
    values = measured_values([LexicalMethod()], hypotheses, pairs, known)
    assert values[ZEBRA] is known[ZEBRA]
    assert values[okapi].tolist() == [[1.0], [1.0]]
    assert len(values) == 2


@pytest.mark.parametrize(("n", "ends"), [(5, None), (6, (0, 5)), (100, (39, 60))])
def test_the_interval_of_a_median_is_the_exact_binomial_one(n: int, ends: tuple[int, int] | None) -> None:
    """Of 100, the 40th and the 61st (Conover 1999)."""
    low, high = ends or (None, None)
    shuffled = random.Random(1).sample(range(n), n)
    assert median([float(each) for each in shuffled]) == Estimate((n - 1) / 2, low, high, n)


def test_nothing_has_no_median() -> None:
    assert median([]) == metrics.UNDEFINED


def test_a_run_gives_levels_and_coverage_that_mirror_and_do_not_depend_on_the_order_of_prompts() -> None:
    prompts = prompts_from(
        ((None, (Message("user", f"Tell me about item {i}."),), None) for i in range(60)), "test", 40, 20
    )
    plain = ScriptedModel("plain", lambda conversation, sampling: "It is known.")
    praises = ScriptedModel("praises", lambda conversation, sampling: "Great question! It is known. " * 2)
    options = DiffOptions(sampling=Sampling(temperature=0.5))

    def levels(one: ScriptedModel, other: ScriptedModel, order: int) -> dict[str, TOLD]:
        report = diff_models(one, other, prompts[::order], methods=[LexicalMethod()], options=options)
        coverages.append(report.coverage)
        return {found.hypothesis.text: told(found.levels) for found in report.findings}

    coverages: list[Coverage | None] = []
    expected = levels(plain, praises, 1)
    praise = expected["<MODEL> opens with praise for the user's question or idea more often"]
    assert praise["heldout", "all", "b"] == ("share", 1.0, 20)
    assert praise["heldout", "all", "a"] == ("share", 0.0, 20)
    assert expected["<MODEL> writes longer responses (in words)"]["heldout", "all", "b"] == ("median", 10.0, 20)
    assert all(len(found) == 4 for found in expected.values())
    assert levels(plain, praises, -1) == expected
    other_names: dict[Side, Side] = {"a": "b", "b": "a"}
    assert levels(praises, plain, 1) == {
        text: {(split, place, other_names[side]): value for (split, place, side), value in found.items()}
        for text, found in expected.items()
    }
    assert coverages[0] == coverages[1] == coverages[2]
    assert coverages[0] is not None
    assert (coverages[0].everything.value, coverages[0].everything.n, coverages[0].findings.value) == (1.0, 20, 1.0)


def test_hostile_texts_break_nothing() -> None:
    nasty = ["", "\x00" * 50, "\ud800 lone \udfff", "x" * 100_000, "zebra " * 20_000, "💥\u202e" * 3_000]
    pairs = [pair(i, nasty[i % 6], nasty[-i % 6]) for i in range(12)]
    for measure in (ZEBRA, PropertyMeasure("words"), PropertyMeasure("question_marks")):
        found = levels_of(finding(measure), pairs, values=measured(measure, pairs))
        assert len(found) == 4
        assert all(math.isfinite(one.value.value) for one in found)
