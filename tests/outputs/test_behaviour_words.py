"""What all outputs say about a line: where a difference lives, both models' own levels, coverage, and why it is one."""

from dataclasses import replace
from typing import get_args

import pytest

from diffing.estimates import Concentration, Coverage, Estimate, Metrics
from diffing.metrics import metrics_of, wilson
from diffing.outputs.behaviour_words import (
    coverage_in_words,
    known_by_in_words,
    levels_in_words,
    place_label,
    sureness,
    where,
)
from diffing.outputs.coverage_words import coverage_in_short, coverage_of_report, explained_interval, explained_share
from diffing.report.model_names import ModelNames
from diffing.scope import Junction, Scope, ScopeRule, Term
from diffing.types import Finding, KnownBy, Level, LevelKind, Place, PropertyMeasure
from tests.outputs.samples import lines_report, medium_report

NAMES = ModelNames("base", "tuned")
MEDICINE = Scope("measured", "when asked about medicine", ScopeRule((Term("domain", "medicine"),)))
NOTHING = Estimate(None, None, None, 0)


def refuses(**fields: object) -> Finding:
    """B is said to refuse more often: 17 of 214 held-out pairs are for it, none against."""
    sample = medium_report().findings[0]
    hypothesis = replace(sample.hypothesis, text="<MODEL> refuses more often.", direction="b", measure=None, scope=None)
    finding = replace(sample, hypothesis=hypothesis, heldout=metrics_of(214, 17, 0), confirmed=True)
    return replace(finding, **fields)  # type: ignore[arg-type]


def level(place: Place, side: str, estimate: Estimate, kind: LevelKind = "share") -> Level:
    return Level("heldout", place, side, kind, estimate)  # type: ignore[arg-type]


def concentrated(outside: Metrics | None = None) -> Concentration:
    return Concentration(MEDICINE, metrics_of(17, 17, 0), outside or metrics_of(197, 0, 0), 1e-6, 1e-5)


INSIDE = (
    level("inside", "a", wilson(0, 17)),
    level("inside", "b", wilson(17, 17)),
    level("outside", "a", wilson(0, 197)),
    level("outside", "b", wilson(0, 197)),
)


def test_a_place_is_told_with_both_models_own_counts_inside_and_elsewhere() -> None:
    assert where(refuses(concentration=concentrated(), levels=INSIDE), NAMES) == (
        "when asked about medicine: tuned in 17 of 17 (82 to 100%), base in 0 of 17 (0 to 18%); "
        "elsewhere 0 and 0 of 197"
    )


def test_without_levels_a_place_is_told_by_verdicts_and_worded_as_such() -> None:
    found = refuses(concentration=concentrated(metrics_of(197, 3, 1)))
    assert where(found, NAMES) == (
        "when asked about medicine: fits tuned better in 17 of 17 (82 to 100%), base better in 0 of 17 (0 to 18%); "
        "elsewhere 3 and 1 of 197"
    )


def test_a_judged_finding_says_in_how_many_pairs_it_fits_each_model() -> None:
    levels = tuple(replace(each, kind="fits") for each in INSIDE)
    assert where(refuses(concentration=concentrated(), levels=levels), NAMES) == (
        "when asked about medicine: fits tuned in 17 of 17 (82 to 100%), base in 0 of 17 (0 to 18%); "
        "elsewhere 0 and 0 of 197"
    )


def test_medians_inside_a_place_have_their_unit() -> None:
    longer = refuses(concentration=concentrated(), levels=(
        level("inside", "a", Estimate(12.0, 10.0, 15.0, 17), "median"),
        level("inside", "b", Estimate(24.5, 22.0, 27.0, 17), "median"),
        level("outside", "a", Estimate(14.0, 13.0, 15.0, 197), "median"),
        level("outside", "b", Estimate(15.0, 14.0, 15.0, 197), "median"),
    ))  # fmt: skip
    longer = replace(longer, hypothesis=replace(longer.hypothesis, measure=PropertyMeasure("words")))
    assert where(longer, NAMES) == (
        "when asked about medicine: tuned 24.5 words (22 to 27), base 12 words (10 to 15); elsewhere 15 and 14"
    )


def stated(within: Metrics) -> Finding:
    found = refuses(heldout_in_scope=within)
    return replace(found, hypothesis=replace(found.hypothesis, scope=Scope("stated", "when asked for advice")))


def test_a_stated_place_says_nothing_of_other_prompts() -> None:
    assert where(stated(metrics_of(17, 17, 0)), NAMES) == (
        "when asked for advice: fits tuned better in 17 of 17 (82 to 100%), base better in 0 of 17 (0 to 18%)"
    )
    assert where(stated(metrics_of(0, 0, 0)), NAMES) == "when asked for advice: no held-out prompt meets this condition"
    unread = replace(metrics_of(0, 0, 0), unreadable=3)
    assert where(stated(unread), NAMES) == "when asked for advice: no readable verdict"


def test_no_place_is_told_that_was_not_found_or_not_tested() -> None:
    assert where(refuses(), NAMES) is None
    failed = replace(concentrated(), q=0.06)
    assert where(refuses(concentration=failed, levels=INSIDE), NAMES) is None
    untested = replace(metrics_of(214, 17, 0), p=None)
    assert where(refuses(concentration=concentrated(), heldout=untested), NAMES) is None


@pytest.mark.parametrize(
    ("terms", "junction", "label"),
    [
        ((Term("domain", "medicine"),), None, "medicine"),
        ((Term("domain", "stories"), Term("domain", "howto")), "or", "stories or howto"),
        (
            (Term("domain", "feelings"), Term("domain", "medicine"), Term("domain", "weather")),
            "or",
            "feelings, medicine or weather",
        ),
        ((Term("word", "please"),), None, "says “please”"),
        ((Term("part", "contrast"), Term("word", "how")), "without", "domains with “contrast” without “how”"),
        ((Term("form", "long prompts"), Term("domain", "money")), "and", "long prompts and money"),
    ],
)
def test_a_place_has_a_short_label(terms: tuple[Term, ...], junction: Junction | None, label: str) -> None:
    scope = Scope("measured", "when ...", ScopeRule(terms, junction))
    assert place_label(refuses(concentration=replace(concentrated(), scope=scope))) == label


def test_the_label_of_a_stated_place_is_its_condition_and_of_no_place_nothing() -> None:
    assert place_label(stated(metrics_of(17, 17, 0))) == "asked for advice"
    assert place_label(refuses()) is None


def test_levels_are_each_models_own_share_with_its_interval() -> None:
    shares = (level("all", "a", wilson(0, 214)), level("all", "b", wilson(17, 214)))
    assert levels_in_words(refuses(levels=shares), NAMES) == "tuned 8% (5 to 12%), base 0% (0 to 2%)"
    fits = (level("all", "a", wilson(9, 214), "fits"), level("all", "b", wilson(64, 214), "fits"))
    assert levels_in_words(refuses(levels=fits), NAMES) == "fits tuned in 30% (24 to 36%), base in 4% (2 to 8%)"


def test_shares_of_few_responses_are_counts() -> None:
    few = (level("all", "a", wilson(0, 29)), level("all", "b", wilson(7, 29)))
    assert levels_in_words(refuses(levels=few), NAMES) == "tuned 7 of 29 (12 to 42%), base 0 of 29 (0 to 12%)"


@pytest.mark.parametrize(
    ("measure", "value", "said"),
    [
        ("words", Estimate(1240.0, 1180.0, 1301.5, 214), "1,240 words (1,180 to 1,301.5)"),
        ("sentence_length", Estimate(14.26, 13.9, 15.0, 214), "14.3 words per sentence (13.9 to 15)"),
        ("word_variety", Estimate(0.715, None, None, 214), "0.71 different words per word"),
        ("question_marks", Estimate(2.0, 1.0, 2.0, 214), "2 question marks (1 to 2)"),
    ],
)
def test_medians_have_the_unit_of_what_is_counted(measure: str, value: Estimate, said: str) -> None:
    levels = (level("all", "a", Estimate(1.0, 1.0, 1.0, 214), "median"), level("all", "b", value, "median"))
    found = refuses(levels=levels)
    found = replace(found, hypothesis=replace(found.hypothesis, measure=PropertyMeasure(measure)))
    assert (levels_in_words(found, NAMES) or "").startswith(f"tuned {said}, base 1 ")


def test_levels_that_are_not_known_are_not_told() -> None:
    assert levels_in_words(refuses(), NAMES) is None
    one_sided = (level("all", "b", wilson(17, 214)), level("all", "a", NOTHING))
    assert levels_in_words(refuses(levels=one_sided), NAMES) is None


TOLD = Coverage(
    everything=wilson(182, 246),
    findings=wilson(170, 246),
    lines=wilson(167, 246),
    first_five=wilson(162, 246),
    explained=Estimate(0.79, 0.59, 1.02, 246),
    explained_by_lines=Estimate(0.7, 0.5, 0.9, 246),
    explained_by_first_five=Estimate(0.6, 0.4, 0.8, 246),
    open_pairs=wilson(145, 246),
    told_in_open=wilson(96, 145),
    p=1e-9,
)


def test_coverage_says_how_much_the_list_explains_and_what_it_leaves_open() -> None:
    assert coverage_in_words(TOLD, NAMES) == (
        "From the answers alone 74 of 100 pairs can be told apart; from this list 69: it explains 79% (59 to 100%). "
        "The lines that are not folded away tell 68, the first five of them 66. The list leaves 145 of 246 pairs open; "
        "there the answers still tell in 66%."
    )
    assert explained_interval(TOLD) == "59 to 100%"
    assert explained_share(replace(TOLD, explained=Estimate(1.2, 0.9, 1.5, 246))) == 1
    assert (
        "from this list 69: it tells them apart as well as the answers do (it explains 90 to 100% of that). What shows "
        "in very few answers can still be missing. The lines"
    ) in coverage_in_words(replace(TOLD, explained=Estimate(1.2, 0.9, 1.5, 246)), NAMES)
    without_doubt = replace(TOLD, explained=Estimate(1.1, 1.0, 1.3, 246))
    assert "as well as the answers do. What shows" in coverage_in_words(without_doubt, NAMES)
    assert explained_interval(without_doubt) == "100%"


def test_a_report_says_what_makes_its_coverage_too_high_or_too_low() -> None:
    """It is scored on the pairs that confirmed the list, and a judge that stops early leaves verdicts out."""
    report = replace(lines_report(), coverage=TOLD)
    asked = [replace(each, heldout=replace(each.heldout, n=246)) for each in report.findings]
    flattered = "The list is scored on the same held-out pairs that confirmed it, which can make this slightly too high"
    told = coverage_in_words(TOLD, NAMES)
    assert coverage_of_report(replace(report, findings=asked), NAMES) == f"{told} {flattered}."
    asked[0] = replace(asked[0], heldout=replace(asked[0].heldout, n=200, unreadable=45))
    assert asked[0].confirmed
    assert coverage_of_report(replace(report, findings=asked), NAMES) == (
        f"{told} {flattered}; the judge stopped early, and the verdicts that it never gave count as none, which can "
        "make it too low."
    )
    alike = replace(TOLD, p=0.25)
    assert coverage_of_report(replace(report, coverage=alike), NAMES) == coverage_in_words(alike, NAMES)
    assert coverage_of_report(replace(report, findings=()), NAMES) == told
    assert coverage_of_report(replace(report, coverage=None), NAMES) == ""


def test_coverage_of_too_few_pairs_gives_the_accuracies_alone() -> None:
    assert coverage_in_words(replace(TOLD, explained=NOTHING), NAMES) == (
        "From the answers alone 74 of 100 pairs can be told apart; from this list 69. The lines that are not folded "
        "away tell 68, the first five of them 66. There are too few pairs to say how much the list explains."
    )
    assert coverage_in_short(TOLD, NAMES) == (
        "A program that is shown both answers to a prompt says which model wrote which. It is right for 74% of the "
        "prompts, and guessing for 50%. Shown only which differences on this list they have, it is right for 69%."
    )


def test_a_list_that_explains_all_that_was_measured_does_not_claim_to_hold_all_there_is() -> None:
    everything = replace(TOLD, explained=Estimate(1.02, 0.97, 1.1, 246), findings=TOLD.everything)
    assert coverage_in_short(everything, NAMES) == (
        "This list tells the two models apart as well as their answers do: a program with only the list is right for "
        "74% of the prompts, one that reads all for 74%. What shows in very few answers can still be missing."
    )


def test_findings_that_are_all_folded_away_are_said_to_be() -> None:
    """As those of a run that looks inside the models alone, without an LLM that labels features."""
    nothing = Estimate(0.5, 0.44, 0.56, 246)
    folded = coverage_in_words(replace(TOLD, lines=nothing, first_five=nothing), NAMES)
    assert "79% (59 to 100%). All of this is in lines that are folded away. The list leaves" in folded


def test_models_that_cannot_be_told_apart_get_no_ratio() -> None:
    alike = replace(TOLD, everything=wilson(44, 81), p=0.25)
    assert coverage_in_words(alike, NAMES) == (
        "A program that reads both answers to a prompt cannot tell base from tuned: it says correctly which model gave "
        "which for 44 of 81 prompts, and tossing a coin does for half of them."
    )
    assert coverage_in_short(alike, NAMES) == coverage_in_words(alike, NAMES)
    assert explained_share(alike) is None
    halves = replace(TOLD, everything=Estimate(44.5 / 81, 0.4, 0.6, 81), p=0.25)
    assert "44.5 of 81 prompts" in coverage_in_words(halves, NAMES)


@pytest.mark.parametrize(
    ("q", "words"),
    [(0.0, "very sure"), (0.00099, "very sure"), (0.001, "sure"), (0.0099, "sure"), (0.01, "fairly sure"),
     (0.05, "fairly sure"), (0.0501, None), (None, None)],
)  # fmt: skip
def test_sureness_is_read_from_q(q: float | None, words: str | None) -> None:
    assert sureness(q) == words


def test_every_reason_why_findings_share_a_line_has_words_of_its_own() -> None:
    words = [known_by_in_words(reason) for reason in get_args(KnownBy)]
    assert len(set(words)) == len(words) == 9
    assert known_by_in_words("kin") == "another sign of the same behaviour"
    assert not any("because" in each for each in words)
