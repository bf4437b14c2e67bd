"""Which findings and which pairs are shown: every filter against a count made another way."""

from dataclasses import replace

import pytest

from diffing.outputs.behaviour_words import NO_ONE_PLACE, place_label
from diffing.outputs.blocks import ShownBlock
from diffing.outputs.phrasing import statement
from diffing.report.index import index_of
from diffing.types import Side, Verdict
from diffing.view.result import result_html
from diffing.view.result.entry_filter import SORTS, EntryFilter, choose, filter_for, sliced
from diffing.view.result.evidence_pages import PER_PAGE, EvidenceFilter, evidence_of
from diffing.view.result.raw_tables import TableQuery, table_of
from diffing.view.result.report_cache import OpenedReport
from tests.outputs.samples import lines_report, medium_report, merged_report, scoped_report


@pytest.fixture(scope="module")
def opened() -> OpenedReport:
    return OpenedReport(merged_report())


def test_without_a_filter_the_merged_list_is_shown_in_its_order(opened: OpenedReport) -> None:
    chosen = choose(opened, EntryFilter())
    assert chosen.entries == index_of(opened.report).differences == index_of(opened.report).entries[:5]
    assert (chosen.total, chosen.of, chosen.pages) == (5, 5, 1)


def test_a_method_keeps_entries_that_it_found_too(opened: OpenedReport) -> None:
    chosen = choose(opened, EntryFilter(method="llm"))
    assert chosen.entries[0].lead.hypothesis.method == "lexical"
    assert {m.finding.hypothesis.method for m in chosen.entries[0].members} == {"llm"}
    alone = [entry for entry in chosen.entries if not entry.members]
    assert alone
    assert all(entry.lead.hypothesis.method == "llm" for entry in alone)


@pytest.mark.parametrize("side", ["a", "b"])
def test_direction_block_and_category_are_the_leads(opened: OpenedReport, side: Side) -> None:
    blocks: tuple[tuple[ShownBlock, bool], ...] = (("differences", True), ("unconfirmed", False))
    for block, confirmed in blocks:
        shown = choose(opened, EntryFilter(direction=side, block=block)).entries
        assert [entry.number for entry in shown] == [
            entry.number
            for entry in index_of(opened.report).entries
            if entry.lead.hypothesis.direction == side and entry.lead.confirmed == confirmed
        ]
    reasoning = choose(opened, EntryFilter(category="reasoning", block="unconfirmed")).entries
    assert [entry.lead.hypothesis.category for entry in reasoning] == ["reasoning"]


def test_words_are_looked_for_in_what_is_said_with_the_models_names(opened: OpenedReport) -> None:
    assert choose(opened, EntryFilter(words="EXCLAMATION marks")).total == 1
    first = opened.index.entries[0]
    said = statement(first.members[0].finding, opened.index.names)
    assert choose(opened, EntryFilter(words=said)).entries == (first,), "a member says it, the entry is shown"
    assert choose(opened, EntryFilter(words="tern-1b-chat exclamation")).total == 1
    assert choose(opened, EntryFilter(words="<MODEL>")).total == 0


def test_a_kind_of_prompt_keeps_what_was_decided_there_and_gives_its_numbers(opened: OpenedReport) -> None:
    coding = next(kind for kind in opened.page.map.kinds if kind.name == "coding")
    chosen = choose(opened, EntryFilter(where=coding))
    assert 0 < chosen.total <= 10
    lead = chosen.entries[0].lead
    heldout = {p.prompt.id for p in opened.report.pairs if (p.prompt.split, p.prompt.domain) == ("heldout", "coding")}
    own = [j for j in opened.report.judgements if j.hypothesis_id == lead.hypothesis.id and j.prompt_id in heldout]
    measured = chosen.slices[lead.hypothesis.id]
    assert measured == sliced(opened, lead, coding)
    assert measured.n == len(own)
    assert measured.k_for == sum(j.verdict.side == lead.hypothesis.direction for j in own)


def test_a_scope_keeps_what_is_concentrated_there() -> None:
    opened = OpenedReport(lines_report())
    scopes = [place for place in opened.page.places if isinstance(place, str)]
    assert "domains with “advice” and short" in scopes or len(scopes) > 1
    for label in scopes:
        shown = choose(opened, EntryFilter(where=label))
        assert shown.entries
        assert {place_label(entry.lead) or NO_ONE_PLACE for entry in shown.entries} == {label}
        assert shown.slices == {}


@pytest.mark.parametrize("sort", SORTS)
def test_sorting_puts_the_largest_first_and_the_undefined_last(opened: OpenedReport, sort: str) -> None:
    shown = [entry.lead for entry in choose(opened, EntryFilter(sort=sort)).entries]
    values = {
        "": [0.0] * len(shown),
        "net": [each.heldout.net_difference.value for each in shown],
        "q": [-(each.heldout.q or 0) for each in shown],
        "interest": [each.rating.interestingness.value if each.rating else None for each in shown],
    }[sort]
    defined = [value for value in values if value is not None]
    assert defined == sorted(defined, reverse=True)
    assert values[: len(defined)] == defined


def test_many_findings_come_in_pages_and_each_is_on_the_page_that_is_said() -> None:
    report = medium_report(train=10, heldout=10)
    copies = [
        replace(finding, hypothesis=replace(finding.hypothesis, id=f"{finding.hypothesis.id}-{copy}"))
        for copy in range(5)
        for finding in report.findings
    ]
    confirmed = sum(copy.confirmed for copy in copies)
    many = OpenedReport(replace(report, findings=tuple(replace(copy, confirmed=True) for copy in copies)))
    pages = [choose(many, EntryFilter(page=page)) for page in range(2)]
    assert [len(page.entries) for page in pages] == [40, 20]
    assert [page.pages for page in pages] == [2, 2]
    for number, page in enumerate(pages):
        assert {filter_for(many, entry.number) for entry in page.entries} == {EntryFilter(page=number)}
    assert choose(many, EntryFilter(page=99)).page == 1
    assert confirmed < len(copies)
    some = OpenedReport(replace(report, findings=tuple(copies)))
    blocks = [filter_for(some, entry.number).block for entry in some.index.entries]
    assert (blocks.count("differences"), blocks.count("unconfirmed")) == (confirmed, len(copies) - confirmed)


def test_evidence_is_in_groups_with_held_out_pairs_first_and_in_pages(opened: OpenedReport) -> None:
    finding = next(f for f in opened.report.findings if "praise" in f.hypothesis.text)
    first = evidence_of(opened, finding.hypothesis.id, EvidenceFilter())
    both = (finding.train, finding.heldout)
    assert first.counts == {
        "for": sum(m.k_for for m in both),
        "against": sum(m.k_against for m in both),
        "same": 0,
        "not_shown": 0,
        "neither": sum(m.k_neither for m in both),
        "outside": 0,
        "unreadable": sum(m.unreadable for m in both),
    }
    assert first.filters.group == "for"
    quoted = {e.prompt_id for e in finding.hypothesis.evidence}
    seen = [
        one.pair.prompt.id
        for page in range(first.pages)
        for one in evidence_of(opened, finding.hypothesis.id, EvidenceFilter("for", page=page)).pairs
    ]
    assert len(seen) == len(set(seen)) == first.counts["for"]
    ranks = [(opened.index.pairs[each].prompt.split == "train", each not in quoted) for each in seen]
    assert ranks == sorted(ranks), "held-out before train, and quoted ones first in each"
    train = evidence_of(opened, finding.hypothesis.id, EvidenceFilter(split="train")).pairs
    assert any(piece == ("Great question!", True) for one in train for piece in one.excerpts[1].pieces)
    assert evidence_of(opened, finding.hypothesis.id, EvidenceFilter("for", page=10**6)).filters.page == first.pages - 1


def test_pairs_of_a_scoped_finding_are_grouped_by_why_neither_fits_better() -> None:
    opened = OpenedReport(scoped_report())
    finding = next(f for f in opened.report.findings if f.hypothesis.scope and f.hypothesis.direction == "a")
    verdicts = opened.index.verdicts_on(finding.hypothesis.id)
    first = evidence_of(opened, finding.hypothesis.id, EvidenceFilter())
    assert first.groups == ("for", "against", "same", "not_shown", "outside", "unreadable")
    assert first.counts["same"] == sum(each.verdict is Verdict.SAME for each in verdicts) > 0
    assert first.counts["outside"] == sum(not each.in_scope for each in verdicts) > 0
    assert first.counts["not_shown"] == sum(each.verdict is Verdict.NOT_SHOWN and each.in_scope for each in verdicts)
    assert sum(first.counts.values()) == len(verdicts)
    labels = {"same": "Both alike", "not_shown": "Not shown by either", "outside": "Outside its scope"}
    for group, label in labels.items():
        html = result_html.evidence(opened, opened.index.numbers[finding.hypothesis.id], EvidenceFilter(group))
        shown = evidence_of(opened, finding.hypothesis.id, EvidenceFilter(group)).pairs
        assert html.count(f'<p class="verdict">{label}<') == 1 <= len(shown), "one pair at a time"
    outside = result_html.evidence(opened, opened.index.numbers[finding.hypothesis.id], EvidenceFilter("outside"))
    assert "as the judge decided from the prompt alone" in outside
    assert 'data-group="neither"' not in outside


def test_the_table_of_verdicts_says_which_are_in_scope() -> None:
    page = table_of(OpenedReport(scoped_report(20, 20)), TableQuery("judgements"))
    place = page.columns.index("in scope")
    assert {row[place] for row in page.rows} == {"yes", "no"}


def test_evidence_is_filtered_by_split_kind_and_words(opened: OpenedReport) -> None:
    hypothesis = opened.report.findings[0].hypothesis.id
    coding = next(kind for kind in opened.page.map.kinds if kind.name == "coding")
    wanted = EvidenceFilter(group="for", split="heldout", kind=coding, words="sql JOIN")
    found = evidence_of(opened, hypothesis, wanted)
    expected = [
        j
        for j in opened.index.verdicts_on(hypothesis)
        if (prompt := opened.index.pairs[j.prompt_id].prompt).split == "heldout"
        and prompt.domain == "coding"
        and "SQL join" in prompt.text
        and j.verdict is Verdict.B
    ]
    assert found.total == len(expected) > 0
    assert len(found.pairs) == min(PER_PAGE, len(expected))
    assert evidence_of(opened, hypothesis, EvidenceFilter(words="nothing of the kind")).pairs == ()
