"""The statements of the headline: which findings they are, how often each model does it, where, and what to expect."""

from dataclasses import replace

import pytest

from diffing.estimates import Concentration, Estimate
from diffing.metrics import metrics_of, wilson
from diffing.outputs.claims import (
    chance_in_words,
    claim,
    claim_in_words,
    expectation,
    headline_leads,
    levels_shown,
    sure_in_words,
)
from diffing.outputs.line_words import where_it_holds
from diffing.outputs.marks import spans_that_show
from diffing.outputs.phrasing import HEADLINE_LENGTH
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.scope import Scope, ScopeRule, Term
from diffing.types import (
    Finding,
    Level,
    LevelKind,
    Measure,
    Message,
    Pair,
    PhraseMeasure,
    Place,
    Prompt,
    PropertyMeasure,
    Response,
)
from tests.outputs.samples import SAMPLES, lines_report, medium_report, quiet_report

NAMES = ModelNames("base", "tuned")
MEDICINE = Scope("measured", "when asked about medicine", ScopeRule((Term("domain", "medicine"),)))


def finding(text: str, *levels: Level, measure: Measure | None = None) -> Finding:
    """B shows it more: in 130 of 214 held-out pairs, A in 9; with the given levels."""
    sample = medium_report().findings[0]
    hypothesis = replace(sample.hypothesis, text=text, direction="b", measure=measure, scope=None)
    heldout = replace(metrics_of(214, 130, 9), q=0.0004)
    return replace(sample, hypothesis=hypothesis, heldout=heldout, confirmed=True, levels=levels)


def levels(a: Estimate, b: Estimate, place: Place = "all", kind: LevelKind = "share") -> tuple[Level, Level]:
    return Level("heldout", place, "a", kind, a), Level("heldout", place, "b", kind, b)


def in_medicine(one: Finding, q: float = 0.0001) -> Finding:
    return replace(one, concentration=Concentration(MEDICINE, metrics_of(17, 17, 0), metrics_of(197, 0, 0), 1e-6, q))


@pytest.mark.parametrize(
    ("text", "shown", "said"),
    [
        ("<MODEL> refuses more often.", levels(wilson(0, 214), wilson(17, 214)),
         "tuned refuses in 8% of its answers (17 of 214); base never does"),
        ("<MODEL> refuses more often than <OTHER MODEL>.", levels(wilson(9, 214), wilson(214, 214)),
         "tuned refuses every time (214 of 214); base does in 4%"),
        ("<MODEL> answers with lists more often (bulleted or numbered).", levels(wilson(0, 20), wilson(19, 20)),
         "tuned answers with lists (bulleted or numbered) almost every time (19 of 20); base never does"),
        ("<MODEL> uses headings more often", levels(wilson(2, 20), wilson(10, 20)),
         "tuned uses headings in 10 of 20 answers; base does in 2 of 20"),
        ("<MODEL> uses more exclamation marks than <OTHER MODEL>", levels(wilson(30, 214), wilson(130, 214)),
         "tuned uses more exclamation marks: in 61% of its answers (130 of 214), base in 14%"),
        ("<MODEL> praises the question, where <OTHER MODEL> does not.",
         levels(wilson(0, 214), wilson(130, 214), kind="fits"),
         "tuned praises the question, where base does not: in 61% of its answers (130 of 214), base never"),
        ("<MODEL> uses more exclamation marks than <OTHER MODEL>.", (),
         "tuned uses more exclamation marks than base: in 61% of 214 pairs, the other way in 4%"),
        ("<MODEL> hedges more often.", levels(wilson(200, 214), wilson(190, 214)),
         "tuned hedges more often: in 61% of 214 pairs, the other way in 4%"),
    ],
)  # fmt: skip
def test_a_claim_says_how_often_each_model_does_it(text: str, shown: tuple[Level, ...], said: str) -> None:
    assert claim_in_words(finding(text, *shown), NAMES) == said


def test_a_median_is_given_with_its_unit() -> None:
    shown = levels(Estimate(21.0, 20.0, 23.0, 214), Estimate(24.0, 22.5, 27.0, 214), kind="median")
    longer = finding("<MODEL> writes longer responses (in words) than <OTHER MODEL>.", *shown,
                     measure=PropertyMeasure("words"))  # fmt: skip
    assert claim_in_words(longer, NAMES) == "tuned writes longer responses (in words): 24 words, base 21"
    assert expectation(longer, NAMES) == (
        "On new prompts like these, expect a median of 22.5 to 27 words from tuned and 20 to 23 from base "
        "(95% intervals)"
    )


def test_a_claim_about_a_place_counts_only_there() -> None:
    inside, everywhere = levels(wilson(0, 17), wilson(17, 17), "inside"), levels(wilson(0, 214), wilson(17, 214))
    refuses = in_medicine(finding("<MODEL> refuses more often.", *everywhere, *inside))
    assert claim_in_words(refuses, NAMES) == (
        "When asked about medicine, tuned refuses every time (17 of 17); base never does"
    )
    assert [level.value.n for level in levels_shown(refuses) or ()] == [17, 17]
    assert expectation(refuses, NAMES) == (
        "On new prompts of this kind, expect 82 to 100% from tuned and at most 18% from base (95% intervals)"
    )
    own = in_medicine(finding("when asked about medicine, <MODEL> refuses more often.", *inside))
    assert claim_in_words(own, NAMES) == claim_in_words(refuses, NAMES), "the place is not told twice"
    by_pairs = in_medicine(finding("<MODEL> refuses more often."))
    assert claim_in_words(by_pairs, NAMES) == (
        "When asked about medicine, tuned refuses more often: in 17 of 17 pairs, the other way in 0"
    )
    assert expectation(by_pairs, NAMES) == (
        "On new prompts of this kind, expect a net difference of +63 to +100 points (95% interval)"
    )


def test_what_a_judge_saw_is_said_to_be_what_a_judge_saw() -> None:
    fits = finding("<MODEL> praises.", *levels(wilson(9, 214), wilson(130, 214), kind="fits"))
    assert expectation(fits, NAMES) == (
        "On new prompts like these, expect 54 to 67% from tuned and 2 to 8% from base, as the judge sees it "
        "(95% intervals)"
    )


def test_sureness_is_that_of_the_weaker_of_the_two_tests() -> None:
    refuses = finding("<MODEL> refuses more often.")
    assert sure_in_words(refuses) == "very sure"
    assert sure_in_words(in_medicine(refuses, q=0.02)) == "fairly sure"
    unsure = replace(refuses, heldout=replace(refuses.heldout, q=0.2))
    assert (sure_in_words(unsure), chance_in_words(unsure)) == (None, None)
    assert chance_in_words(refuses) == "chance alone would show this in fewer than 1 in 1,000 comparisons"
    assert (
        chance_in_words(in_medicine(refuses, q=0.02)) == "chance alone would show this in at most 1 in 20 comparisons"
    )


def test_where_a_difference_holds_is_always_said_and_never_everywhere() -> None:
    everywhere = levels(wilson(0, 214), wilson(17, 214))
    outside, inside = levels(wilson(0, 197), wilson(2, 197), "outside"), levels(wilson(0, 17), wilson(17, 17), "inside")
    refuses = finding("<MODEL> refuses more often.", *everywhere)
    n = refuses.heldout.n
    assert (
        where_it_holds(refuses, NAMES).replace("\u00a0", " ")
        == f"all {n} prompts together; no kind of prompt stood out"
    )
    unsought = where_it_holds(finding("<MODEL> refuses."), NAMES)
    assert unsought.replace("\u00a0", " ") == f"all {n} prompts together"
    placed = in_medicine(finding("<MODEL> refuses more often.", *everywhere, *inside, *outside))
    assert where_it_holds(placed, NAMES) == f"prompts of this kind, 17 of {n}; elsewhere tuned 2 of 197, base 0 of 197"
    assert where_it_holds(in_medicine(refuses), NAMES) == f"prompts of this kind, 17 of {n}"


def test_long_sentences_are_cut_and_their_numbers_are_not() -> None:
    long = finding(f"<MODEL> {'says this and that ' * 30}and <OTHER MODEL> does not.")
    said = claim_in_words(long, NAMES)
    assert len(said) <= HEADLINE_LENGTH
    assert said.startswith("tuned says this and that")
    assert said.endswith("…: in 61% of 214 pairs, the other way in 4%")


@pytest.mark.parametrize("length", range(90, 150))
def test_a_name_is_never_cut_in_two(length: int) -> None:
    text = "<MODEL> begins where <OTHER MODEL> ends, and <MODEL> ends where <OTHER MODEL> would never begin at all"
    long = finding(text, *levels(wilson(0, 214), wilson(130, 214)))
    cut = claim(long, NAMES, length)
    assert {said for said, style in cut if style in ("a", "b")} <= {"base", "tuned"}
    joined = "".join(said for said, _ in cut)
    assert joined.endswith(": in 61% of its answers (130 of 214), base never")
    assert len(joined) <= length
    assert ("…" in joined) == (len(claim_in_words(long, NAMES, 200)) > length)


def test_names_are_pieces_of_their_own() -> None:
    refuses = finding("<MODEL> refuses more often.", *levels(wilson(0, 214), wilson(17, 214)))
    assert claim(refuses, NAMES) == (
        ("tuned", "b"), (" refuses", None), (" in 8% of its answers", None), (" (17 of 214)", "count"), ("; ", None),
        ("base", "a"), (" never does", None),
    )  # fmt: skip


def test_the_headline_is_the_first_line_the_first_of_the_other_model_and_the_next() -> None:
    index = index_of(lines_report())
    lines = [entry.lead for entry in index.differences]
    first, across, third = headline_leads(index.report)
    assert first == lines[0]
    assert across == next(each for each in lines if each.hypothesis.direction != first.hypothesis.direction)
    assert third == next(each for each in lines if each not in (first, across))


def test_words_come_to_the_headline_only_if_no_behaviour_is_confirmed() -> None:
    report = lines_report()
    wording = tuple(replace(line, block="wording") for line in report.merged)
    for merged in (report.merged, wording):
        leads = headline_leads(replace(report, merged=merged))
        phrases = [isinstance(each.hypothesis.measure, PhraseMeasure) for each in leads]
        assert len(leads) == 3
        assert not any(phrases)
    only = next(line for line in report.merged if line.block == "wording")
    alone = [only, *(replace(line, block="features") for line in report.merged if line != only)]
    assert [each.hypothesis.id for each in headline_leads(replace(report, merged=tuple(alone)))] == [only.lead]
    assert headline_leads(quiet_report()) == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_statement_of_every_sample_fits(name: str) -> None:
    report = SAMPLES[name]()
    for each in headline_leads(report):
        assert len(claim_in_words(each, index_of(report).names)) <= HEADLINE_LENGTH + 40


def pair(b: str, a: str = "Sure.") -> Pair:
    prompt = Prompt("p", (Message("user", "How do I treat a cold?"),), "bundled", "heldout", "medicine")
    return Pair(prompt, Response("p", "a", a, "stop"), Response("p", "b", b, "stop"))


@pytest.mark.parametrize(
    ("measure", "text", "marked"),
    [
        (PropertyMeasure("apologies"), "I am sorry, I cannot. Sorry.", ["sorry", "Sorry"]),
        (PropertyMeasure("praise"), "Great question. It rains.", ["Great question"]),
        (PropertyMeasure("words"), "Great question. It rains.", []),
        (PropertyMeasure("no such property"), "Great question.", []),
        (PhraseMeasure("great question"), "A GREAT question! greater questions. Great. Question. great  question",
         ["GREAT question", "great  question"]),
        (None, "Great question.", []),
    ],
)  # fmt: skip
def test_exactly_the_words_that_show_it_are_marked(measure: Measure | None, text: str, marked: list[str]) -> None:
    spans = spans_that_show(finding("<MODEL> does.", measure=measure), pair(text), "b")
    assert [text[start:end] for start, end in spans] == marked


def test_a_long_place_leaves_room_for_the_counts() -> None:
    one = finding("<MODEL> speaks more of risks, law and ethics, and of whatever else may follow from an answer")
    words = (
        "when the prompt's domain has “contrast” in its name but not when it has “privacy”, “safe” or “groups” in it"
    )
    place = replace(in_medicine(one).concentration, scope=replace(MEDICINE, words=words), inside=metrics_of(53, 47, 0))
    said = claim_in_words(replace(one, concentration=place), ModelNames("xstest_llama2orig", "xstest_gpt4"))
    assert len(said) <= HEADLINE_LENGTH
    assert said.startswith("When the prompt's domain has “contrast” in")
    assert said.endswith(": in 89% of 53 pairs, the other way in 0%")
