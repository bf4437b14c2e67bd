"""The merged list as it is shown: every finding once, numbered, with what else found it."""

from dataclasses import replace

from diffing.outputs.line_words import member_in_words
from diffing.outputs.phrasing import line_statement, statement
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import LatentMeasure
from tests.outputs.samples import empty_report, lines_report, medium_report, merged_report


def test_leads_are_numbered_first_and_every_finding_once() -> None:
    report = merged_report()
    entries = index_of(report).entries
    assert [entry.number for entry in entries] == list(range(1, 11))
    assert [entry.lead.hypothesis.id for entry in entries] == [entry.lead for entry in report.merged]
    assert [[member.number for member in entry.members] for entry in entries] == [[11], [12], *[[]] * 8]
    assert sorted(index_of(report).numbers.values()) == list(range(1, 13))
    assert set(index_of(report).numbers) == {finding.hypothesis.id for finding in report.findings}


def test_a_member_says_why_it_belongs_to_its_line() -> None:
    first, second, *_ = index_of(merged_report()).entries
    names = ModelNames("A", "B")
    assert member_in_words(first.members[0], names) == (
        f"{statement(first.members[0].finding, names)} (says the same: it shows in the same pairs, agreement 94%)"
    )
    assert (first.members[0].known_by, second.members[0].known_by) == ("verdicts", "judge")
    unsure = replace(first.members[0], finding=replace(first.members[0].finding, confirmed=False))
    assert member_in_words(unsure, names).endswith("agreement 94%; not confirmed by itself)")


def test_the_other_models_side_of_a_line_stands_in_its_statement() -> None:
    index = index_of(lines_report())
    first = index.differences[0]
    longer = next(entry for entry in index.differences if "longer" in entry.lead.hypothesis.text)
    assert line_statement(first, index.names) == (
        "tern-1b-chat refuses to answer more often than tern-1b-base; "
        "tern-1b-base continues the user's text instead of answering it instead"
    )
    assert line_statement(longer, index.names) == "tern-1b-chat writes longer responses (in words) than tern-1b-base"
    (mirrored,) = first.members
    unsure = replace(first, members=(replace(mirrored, finding=replace(mirrored.finding, confirmed=False)),))
    assert unsure.opposite is None
    bare, in_words = (
        replace(mirrored.finding, hypothesis=replace(mirrored.finding.hypothesis, measure=LatentMeasure((3,), words)))
        for words in (False, True)
    )
    shown = [replace(first, members=(replace(mirrored, finding=each),)).opposite for each in (bare, in_words)]
    assert [each is not None for each in shown] == [False, True], "nobody knows what a bare feature stands for"


def test_confirmed_lines_are_counted_by_their_block_and_numbered_in_order() -> None:
    index = index_of(lines_report())
    assert [entry.number for entry in index.differences] == list(range(1, 8))
    assert [(entry.number, entry.block) for entry in (*index.wording, *index.bare_features)] == [
        (8, "wording"), (9, "features"),
    ]  # fmt: skip
    assert all(entry.lead.confirmed for entry in (*index.differences, *index.wording, *index.bare_features))
    assert {index.lines[member.finding.hypothesis.id] for entry in index.entries for member in entry.members} == {
        (entry, member.known_by) for entry in index.entries for member in entry.members
    }


def test_without_merging_every_finding_is_an_entry() -> None:
    report = medium_report()
    assert [entry.lead for entry in index_of(report).entries] == list(report.findings)
    assert index_of(empty_report()).entries == ()
