"""The merged list as it is shown: every finding once, numbered, with what else found it."""

from diffing.outputs.phrasing import also_found
from diffing.report.index import index_of
from tests.outputs.samples import empty_report, medium_report, merged_report


def test_leads_are_numbered_first_and_every_finding_once() -> None:
    report = merged_report()
    entries = index_of(report).entries
    assert [entry.number for entry in entries] == list(range(1, 11))
    assert [entry.lead.hypothesis.id for entry in entries] == [entry.lead for entry in report.merged]
    assert [[member.number for member in entry.members] for entry in entries] == [[11], [12], *[[]] * 8]
    assert sorted(index_of(report).numbers.values()) == list(range(1, 13))
    assert set(index_of(report).numbers) == {finding.hypothesis.id for finding in report.findings}


def test_what_else_found_it() -> None:
    first, second, third, *_ = index_of(merged_report()).entries
    plain = also_found(first).replace("\N{NO-BREAK SPACE}", " ")
    assert plain == f"{first.members[0].finding.hypothesis.method} (agreement 94%)"
    assert (first.members[0].known_by, second.members[0].known_by) == (
        "shows in the same pairs",
        "the judge says that both say the same",
    )
    assert also_found(third) == ""


def test_without_merging_every_finding_is_an_entry() -> None:
    report = medium_report()
    assert [entry.lead for entry in index_of(report).entries] == list(report.findings)
    assert index_of(empty_report()).entries == ()
