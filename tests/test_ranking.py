"""The order of findings: what stands first, and that neither side nor the order of prompts decides anything."""

import itertools
import math
from dataclasses import replace

import pytest

from diffing import metrics
from diffing.estimates import Concentration, Estimate
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.property_groups import PLACES, place_of
from diffing.ranking import order_findings, properties, strength, weight_of, weight_where_it_applies
from diffing.scope import Scope, ScopeRule, Term
from diffing.types import (
    Evidence,
    Finding,
    Hypothesis,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
    Rating,
    Side,
    other_side,
)

MEDICINE = Scope("measured", "when asked about medicine", ScopeRule((Term("domain", "medicine"),)))


def hypothesis(name: str = "h", direction: Side = "b", measure: Measure | None = None, **more) -> Hypothesis:
    more = {"text": f"<MODEL> does {name}", "category": "style", **more}
    return Hypothesis(id=f"{name}-{direction}", direction=direction, method="m", measure=measure, **more)


def finding(k_for: int, k_against: int = 0, n: int = 100, *, of: Hypothesis | None = None, confirmed: bool = True,
            interest: float | None = None, inside: tuple[int, int, int] | None = None,
            q: float = 0.01) -> Finding:  # fmt: skip
    heldout = replace(metrics.metrics_of(n, k_for, k_against), q=0.01 if confirmed else 0.5)
    rating = None
    if interest is not None:
        rated = Estimate(interest, interest, interest, 1)
        rating = Rating(rated, rated)
    concentration = None
    if inside is not None:
        within = metrics.metrics_of(inside[2], *inside[:2])
        concentration = Concentration(MEDICINE, within, metrics.metrics_of(50, 0, 0), 0.001, q)
    return Finding(
        of or hypothesis(), heldout, heldout, True, confirmed, rating, concentration=concentration
    )  # fmt: skip


def test_every_property_has_a_tier_and_a_group_or_none() -> None:
    languages = {name for name in BY_NAME if name.startswith("language_")}
    assert set(BY_NAME) - languages == set(PLACES)
    assert {(place_of(name).tier, place_of(name).group) for name in languages} == {("answering", "language")}
    assert {name: (info.tier, info.group) for name, info in properties().items()} == {
        name: (place_of(name).tier, place_of(name).group) for name in BY_NAME
    }


def test_the_groups_of_properties_are_those_of_one_behaviour() -> None:
    groups: dict[str, set[str]] = {}
    for name in PLACES:
        groups.setdefault(place_of(name).group, set()).add(name)
    assert groups["refusing"] == {"refusals", "apologies", "disclaimers", "self_as_ai", "risks", "empty"}
    assert groups["length"] == {"words", "sentences"}
    assert place_of("paragraphs").group == ""
    assert groups["lists"] == {"lists", "bullet_lists", "numbered_lists"}
    assert groups["asking"] == {"question_marks", "ends_with_question", "offers"}
    assert groups["warmth"] == {"emoji", "exclamation_marks"}


@pytest.mark.parametrize(
    ("of", "weight"),
    [
        (hypothesis(measure=PropertyMeasure("refusals")), 4.0),
        (hypothesis(measure=PropertyMeasure("language_german")), 4.0),
        (hypothesis(measure=PropertyMeasure("praise"), category="safety and alignment"), 2.5),
        (hypothesis(measure=PropertyMeasure("lists")), 2.0),
        (hypothesis(measure=PropertyMeasure("risks")), 2.0),  # 2.5 * .8: words, wherever they stand
        (hypothesis(measure=PropertyMeasure("apologies")), 2.5),
        (hypothesis(speaks_of="risks"), 2.5),  # as a judge reads it
        (hypothesis(measure=PropertyMeasure("words")), 1.5),
        (hypothesis(measure=PropertyMeasure("dashes")), 1.0),
        (hypothesis(measure=PropertyMeasure("unknown")), 1.0),
        (hypothesis(category="safety and alignment"), 4.0),
        (hypothesis(category="capability"), 2.5),
        (hypothesis(category="format"), 2.0),
        (hypothesis(), 1.0),
        (hypothesis(speaks_of="emoji"), 2.5),
        (hypothesis(measure=LatentMeasure((7,), in_words=True), category="language"), 4.0),
        (hypothesis(measure=LatentMeasure((7,)), category="language"), 0.8),
        (hypothesis(measure=PhraseMeasure("provide")), 0.4),
    ],
)
def test_weights(of: Hypothesis, weight: float) -> None:
    assert weight_of(of) == weight


def test_a_phrase_has_the_weight_of_what_it_is_a_part_of() -> None:
    cannot = hypothesis(measure=PhraseMeasure("i cannot"))
    assert weight_of(cannot, exclusive=True) == 1.0
    assert weight_of(cannot, part_of="refusals") == pytest.approx(0.8 * 4 * 0.4)
    assert weight_of(cannot, part_of="refusals", exclusive=True) == pytest.approx(0.8 * 4)
    assert weight_of(cannot, part_of="hedges", exclusive=True) == pytest.approx(0.8 * 2.5 * 0.8)


def test_strength_is_what_is_certain_overall_and_in_the_scope() -> None:
    low = metrics.net_interval(17, 0, 214).low
    inside = metrics.net_interval(17, 0, 17).low
    assert strength(finding(17, n=214), 4.0) == pytest.approx(4 * low)
    concentrated = finding(17, n=214, inside=(17, 0, 17))
    assert strength(concentrated, 4.0) == pytest.approx(4 * math.sqrt(low * inside))
    assert strength(replace(concentrated, rating=finding(1, interest=4.5).rating), 4.0) == pytest.approx(
        4 * math.sqrt(low * inside) * 1.5
    )
    unsure = finding(17, n=214, inside=(17, 0, 17), q=0.06)
    assert strength(unsure, 4.0) == pytest.approx(4 * low)  # the scope is not confirmed
    worse = finding(60, n=100, inside=(3, 0, 10))
    assert strength(worse, 1.0) == pytest.approx(metrics.net_interval(60, 0, 100).low)  # never below the overall one
    assert strength(finding(6, 5), 1.0) == 0.0


def test_what_was_tested_only_where_it_applies_counts_by_the_share_of_prompts_to_which_it_applies() -> None:
    low = metrics.net_interval(18, 0, 20).low
    narrow, everywhere = finding(18, n=20, of=hypothesis("narrow")), finding(40, n=100, of=hypothesis("everywhere"))
    weight = weight_where_it_applies(4.0, 0.01)
    assert strength(narrow, weight) == pytest.approx(4 * math.sqrt((0.01 * low) * low))
    assert order_findings((everywhere, narrow)) == (narrow, everywhere)
    weights = {each.hypothesis.id: weight_of(each.hypothesis) for each in (narrow, everywhere)}
    weights[narrow.hypothesis.id] = weight_where_it_applies(weights[narrow.hypothesis.id], 0.01)
    assert order_findings((narrow, everywhere), weights) == (everywhere, narrow)


def test_findings_are_ordered_by_fate_then_strength_then_size() -> None:
    def named(name: str, **more) -> Hypothesis:
        return hypothesis(name, measure=PropertyMeasure(more.pop("measure", "dashes")), **more)

    def untested(name: str, train: float | None, effect: float | None = None) -> Finding:
        empty = metrics.metrics_of(0, 0, 0)
        on_train = replace(empty, net_difference=Estimate(train, None, None, 10))
        return replace(finding(1, of=named(name, train_effect=effect)), train=on_train, heldout=empty, confirmed=False)

    ordered = [
        finding(30, of=named("refuses", measure="refusals")),  # 4 * .22
        finding(60, of=named("dashes")),  # 1 * .50
        finding(30, of=named("rated"), interest=5.0),  # .22 * 5 / 3
        finding(30, of=named("longer", measure="words")),  # 1.5 * .22
        finding(30, of=named("another")),
        finding(30, of=named("some other")),  # equal: by its text
        finding(8, 7, of=named("hardly")),  # nothing is certain
        finding(5, 50, of=named("against"), confirmed=False, interest=1.0),
        finding(40, of=named("unsure"), confirmed=False, interest=1.0),
        finding(10, of=named("small"), confirmed=False, interest=5.0),
        untested("more", 0.4),
        untested("effect", None, 0.3),
        untested("less", 0.2, 0.9),
        untested("wrong", -0.1),
        untested("none", None),
        untested("oddest", float("nan")),
    ]
    assert order_findings(reversed(ordered)) == tuple(ordered)
    assert order_findings(()) == ()


def mirrored(one: Finding) -> Finding:
    side = other_side(one.hypothesis.direction)
    return replace(one, hypothesis=replace(one.hypothesis, id=f"{one.hypothesis.id[:-1]}{side}", direction=side))


def test_swapping_the_models_mirrors_the_order() -> None:
    """Ids are hashes of the direction; of equal findings nothing that depends on the direction may come first."""
    names = [f"x{i}" for i in range(5)]
    equal = [finding(30, of=hypothesis(name, side)) for name, side in zip(names, "ababa", strict=True)]
    twins = [  # the same sentence of both models, with the same counts
        finding(0, confirmed=False, of=hypothesis("t", side, evidence=(Evidence(prompt, side, "q"),)))
        for side, prompt in (("a", "p2"), ("b", "p1"))
    ]
    opposed = [finding(10, 20, confirmed=False, of=hypothesis("o", "a")),
               finding(20, 10, confirmed=False, of=hypothesis("o", "b"))]  # fmt: skip
    findings = [*equal, *twins, *opposed]
    expected = [mirrored(each) for each in order_findings(findings)]
    for shuffled in itertools.islice(itertools.permutations(map(mirrored, findings)), 0, 300_000, 30_011):
        assert list(order_findings(shuffled)) == expected
