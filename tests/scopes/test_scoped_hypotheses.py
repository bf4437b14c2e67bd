"""Differences within a part of the prompts: proposed on train, tested with all others, and told once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from diffing import metrics
from diffing.evaluation import findings_of
from diffing.methods.lexical import LexicalMethod
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.run_records import note_on_scopes
from diffing.scope import Scope, ScopeRule, Term
from diffing.scopes import MeasuredScopes, find_scoped, meets, with_concentrations
from diffing.types import (
    SIDES,
    Discovery,
    Finding,
    Hypothesis,
    Judgement,
    Message,
    ModelInfo,
    OnProgress,
    Pair,
    Prompt,
    PropertyMeasure,
    Response,
    Side,
    Verdict,
    ignore_progress,
    other_side,
)

DOMAINS = ("medicine", "travel", "cooking", "money", "weather", "stories")
MEDICINE = Scope("measured", "when asked about medicine", ScopeRule((Term("domain", "medicine"),)))


def pairs(count: int = 360) -> list[Pair]:
    """Pairs of six domains, two thirds of them train in each."""
    found = []
    for number in range(count):
        split = "heldout" if number // len(DOMAINS) % 3 == 2 else "train"
        prompt = Prompt(f"p{number}", (Message("user", "Go on."),), "test", split, DOMAINS[number % len(DOMAINS)])
        found.append(Pair(prompt, *(Response(prompt.id, side, "x", "stop") for side in SIDES)))
    return found


def place(pair: Pair) -> int:
    return int(pair.prompt.id[1:])


def in_medicine(side: Side) -> Callable[[Pair], Side | None]:
    """For a side in medicine, for the other one in every seventh pair elsewhere."""

    def told(pair: Pair) -> Side | None:
        if pair.prompt.domain == "medicine":
            return side
        return other_side(side) if place(pair) % 7 == 0 else None

    return told


def everywhere(side: Side) -> Callable[[Pair], Side | None]:
    return lambda pair: side if place(pair) % 5 else None


class Measures:
    """A method that measures planted truths; the first ones are tested over all prompts."""

    name = "planted"
    models: tuple[ModelInfo, ...] = ()

    def __init__(self, truths: dict[str, Callable[[Pair], Side | None]], chosen: tuple[tuple[str, Side], ...]) -> None:
        self.truths = truths
        self.chosen = chosen
        self.measured: list[tuple[str, Side, int]] = []

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        every = [(name, side) for name in self.truths for side in SIDES]
        return Discovery(
            tuple(hypothesis(*each) for each in every if each in self.chosen),
            candidates=tuple(hypothesis(*each) for each in every if each not in self.chosen),
        )

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        found = []
        for each in hypotheses:
            assert isinstance(each.measure, PropertyMeasure)
            self.measured.append((each.measure.name, each.direction, len(pairs)))
            for pair in pairs:
                side = self.truths[each.measure.name](pair)
                verdict = {"a": Verdict.A, "b": Verdict.B, None: Verdict.NEITHER}[side]
                found.append(Judgement(each.id, pair.prompt.id, verdict, "measured"))
        return found


def hypothesis(name: str, side: Side) -> Hypothesis:
    return Hypothesis(f"planted-{name}-{side}", f"<MODEL> {name} more often", side, "planted", "style",
                      measure=PropertyMeasure(name))  # fmt: skip


def evaluated(method: Measures, every: Sequence[Pair]) -> tuple[MeasuredScopes, dict[str, Finding]]:
    """The scopes and the findings, by text and side, as the pipeline makes them."""
    train = [pair for pair in every if pair.prompt.split == "train"]
    discovery = method.find_hypotheses(train)
    measured = method.measure(discovery.hypotheses, every)
    scopes = find_scoped([method], [discovery], measured, every)
    hypotheses = (*discovery.hypotheses, *scopes.hypotheses)
    findings = findings_of(hypotheses, [*measured, *scopes.judgements], every, {}, metrics.ALPHA, scopes)
    return scopes, {f"{each.hypothesis.direction} {each.hypothesis.text}": each for each in findings}


def test_a_difference_that_is_reversed_elsewhere_is_confirmed_where_it_lives() -> None:
    every = pairs()
    method = Measures({"refuses": in_medicine("b"), "praises": everywhere("a")}, (("praises", "a"),))
    scopes, findings = evaluated(method, every)
    finding = findings["b <MODEL> refuses more often, when asked about medicine"]
    assert finding.hypothesis.scope == MEDICINE
    assert (finding.hypothesis.direction, finding.confirmed, len(scopes.hypotheses)) == ("b", True, 1)
    own = finding.concentration
    assert own is not None
    assert (own.inside.k_for, own.inside.k_against, own.inside.n) == (20, 0, 20)
    assert (own.outside.k_for, own.outside.k_against, own.outside.n) == (0, 15, 100)
    assert own.p == finding.heldout.p == pytest.approx(0.5**20)
    assert own.p_differs < own.p
    assert own.q is None
    assert metrics.concentrated(finding) is own
    assert (finding.heldout.k_for, finding.heldout.k_against, finding.heldout.n) == (20, 0, 120)
    assert finding.heldout_in_scope == own.inside
    assert finding.hypothesis.train_effect == pytest.approx(40 / 240)
    outside = [one for one in scopes.judgements if not one.in_scope]
    assert {one.verdict for one in outside} == {Verdict.NOT_SHOWN}
    assert {one.prompt_id for one in outside} == {p.prompt.id for p in every if p.prompt.domain != "medicine"}
    # praise is everywhere: no narrower place
    assert findings["a <MODEL> praises more often"].concentration is None


def test_a_candidate_is_measured_on_held_out_pairs_only_if_it_is_proposed() -> None:
    method = Measures({"refuses": in_medicine("b"), "praises": everywhere("a"), "sings": lambda pair: None}, ())
    evaluated(method, pairs())
    assert {(name, count) for name, _, count in method.measured} == {
        ("refuses", 240), ("praises", 240), ("sings", 240), ("refuses", 120)
    }  # fmt: skip
    assert len(method.measured) == 4


def mostly_in_medicine(pair: Pair) -> Side | None:
    """For B on all pairs of medicine and a fifth of those of travel; for A on a few others."""
    modulus = {"medicine": 1, "travel": 5}.get(pair.prompt.domain or "")
    return "b" if modulus and place(pair) // len(DOMAINS) % modulus == 0 else "a" if place(pair) % 31 == 0 else None


TRUTHS = {"refuses": mostly_in_medicine, "praises": everywhere("a")}


def test_confirmed_twins_are_told_once_and_both_stay_in_the_family() -> None:
    scopes, findings = evaluated(Measures(TRUTHS, (("refuses", "b"), ("praises", "a"))), pairs())
    assert [each.text for each in scopes.hypotheses] == ["<MODEL> refuses more often, when asked about medicine"]
    assert list(findings) == ["a <MODEL> praises more often", "b <MODEL> refuses more often"]
    praises, refuses = findings.values()
    assert refuses.concentration is not None
    assert refuses.concentration.scope == MEDICINE
    assert (refuses.confirmed, refuses.hypothesis.scope) == (True, None)
    # three were tested: praise has the smallest p of them, the finding without a scope the largest
    assert praises.heldout.p is not None
    assert praises.heldout.q == pytest.approx(3 * praises.heldout.p)
    assert refuses.heldout.q == refuses.heldout.p
    assert note_on_scopes(scopes, list(findings.values())) == [
        "Tested together with all others: 1 difference within a part of the prompts, chosen on train prompts. "
        "1 of them is confirmed but not listed, since the same difference is confirmed over all prompts too."
    ]


def test_both_scopes_of_twins_are_tested_and_the_better_one_is_told() -> None:
    """The best rule of the finding over all prompts is a set of two domains, and the other scope is one of these."""

    def refuses(pair: Pair) -> Side | None:
        if pair.prompt.domain == "travel" and pair.prompt.split == "heldout":
            return "a" if place(pair) % 5 == 0 else None
        often = {"medicine": 1, "travel": 2}.get(pair.prompt.domain or "")
        return "b" if often and place(pair) // len(DOMAINS) % often == 0 else None

    every = pairs()
    scopes, findings = evaluated(Measures({"refuses": refuses}, (("refuses", "b"),)), every)
    assert [each.scope for each in scopes.hypotheses] == []
    (finding,) = findings.values()
    both = ScopeRule((Term("domain", "medicine"), Term("domain", "travel")), "or")
    assert finding.concentration is not None
    assert finding.concentration.scope.rule == both
    _, alone = evaluated(Measures({"refuses": refuses}, ()), every)
    (scoped,) = alone.values()
    assert scoped.hypothesis.scope == MEDICINE
    judgements = Measures({"refuses": refuses}, ()).measure([finding.hypothesis], every)
    (told,) = with_concentrations([scoped, finding], judgements, every, scopes.conditions)
    assert told.hypothesis == finding.hypothesis
    assert told.concentration is not None
    # the set of two was tested too: the q of the better one is twice its p
    assert told.concentration.scope == MEDICINE
    assert told.concentration.q == pytest.approx(2 * told.concentration.p)
    for listed in ([scoped, replace(finding, confirmed=False)], [replace(scoped, confirmed=False), finding]):
        assert len(with_concentrations(listed, judgements, every, scopes.conditions)) == 2


def test_what_train_suggests_and_held_out_does_not_show_is_not_confirmed() -> None:
    def refuses(pair: Pair) -> Side | None:
        if pair.prompt.domain != "medicine":
            return None
        return "b" if pair.prompt.split == "train" else SIDES[place(pair) % 2]

    _, findings = evaluated(Measures({"refuses": refuses}, ()), pairs())
    (finding,) = findings.values()
    assert (finding.confirmed, finding.hypothesis.scope) == (False, MEDICINE)
    assert metrics.concentrated(finding) is None


def test_greater_inside_is_needed_beside_the_sign_test() -> None:
    """Inside it holds clearly, but on held-out no less elsewhere: the scope says nothing true."""

    def refuses(pair: Pair) -> Side | None:
        return "b" if pair.prompt.domain == "medicine" or pair.prompt.split == "heldout" else None

    _, findings = evaluated(Measures({"refuses": refuses}, ()), pairs())
    (finding,) = findings.values()
    assert finding.concentration is not None
    assert finding.concentration.inside.p == pytest.approx(0.5**20)
    assert (finding.concentration.p_differs, finding.confirmed) == (1.0, False)


def mirrored(pair: Pair) -> Pair:
    return replace(pair, a=pair.b, b=pair.a)


def test_exchanged_models_and_prompts_in_another_order_give_the_same() -> None:
    truths = {"refuses": in_medicine("b"), "praises": everywhere("a")}
    other = {"refuses": in_medicine("a"), "praises": everywhere("b")}
    every = pairs()
    _, findings = evaluated(Measures(truths, (("praises", "a"),)), every)
    _, exchanged = evaluated(Measures(other, (("praises", "b"),)), [mirrored(each) for each in every])
    _, permuted = evaluated(Measures(truths, (("praises", "a"),)), every[::-1])
    assert permuted == findings

    def told(each: Finding) -> tuple[object, ...]:
        return each.hypothesis.text, each.train, each.heldout, each.heldout_in_scope, each.concentration

    assert [told(each) for each in exchanged.values()] == [told(each) for each in findings.values()]
    assert [each.hypothesis.direction for each in exchanged.values()] == [
        other_side(each.hypothesis.direction) for each in findings.values()
    ]


def test_a_judged_finding_is_concentrated_by_the_verdicts_that_it_has() -> None:
    every = pairs()
    judged = Hypothesis("judged", "<MODEL> refuses", "b", "llm", "style")
    judgements = [
        Judgement("judged", pair.prompt.id, Verdict.B if pair.prompt.domain == "medicine" else Verdict.SAME, "llm")
        for pair in every
        if place(pair) % 2 == 0  # judging stopped early
    ]
    scopes = find_scoped([], [], [], every)
    (finding,) = findings_of([judged], judgements, every, {}, metrics.ALPHA, scopes)
    own = metrics.concentrated(finding)
    assert own is not None
    assert own.scope == MEDICINE
    assert (own.inside.n, own.inside.k_for, own.outside.n, own.outside.k_for) == (20, 20, 40, 0)
    assert own.q == own.p < 1e-5


def test_through_the_pipeline() -> None:
    """A model that refuses in one domain: told once, with its place; the note says what else was tested."""
    prompts = tuple(
        Prompt(each.id, (Message("user", f"Item {each.id}, {each.domain}."),), "test", each.split, each.domain)
        for each in (pair.prompt for pair in pairs(180))
    )
    domains = {prompt.messages: prompt.domain for prompt in prompts}
    plain = ScriptedModel("plain", lambda conversation, sampling: "It is known.")
    refuses = ScriptedModel(
        "refuses",
        lambda conversation, sampling: (
            "I'm sorry, but I can't help with that." if domains[conversation] == "medicine" else "It is known."
        ),
    )
    report = diff_models(plain, refuses, prompts, methods=(LexicalMethod(),), options=DiffOptions())
    (finding,) = [
        each
        for each in report.findings
        if each.hypothesis.measure == PropertyMeasure("refusals") and each.hypothesis.direction == "b"
    ]
    own = metrics.concentrated(finding)
    assert own is not None
    assert own.scope.words in ("when asked about medicine", "when the prompt says “medicine”")
    assert (own.inside.k_for, own.inside.n, own.outside.k_for, own.outside.n) == (10, 10, 0, 50)
    heldout = [prompt for prompt in prompts if prompt.split == "heldout"]
    assert own.scope.rule is not None
    assert [meets(own.scope.rule, prompt) for prompt in heldout] == [p.domain == "medicine" for p in heldout]
    assert {one.hypothesis_id for one in report.judgements} == {each.hypothesis.id for each in report.findings}
