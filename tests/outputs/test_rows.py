"""What the page's rows, blocks and first pair hold: bars, the common axis, reasons, and a pair of typical length."""

from dataclasses import replace

import pytest

from diffing.estimates import Estimate
from diffing.metrics import metrics_of, wilson
from diffing.outputs.blocks import block_of, lines_by_block, numbers, title_of
from diffing.outputs.claims import claim_in_words, what_and_where
from diffing.outputs.counted_examples import counts_in_words
from diffing.outputs.html import render
from diffing.outputs.html.line_rows import DifferenceAxis, axis, reason
from diffing.outputs.html.page import page_of
from diffing.outputs.html.shown_pairs import length_in_words, shown_pairs
from diffing.outputs.phrasing import statement
from diffing.outputs.rate_bars import RateBar, bars, row_pieces
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.report.run_pairs import PROBES
from diffing.types import Finding, Level, PhraseMeasure, PropertyMeasure, Verdict
from tests.outputs.samples import SAMPLES, lines_report, medium_report, quiet_report

NAMES = ModelNames("base", "tuned")


def finding(n: int, k_for: int, k_against: int) -> Finding:
    sample = medium_report().findings[0]
    hypothesis = replace(sample.hypothesis, text="<MODEL> refuses more often than <OTHER MODEL>.", direction="b")
    return replace(sample, hypothesis=hypothesis, heldout=metrics_of(n, k_for, k_against), levels=())


def test_bars_are_each_models_own_rate_a_first() -> None:
    refuses = next(each for each in lines_report().findings if "refuses to answer" in each.hypothesis.text)
    assert bars(refuses, NAMES) == (
        RateBar("a", 0.0, "0 of 16", "base: 0 of 16"),
        RateBar("b", 75.0, "12 of 16", "tuned: 12 of 16"),
    )


def test_bars_of_medians_are_scaled_to_the_larger_one() -> None:
    longer = replace(finding(214, 130, 9), levels=(
        Level("heldout", "all", "a", "median", Estimate(21.0, 20.0, 23.0, 214)),
        Level("heldout", "all", "b", "median", Estimate(24.0, 22.5, 27.0, 214)),
    ))  # fmt: skip
    longer = replace(longer, hypothesis=replace(longer.hypothesis, measure=PropertyMeasure("words")))
    assert [(each.width, each.value) for each in bars(longer, NAMES)] == [(87.5, "21 words"), (100.0, "24 words")]
    sentences = replace(longer, hypothesis=replace(longer.hypothesis, measure=PropertyMeasure("sentence_length")))
    assert [(each.value, each.spoken) for each in bars(sentences, NAMES)] == [
        ("21", "base: 21 words per sentence"),
        ("24", "tuned: 24 words per sentence"),
    ]


def test_without_levels_bars_are_shares_of_pairs_and_say_so() -> None:
    assert bars(finding(200, 130, 10), NAMES) == (
        RateBar("a", 5.0, "more in 5%", "base more in 5% of pairs"),
        RateBar("b", 65.0, "more in 65%", "tuned more in 65% of pairs"),
    )
    assert [each.value for each in bars(finding(0, 0, 0), NAMES)] == ["–", "–"]


def test_all_rows_share_one_axis_with_a_left_and_b_right() -> None:
    of_b = finding(200, 130, 10)
    of_b = replace(of_b, heldout=replace(of_b.heldout, net_difference=Estimate(0.6, 0.5, 0.7, 200)))
    assert axis(of_b) == DifferenceAxis("b", low=75.0, width=10.0, at=80.0, value="60", span="50 to 70")
    of_a = replace(of_b, hypothesis=replace(of_b.hypothesis, direction="a"))
    assert axis(of_a) == DifferenceAxis("a", low=15.0, width=10.0, at=20.0, value="60", span="50 to 70")
    assert axis(finding(0, 0, 0)) is None


@pytest.mark.parametrize(
    ("n", "k_for", "k_against", "said"),
    [
        (214, 71, 96, "Went the other way: 71 pairs for it, 96 against."),
        (214, 44, 45, "As often the other way: 44 pairs for it, 45 against."),
        (214, 5, 1, "Could be chance: 5 pairs for it, 1 against, 208 neither."),
        (214, 1, 0, "Too rare to tell: it shows in 1 of 214 pairs."),
        (214, 0, 4, "Too rare to tell: it shows in 4 of 214 pairs."),
        (0, 0, 0, "Not tested: too weak on the first prompts to be worth testing."),
    ],
)
def test_what_is_not_confirmed_has_a_reason(n: int, k_for: int, k_against: int, said: str) -> None:
    assert reason(finding(n, k_for, k_against)).replace("\N{NO-BREAK SPACE}", " ") == said


def test_a_rows_text_leaves_out_the_comparison_that_its_bars_show() -> None:
    refuses = finding(214, 17, 0)
    assert row_pieces(refuses) == (("", "b"), (" refuses more often", None))
    shares = tuple(Level("heldout", "all", side, "share", wilson(count, 214)) for side, count in (("a", 0), ("b", 17)))
    assert row_pieces(replace(refuses, levels=shares)) == (("", "b"), (" refuses", None))
    swapped = tuple(replace(level, side={"a": "b", "b": "a"}[level.side]) for level in shares)
    assert row_pieces(replace(refuses, levels=swapped)) == (("", "b"), (" refuses more often", None))


def test_every_line_stands_in_one_block_and_members_where_their_line_is() -> None:
    index = index_of(lines_report())
    blocks = lines_by_block(index)
    assert {block: len(lines) for block, lines in blocks.items()} == {
        "differences": 7, "wording": 1, "features": 1, "unconfirmed": 4,
    }  # fmt: skip
    assert sorted(number for lines in blocks.values() for each in lines for number in numbers(each)) == list(
        range(1, len(index.report.findings) + 1)
    )
    for block, lines in blocks.items():
        assert {block_of(index, number) for each in lines for number in numbers(each)} == {block}
    titles = [title_of(block, index).replace("\N{NO-BREAK SPACE}", " ") for block in blocks]
    assert titles == [
        "7 confirmed differences",
        "and 1 word or phrase",
        "and 1 internal feature without words",
        "Not confirmed: 4 ideas that looked promising on the first 150 prompts, but did not hold up on the 180 "
        "held-out ones",
    ]
    probed = index_of(replace(index.report, tables={**index.report.tables, PROBES: ({"prompt_id": "q1"},)}))
    assert title_of("unconfirmed", probed).replace("\N{NO-BREAK SPACE}", " ") == (
        "Not confirmed: 4 ideas that looked promising at first, but did not hold up when tested"
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_the_page_has_the_lines_of_the_report(name: str) -> None:
    page, index = page_of(SAMPLES[name](), brief=True), index_of(SAMPLES[name]())
    shown = [entry.lead.number for block in page.blocks for entry in block.entries]
    assert sorted(shown) == [entry.number for entry in index.entries]
    assert all(block.entries for block in page.blocks)


def test_the_strongest_finding_that_speaks_for_the_other_model_stands_in_the_row() -> None:
    page = page_of(lines_report(), brief=True)
    opposite = page.entries[0].opposite
    assert opposite is not None
    assert "continues the user's text" in opposite.finding.hypothesis.text
    assert page.entries[1].opposite is None, "its members speak for the same model"


def test_the_pairs_are_held_out_in_the_place_of_the_finding_and_the_first_is_of_typical_length() -> None:
    report = lines_report()
    index, refuses = index_of(report), next(f for f in report.findings if "refuses to answer" in f.hypothesis.text)
    shown = shown_pairs(refuses, index)
    assert shown is not None
    assert (len({each.pair.prompt.id for each in shown.pairs}), shown.of) == (6, 12)
    for each in shown.pairs:
        assert (each.pair.prompt.split, each.pair.prompt.domain) == ("heldout", "safety-sensitive")
        verdict = index.verdict(refuses.hypothesis.id, each.pair.prompt.id)
        assert verdict is not None
        assert verdict.verdict is Verdict.B
    longer = next(f for f in report.findings if "longer" in f.hypothesis.text)
    found = shown_pairs(longer, index)
    assert found is not None
    typical = found.pairs[0]
    lengths = sorted(
        len(pair.a.text) + len(pair.b.text)
        for each in index.verdicts_on(longer.hypothesis.id)
        if (pair := index.pairs[each.prompt_id]).prompt.split == "heldout" and each.verdict is Verdict.B
    )
    assert len(typical.pair.a.text) + len(typical.pair.b.text) == lengths[int(0.6 * (len(lengths) - 1))]
    assert all(not marked for excerpt in typical.excerpts for _, marked in excerpt.pieces), "a count marks nothing"
    words = (len(typical.pair.b.text.split()), len(typical.pair.a.text.split()))
    assert counts_in_words(longer, typical.pair) == "{} words against {}".format(*words)
    assert counts_in_words(refuses, typical.pair) is None


def test_no_pair_is_shown_if_none_shows_it() -> None:
    report = quiet_report()
    nothing = replace(report, judgements=())
    assert shown_pairs(nothing.findings[0], index_of(nothing)) is None
    assert page_of(report, brief=True).answer.shown is None


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", "0 words"),
        ("One two\nthree.", "3 words"),
        ("word", "1 word"),
        ("私は昨日友達と一緒に新しいレストランに行きました。", "25 characters"),
    ],
)
def test_lengths_are_in_words_or_in_characters_where_there_are_no_spaces(text: str, length: str) -> None:
    assert length_in_words(text).replace("\N{NO-BREAK SPACE}", " ") == length


def test_the_coverage_is_a_meter_only_if_it_is_a_share() -> None:
    report = lines_report()
    assert report.coverage is not None
    told = render(report)
    assert '<p class="big">79%</p><div class="meter" aria-hidden="true"><i style="width:79.0%"></i></div>' in told
    assert "(59 to 100%, 95% interval)" in told
    alike = replace(report, coverage=replace(report.coverage, p=0.3))
    few = replace(report, coverage=replace(report.coverage, explained=Estimate(None, None, None, 0)))
    for other, said in ((alike, "cannot tell tern-1b-base from tern-1b-chat"), (few, "There are too few pairs to say")):
        page = render(other)
        assert said in page
        assert 'class="meter"' not in page
    assert 'class="card coverage"' not in render(medium_report())


def test_a_measured_phrase_has_the_quotes_of_the_page() -> None:
    report = lines_report()
    phrase = next(each for each in report.findings if isinstance(each.hypothesis.measure, PhraseMeasure))
    stored = replace(phrase, hypothesis=replace(phrase.hypothesis, text="<MODEL> uses the phrase «of all» more often"))
    pieces = [(text, side) for text, side in row_pieces(stored) if text]
    assert "".join(text for text, _ in pieces).strip().startswith("uses the phrase “of all”")
    for told in (statement(stored, NAMES), claim_in_words(stored, NAMES), what_and_where(stored, NAMES, 160)):
        assert "uses the phrase “of all”" in told, "terminal, cards and files too"
    french = replace(stored, hypothesis=replace(stored.hypothesis, measure=None))
    assert "«of all»" in "".join(text for text, _ in row_pieces(french)), "what others quote stays"
