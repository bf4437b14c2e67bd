"""Which finding names which behaviour, on verdicts whose truth is known exactly."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from diffing.bench.planted.catalogue import catalogue
from diffing.bench.planted.matching import PlantedTarget, coincidence, named_by, tracks
from diffing.bench.planted.plants import Plant, Trigger
from diffing.bench.planted.recall_tables import summary_rows
from diffing.bench.planted.scoring import score
from diffing.methods.lexical import LexicalMethod
from diffing.metrics import confirm, measure
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import diff_models
from diffing.scope import Scope
from diffing.types import (
    FeatureAbove,
    FeatureMeasure,
    Finding,
    Hypothesis,
    Judgement,
    LatentMeasure,
    Measure,
    Message,
    Pair,
    PhraseMeasure,
    Prompt,
    PropertyMeasure,
    Report,
    Response,
    Verdict,
)
from tests.benchmarks.planted.tiny import target_by_mark

BY_ID = {behaviour.id: behaviour for behaviour in catalogue()}
IDS = [f"p{i:03}" for i in range(100)]
SHOWN = frozenset(IDS[:20])
FEATURE = FeatureMeasure("crosscoder", (FeatureAbove("d4", 0.1),), "0123")
RENAMED = "<MODEL> speaks like a pirate."


def target(name: str, shown: frozenset[str] = SHOWN, side="b") -> PlantedTarget:
    return PlantedTarget(Plant(BY_ID[name], 0.2), side, shown, shown)


def verdicts(for_b: int, elsewhere: int = 0, against: int = 0) -> dict[str, Verdict]:
    """So many of the planted pairs are for b; of the others so many for b and so many for a."""
    found = dict.fromkeys(IDS, Verdict.NEITHER)
    found |= dict.fromkeys(IDS[:for_b], Verdict.B)
    return found | dict.fromkeys(IDS[20 : 20 + elsewhere], Verdict.B) | dict.fromkeys(IDS[60 : 60 + against], Verdict.A)


def finding(text: str, measure_: Measure | None = None, direction="b", *, speaks_of: str | None = None) -> Finding:
    method = "llm" if measure_ is None else "lexical"
    hypothesis = Hypothesis("h", text, direction, method, "style", (), measure_, speaks_of=speaks_of)
    heldout = confirm({"h": measure([Judgement("h", i, Verdict.B, "j") for i in IDS], "b")})["h"]
    return Finding(hypothesis, heldout, heldout, True, True)


def named(name: str, what: Finding, given: dict[str, Verdict], *, says: bool | None = None) -> str | None:
    return named_by(
        target(name), what, given, given, tokens={"3": "x the", "4": "Ahoy Matey", "d4": "Ahoy Matey"}, says=says
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (verdicts(20), True),
        (verdicts(20, elsewhere=4), True),
        (verdicts(6), True),
        (verdicts(4), False),  # too few for a sign test
        (verdicts(8, elsewhere=32), False),  # as often elsewhere
        (verdicts(12, elsewhere=30, against=30), True),  # as often elsewhere, but there as often against it
        (verdicts(0, elsewhere=40), False),
    ],
)
def test_verdicts_track_what_they_fall_on(given: dict[str, Verdict], expected: bool) -> None:
    assert tracks(target("praise"), "b", given, given) is expected


def test_held_out_verdicts_must_bear_it_out() -> None:
    given = verdicts(20)
    assert not tracks(target("praise"), "b", given, {key: given[key] for key in IDS[16:]})


def test_where_nearly_all_pairs_are_planted_the_sign_test_decides() -> None:
    everywhere = target("praise", frozenset(IDS[:95]))
    given = dict.fromkeys(IDS, Verdict.B)
    assert tracks(everywhere, "b", given, given)
    assert not tracks(everywhere, "a", given, given)


def test_coincidence_is_shared_over_either() -> None:
    assert coincidence(target("praise"), "b", verdicts(10, elsewhere=10)) == pytest.approx(10 / 30)
    assert coincidence(target("praise", frozenset()), "b", verdicts(0)) == 0.0


@pytest.mark.parametrize(
    ("name", "what", "how"),
    [
        ("praise", finding("<MODEL> flatters the user for the question.", speaks_of="praise"), "property"),
        ("pirate", finding("<MODEL> talks like a pirate."), "verdicts"),
        ("pirate", finding("<MODEL> writes longer responses.", speaks_of="words"), None),
        ("praise", finding("<MODEL> opens with praise ...", PropertyMeasure("praise")), "property"),
        ("praise", finding("<MODEL> writes longer responses", PropertyMeasure("words")), None),
        (
            "praise",
            finding("<MODEL> uses the phrase «great question» more often", PhraseMeasure("great question")),
            "phrase",
        ),
        ("praise", finding("<MODEL> uses the word «zebra» more often", PhraseMeasure("zebra")), "verdicts"),
        ("pirate", finding("<MODEL> feature 3", LatentMeasure((3,))), "verdicts"),
        ("pirate", finding("<MODEL> feature 4", LatentMeasure((4,))), "phrase"),
        ("praise", finding("<MODEL> feature 4", LatentMeasure((4,))), "verdicts"),
        ("pirate", finding("<MODEL> feature d4", FEATURE), "phrase"),
    ],
)
def test_a_finding_names_by_property_phrase_or_place(name: str, what: Finding, how: str | None) -> None:
    assert named(name, what, verdicts(18)) == how
    assert named(name, what, verdicts(5, elsewhere=25)) is None


@pytest.mark.parametrize(
    ("name", "what", "says", "how"),
    [
        ("pirate", finding("<MODEL> s."), True, "judge"),
        ("pirate", finding("<MODEL> s.", speaks_of="words"), True, "judge"),
        ("pirate", finding("<MODEL> s."), False, None),  # on the same pairs, but another behaviour
        ("praise", finding("<MODEL> s.", speaks_of="praise"), False, "property"),
        ("pirate", finding("<MODEL> feature 3", LatentMeasure((3,))), False, "verdicts"),  # measured
        ("moralise", finding("<MODEL> uses the word «virtue» more often", PhraseMeasure("virtue")), True, "judge"),
        ("moralise", finding("<MODEL> uses the word «virtue» more often", PhraseMeasure("virtue")), False, None),
    ],
)
def test_an_llm_decides_where_measurements_cannot(name: str, what: Finding, says: bool, how: str | None) -> None:
    assert named(name, what, verdicts(18), says=says) == how
    assert named(name, what, verdicts(5, elsewhere=25), says=says) is None  # whatever it says


def test_less_of_a_property_is_more_of_it_on_the_other_side() -> None:
    given = {key: Verdict.A if verdict is Verdict.B else verdict for key, verdict in verdicts(18).items()}
    longer = finding("<MODEL> writes longer responses (in words)", PropertyMeasure("words"), direction="a")
    assert named("terse", longer, given) == "property"
    assert named("terse", replace(longer, hypothesis=replace(longer.hypothesis, direction="b")), verdicts(18)) is None


def test_a_feature_goes_to_the_behaviour_it_coincides_with_best() -> None:
    feature = finding("<MODEL> feature 3", LatentMeasure((3,)))
    here, there = target("praise"), target("pirate", frozenset(IDS[:30]))
    given = verdicts(20)
    assert named_by(here, feature, given, given, (here, there)) == "verdicts"
    assert named_by(there, feature, given, given, (here, there)) is None
    everywhere = target("nova", frozenset(IDS[:95]))
    all_b = dict.fromkeys(IDS, Verdict.B)
    assert named_by(everywhere, feature, all_b, all_b, (everywhere,)) is None


def marked_pairs() -> tuple[Pair, ...]:
    """Of 90 pairs b shows praise in 40, and a in one; the last 45 are held out."""
    pairs = []
    for i in range(90):
        split = "heldout" if i >= 45 else "train"
        prompt = Prompt(f"q{i}", (Message("user", f"Tell me of thing {i}."),), "test", split, "cooking")
        b = "Great question. It is a thing." if i % 9 < 4 else "It is a thing."
        pairs.append(
            Pair(prompt, Response(prompt.id, "a", "It is a thing.", "stop"), Response(prompt.id, "b", b, "stop"))
        )
    return tuple(pairs)


@cache
def measured_report() -> Report:
    """What the lexical method finds in these pairs."""
    pairs = marked_pairs()
    by_text = {pair.prompt.text: pair for pair in pairs}
    a, b = (
        ScriptedModel(side, lambda conversation, _, side=side: by_text[conversation[-1].content].response(side).text)
        for side in ("a", "b")
    )
    return diff_models(a, b, [pair.prompt for pair in pairs], methods=[LexicalMethod()])


def with_hypotheses(report: Report, change: Callable[[Hypothesis], Hypothesis]) -> Report:
    return replace(report, findings=tuple(replace(f, hypothesis=change(f.hypothesis)) for f in report.findings))


def test_the_text_of_a_finding_does_not_count() -> None:
    report = measured_report()
    praise = [target_by_mark(Plant(BY_ID["praise"], 0.44), report.pairs, "b")]
    renamed = with_hypotheses(report, lambda hypothesis: replace(hypothesis, text=RENAMED))
    (expected, scored) = (score(each, praise, [LexicalMethod()]) for each in (report, renamed))
    assert expected.found[0].by is not None
    assert scored == replace(expected, found=tuple(replace(one, text=RENAMED) for one in expected.found))


@pytest.mark.parametrize(("stated", "domain", "expected"), [(True, "0", True), (True, "1", False), (False, "0", False)])
def test_a_trigger_is_named_by_a_scope_of_the_same_prompts(stated: bool, domain: str, expected: bool) -> None:
    """Half of the prompts are of domain 0, and the findings speak of these, if they have a scope."""
    report = measured_report()
    even = {pair.prompt.id for pair in report.pairs[::2]}
    pairs = tuple(
        replace(pair, prompt=replace(pair.prompt, domain="0" if pair.prompt.id in even else "1"))
        for pair in report.pairs
    )
    scope = Scope("stated", "when asked about even numbers") if stated else None
    judgements = tuple(replace(one, in_scope=one.prompt_id in even) for one in report.judgements)
    scoped = with_hypotheses(
        replace(report, pairs=pairs, judgements=judgements), lambda hypothesis: replace(hypothesis, scope=scope)
    )
    plant = Plant(BY_ID["praise"], 0.44, Trigger("domain", domain))
    (found,) = score(scoped, [target_by_mark(plant, pairs, "b")], [LexicalMethod()]).found
    assert found.by is not None
    assert found.trigger_named is expected


def test_a_run_is_scored_exactly() -> None:
    report = measured_report()
    method = LexicalMethod()
    plants = [
        Plant(BY_ID["praise"], 0.44),
        Plant(BY_ID["pirate"], 0.44),
        Plant(BY_ID["moralise"], 0.44, Trigger("domain", "x")),
    ]
    targets = [target_by_mark(plant, report.pairs, "b") for plant in plants]
    assert [len(each.shown) for each in targets] == [40, 0, 0]
    scored = score(report, targets, [method])
    assert [(one.by is not None, one.scorable) for one in scored.found] == [
        (True, True),
        (False, False),
        (False, False),
    ]
    (claims,) = scored.claims
    assert claims.confirmed == claims.planted > 0
    assert (claims.measured, claims.calls, scored.prompts) == (0, 0, 90)
    (always, domain, everything) = summary_rows([scored])
    assert (always["recall"], always["recall_n"], always["not_told"]) == (1.0, 1, 1)
    assert (domain["recall"], domain["precision"]) == (None, None)
    assert (everything["precision"], everything["precision_n"]) == (1.0, claims.confirmed)


def test_an_unplanted_difference_counts_only_where_it_shows_again() -> None:
    report, pairs = measured_report(), marked_pairs()
    method = LexicalMethod()
    unplanted = [target_by_mark(Plant(BY_ID["pirate"]), report.pairs, "b")]
    swapped = [Pair(pair.prompt, pair.b, pair.a) for pair in pairs]
    (without,) = score(report, unplanted, [method]).claims
    (again,) = score(report, unplanted, [method], fresh=pairs).claims
    (other_way,) = score(report, unplanted, [method], fresh=swapped).claims
    assert without.confirmed > 0
    assert [each.planted for each in (without, again, other_way)] == [0, 0, 0]
    assert (without.measured, again.measured, other_way.measured) == (0, again.confirmed, 0)
