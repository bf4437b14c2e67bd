"""Kinds of prompts and what is counted on each, against counts made another way."""

from collections.abc import Mapping
from dataclasses import replace

from diffing.outputs.html.kind_map import MAP_ROWS, kind_map_of
from diffing.outputs.html.page import page_of
from diffing.outputs.prompt_kinds import (
    FEW_VERDICTS,
    MOST_KINDS,
    OTHERS,
    KindCounts,
    counts_by_kind,
    kinds_of,
    places_of,
    shows_in,
)
from diffing.report.index import ReportIndex, index_of
from diffing.types import Message, Pair, Prompt, Report, Response, Verdict
from tests.outputs.samples import empty_report, lines_report


def with_domains(heldout: Mapping[str | None, int]) -> ReportIndex:
    """The index of a report with so many held-out prompts of each domain, and none of its findings."""
    report = empty_report()
    message = (Message("user", "Hello?"),)
    names = [name for name, count in heldout.items() for _ in range(count)]
    prompts = [Prompt(f"p{number}", message, "bundled", "heldout", name) for number, name in enumerate(names)]
    response = Response("p", "m", "Hello!", "stop", 0, None, 1, 1)
    return index_of(replace(report, pairs=tuple(Pair(prompt, response, response) for prompt in prompts)))


def sizes(index: ReportIndex) -> dict[str, int]:
    return {kind.name: kind.heldout for kind in kinds_of(index)}


def test_domains_of_one_kind_are_one_and_the_smallest_are_merged() -> None:
    assert sizes(with_domains({"advice: law": 3, "advice: money": 4, "code: data": 5})) == {"advice": 7, "code": 5}
    many = with_domains({chr(97 + place): 11 + place for place in range(10)} | {None: 2})
    assert sizes(many) == {**{chr(97 + place): 11 + place for place in range(3, 10)}, OTHERS: 11 + 12 + 13 + 2}
    assert len(kinds_of(many)) == MOST_KINDS
    small = with_domains({**{name: 12 for name in "abcdef"}, "g": FEW_VERDICTS - 1, "h": 1})
    assert sizes(small) == {**{name: 12 for name in "abcdef"}, OTHERS: FEW_VERDICTS}
    assert sizes(with_domains({"a": 9})) == sizes(with_domains({None: 9})) == {}, "there is nothing to compare"


def test_kinds_that_the_list_names_are_merged_last() -> None:
    report = lines_report()
    rare = "safety-sensitive"  # "refuses" is concentrated there
    renamed = {pair.prompt.id: f"other {number % 9}" for number, pair in enumerate(report.pairs)}
    pairs = tuple(
        pair
        if pair.prompt.domain == rare
        else replace(pair, prompt=replace(pair.prompt, domain=renamed[pair.prompt.id]))
        for pair in report.pairs
    )
    named = sizes(index_of(replace(report, pairs=pairs)))
    assert rare in named
    assert len(named) == MOST_KINDS
    assert named[rare] < min(count for name, count in named.items() if name != rare)


def counted(report: Report, number: int, domains: frozenset[str | None]) -> KindCounts:
    """By the definition."""
    entry = index_of(report).entries[number - 1]
    prompts = {pair.prompt.id: pair.prompt for pair in report.pairs}
    own = [
        judgement.verdict
        for judgement in report.judgements
        if judgement.hypothesis_id == entry.lead.hypothesis.id
        and prompts[judgement.prompt_id].split == "heldout"
        and prompts[judgement.prompt_id].domain in domains
    ]
    sides = [verdict.side for verdict in own]
    direction = entry.lead.hypothesis.direction
    against = sum(side not in (None, direction) for side in sides)
    return KindCounts(sum(verdict is not Verdict.UNREADABLE for verdict in own), sides.count(direction), against)


def test_the_map_counts_held_out_verdicts_and_gives_no_rate_for_few() -> None:
    report = lines_report()
    index = index_of(report)
    kinds = kinds_of(index)
    shown = kind_map_of(index, kinds)
    assert [row.number for row in shown.rows] == [entry.number for entry in index.differences][:MAP_ROWS]
    for row in shown.rows:
        lead = index.entries[row.number - 1].lead
        for kind, cell in zip(kinds, row.cells, strict=True):
            assert cell.counts == counted(report, row.number, kind.domains)
            assert shows_in(lead, kind, index) == (cell.counts.k_for + cell.counts.k_against > 0)
            net = cell.counts.net
            assert (net is None) == (cell.counts.n < FEW_VERDICTS)
            expected = None if net is None or abs(net) < 0.03 else lead.hypothesis.direction if net > 0 else "other"
            assert (cell.side is None) == (expected is None)
            assert expected in (None, "other", cell.side)
    assert all(cell.counts.net is not None for row in shown.rows for cell in row.cells), "all cells can be counted"
    assert (KindCounts(FEW_VERDICTS - 1, 9, 0).net, KindCounts(FEW_VERDICTS, 9, 1).net) == (None, 0.8)
    assert counts_by_kind(lead, kinds, index) == tuple(cell.counts for cell in shown.rows[-1].cells)
    assert kind_map_of(index_of(replace(report, merged=report.merged[:3])), kinds).rows == (), "the list says it all"


def test_a_line_has_the_places_in_which_it_shows() -> None:
    report = lines_report()
    page, index = page_of(report), index_of(report)
    assert page.places == places_of(index, kinds_of(index))
    for entry in page.entries:
        expected = [shows_in(entry.lead.finding, place, index) for place in page.places]
        assert [at in entry.places for at in range(len(page.places))] == expected
