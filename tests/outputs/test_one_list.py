"""Every output of one report gives the same differences, in the same order, with the same numbers."""

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html import unescape

import pytest
from rich.cells import cell_len
from rich.console import Console

from diffing.cli.terminal_tables import findings_list
from diffing.outputs.behaviour_words import (
    NO_NARROWER_PLACE,
    levels_in_words,
    metrics_shown,
    place_label,
    where,
)
from diffing.outputs.card.section import findings_in_card, section
from diffing.outputs.claims import claim_in_words, expectation, headline_leads
from diffing.outputs.coverage_words import coverage_of_report
from diffing.outputs.dataset import dataset_files
from diffing.outputs.downloads import FORMATS
from diffing.outputs.figures import preview
from diffing.outputs.html import render
from diffing.outputs.line_words import overall, place
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import interval, line_statement, points, statement
from diffing.outputs.rate_bars import bars
from diffing.report import report_summary
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.view.api.read_endpoints import lines_as_json
from diffing.view.result.evidence_pages import EvidenceFilter
from diffing.view.result.report_cache import OpenedReport
from diffing.view.result.result_html import evidence, findings, overview
from tests.outputs.samples import MODEL_B, hostile_report, lines_report, quiet_report

REPORT = lines_report()
INDEX = index_of(REPORT)
LETTERS = ModelNames("A", "B")
COUNT = 7


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@cache
def terminal(width: int, *, everything: bool = False) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(findings_list(REPORT, width, everything=everything))
    return plain(captured.get())


@cache
def markdown() -> str:
    return plain(FORMATS["md"].content(REPORT).decode())


@cache
def card() -> str:
    return plain(dataset_files(REPORT, "user/name")["README.md"].decode())


def in_order(text: str, parts: Sequence[str]) -> bool:
    """Whether the parts stand in the text one after the other."""
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def cells(names: ModelNames, *, escape: bool) -> list[str]:
    """What each difference is told by: its statement, where it is, both models' levels and the net difference."""
    told = []
    for entry in INDEX.differences:
        found = (place if escape else where)(entry.lead, names)
        parts = [line_statement(entry, names), found, overall(entry.lead, names)]
        told += [plain(prose(part) if escape else part) for part in parts if part]
    return told


def test_the_sample_has_what_must_be_told() -> None:
    assert len(INDEX.differences) == COUNT
    assert sum(where(entry.lead, LETTERS) is not None for entry in INDEX.differences) == 4
    assert all(overall(entry.lead, LETTERS) for entry in INDEX.differences)
    assert (len(INDEX.wording), len(INDEX.bare_features)) == (1, 1)


@pytest.mark.parametrize("text", [markdown, card], ids=["markdown", "dataset card"])
def test_documents_tell_the_list(text: object) -> None:
    assert callable(text)
    told = text()
    assert f"{COUNT} confirmed differences" in told
    assert in_order(told, cells(INDEX.names, escape=True))
    rows = re.findall(r"^\| (\d+) \|.*$", told, re.MULTILINE)
    assert [int(number) for number in rows[:COUNT]] == list(range(1, COUNT + 1))
    for entry in INDEX.differences:
        net = metrics_shown(entry.lead).net_difference
        (row,) = re.findall(rf"^\| {entry.number} \|.*$", told, re.MULTILINE)
        assert f" | {points(net.value)} | {interval(net)} | " in row
    assert "1 word or phrase" in told
    assert "1 internal feature without words" in told
    assert plain(prose(coverage_of_report(REPORT, INDEX.names))) in told  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_tells_the_list_at_any_width(width: int) -> None:
    shown = terminal(width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert f"{COUNT} confirmed differences\n" in shown.replace(" \n", "\n")
    # the net differences stand beside the first line of each text, so that they are taken away before lines are joined
    nets = re.findall(r" ([+−]\S+ \[\S+, \S+\])", shown)
    assert nets == [
        f"{points(net.value)} [{points(net.low)}, {points(net.high)}]"
        for net in (metrics_shown(entry.lead).net_difference for entry in INDEX.differences)
    ]
    joined = " ".join(re.sub(r" [+−]\S+ \[\S+, \S+\].*", "", shown).split())
    assert in_order(joined, cells(LETTERS, escape=False))
    assert "and 1 word or phrase (listed by diffing show --all)" in joined
    assert "and 1 internal feature without words (listed by diffing show --all)" in joined
    assert "Not confirmed: 4 ideas" in joined
    assert "happy to help" not in joined
    assert "shows its steps" not in joined
    assert plain(coverage_of_report(REPORT, INDEX.names)) in joined  # type: ignore[arg-type]


def test_all_of_the_terminal_adds_what_is_folded_and_what_is_not_confirmed() -> None:
    joined = " ".join(terminal(120, everything=True).split())
    assert in_order(joined, ["7 confirmed differences", "and 1 word or phrase", "8 B uses the phrase “happy to help”",
                             "and 1 internal feature without words", "9 B activates SAE feature 17 more",
                             "Not confirmed: 4 ideas", "A shows its steps"])  # fmt: skip
    assert "--all" not in joined


def test_tables_tell_the_list() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].content(REPORT).decode("utf-8-sig"), newline="")))
    leads = [row for row in rows if (row["leads"], row["confirmed"], row["block"]) == ("TRUE", "TRUE", "behaviours")]
    leads.sort(key=lambda row: int(row["line"]))
    assert [row["id"] for row in leads] == [entry.lead.hypothesis.id for entry in INDEX.differences]
    assert [int(row["line"]) for row in leads] == list(range(1, COUNT + 1))
    for row, entry in zip(leads, INDEX.differences, strict=True):
        finding = entry.lead
        assert plain(row["where"]) == plain(where(finding, INDEX.names) or "")
        levels = {(each.place, each.side): each for each in finding.levels}
        assert row["level_kind"] == levels["all", "a"].kind
        for part, side in (("all", "a"), ("all", "b"), ("inside", "a"), ("inside", "b")):
            name = f"level_{side}" if part == "all" else f"level_{side}_inside"
            cell = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
            value = levels[part, side].value if (part, side) in levels else None  # type: ignore[index]
            assert cell == ([repr(value.value), repr(value.low), repr(value.high)] if value else [""] * 3)
        if finding.concentration:
            inside = finding.concentration.inside.net_difference
            assert float(row["concentration_inside_net_difference"]) == inside.value
    members = {row["id"]: (int(row["line"]), row["known_by"]) for row in rows if row["leads"] == "FALSE"}
    assert members == {
        member.finding.hypothesis.id: (entry.number, member.known_by)
        for entry in INDEX.entries
        for member in entry.members
    }


def test_the_dataset_has_the_list_as_rows() -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(io.BytesIO(dataset_files(REPORT, "user/name")["findings/findings.parquet"])).to_pylist()
    told = [
        (row["line"], row["id"], row["statement"], plain(row["where"] or ""), row["heldout_net_difference"])
        for row in sorted(rows, key=lambda row: row["line"])
        if row["leads"] and row["confirmed"] and row["block"] == "behaviours"
    ]
    assert told == [
        (entry.number, entry.lead.hypothesis.id, statement(entry.lead, INDEX.names),
         plain(where(entry.lead, INDEX.names) or ""), entry.lead.heldout.net_difference.value)
        for entry in INDEX.differences
    ]  # fmt: skip
    assert {row["id"]: (row["line"], row["known_by"]) for row in rows if not row["leads"]} == {
        member.finding.hypothesis.id: (entry.number, member.known_by)
        for entry in INDEX.entries
        for member in entry.members
    }


def test_the_dataset_has_the_levels_as_a_configuration() -> None:
    import pyarrow.parquet as pq

    files = dataset_files(REPORT, "user/name")
    rows = pq.read_table(io.BytesIO(files["levels/heldout.parquet"])).to_pylist()
    expected = [
        (finding.hypothesis.id, level.place, level.side, level.kind, level.value.value, level.value.n)
        for finding in REPORT.findings
        for level in finding.levels
    ]
    told = [tuple(row[name] for name in ("hypothesis_id", "place", "side", "kind", "value", "n")) for row in rows]
    assert told == expected
    assert all(row["statement"] for row in rows)
    assert "levels/train.parquet" not in files
    assert 'levels = load_dataset("user/name", "levels")  # heldout' in card()


def test_json_tells_the_list() -> None:
    summary = json.loads(json.dumps(report_summary(REPORT), allow_nan=False))
    ids = [entry.lead.hypothesis.id for entry in INDEX.differences]
    assert summary["confirmed"]["behaviours"] == ids
    lines = [line for line in summary["merged"] if line["block"] == "behaviours"]
    assert [line["lead"] for line in lines[:COUNT]] == ids
    assert summary["coverage"]["everything"]["value"] == REPORT.coverage.everything.value  # type: ignore[union-attr]
    findings = {each["id"]: each for each in summary["findings"]}
    for entry in INDEX.differences:
        told, finding = findings[entry.lead.hypothesis.id], entry.lead
        assert told["heldout"]["net_difference"]["value"] == finding.heldout.net_difference.value
        assert [level["value"] for level in told["levels"]] == [level.value.value for level in finding.levels]
        if finding.concentration:
            assert told["concentration"]["inside"]["k_for"] == finding.concentration.inside.k_for
            assert told["concentration"]["scope"] == finding.concentration.scope.words
        else:
            assert told["concentration"] is None


def test_the_api_tells_the_list() -> None:
    told = lines_as_json(REPORT, INDEX.differences)
    for line, entry in zip(told, INDEX.differences, strict=True):
        assert line["number"] == entry.number
        assert line["statement"] == line_statement(entry, INDEX.names)
        assert line["where"] == where(entry.lead, INDEX.names)
        assert line["both_models"] == overall(entry.lead, INDEX.names)
        assert line["heldout"]["net_difference"]["value"] == entry.lead.heldout.net_difference.value
        assert [each["number"] for each in line["members"]] == [each.number for each in entry.members]


def test_nothing_is_claimed_where_nothing_is_confirmed() -> None:
    report = quiet_report()
    console = Console(width=80, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(findings_list(report, 80))
    shown = plain(captured.get())
    assert "confirmed difference" not in shown
    assert "Not confirmed: 4 ideas" in shown
    text = plain(FORMATS["md"].content(report).decode())
    assert "## Not confirmed: 4 ideas" in text
    assert "**confirmed**" not in text
    dataset = plain(dataset_files(report, "user/name")["README.md"].decode())
    assert "No difference was confirmed. All 4 findings that came up are in the configuration `findings`." in dataset
    assert report_summary(report)["confirmed"] == {"behaviours": [], "wording": [], "features": []}
    assert lines_as_json(report, index_of(report).differences) == []


def test_that_no_narrower_place_was_found_is_said_where_places_were_sought() -> None:
    longer = next(entry.lead for entry in INDEX.differences if "longer" in entry.lead.hypothesis.text)
    assert place(longer, LETTERS) == "no narrower place was found"
    assert place(replace(longer, confirmed=False), LETTERS) is None
    assert place(replace(longer, levels=()), LETTERS) is None  # as in reports of earlier versions
    for text in (markdown(), card()):
        assert text.count("| no narrower place was found |") == sum(
            place(entry.lead, LETTERS) == "no narrower place was found"
            for entry in (INDEX.differences if text is card() else (e for e in INDEX.entries if e.lead.confirmed))
        )


def test_a_place_is_where_and_never_why() -> None:
    for text in (terminal(120, everything=True), markdown(), card()):
        assert "because of" not in text
        assert "everywhere" not in text


def in_text(html: str) -> str:
    """The text of markup, on one line."""
    without = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(plain(unescape(re.sub(r"<[^>]*>", "", without))).split())


@pytest.mark.parametrize("markup", ["file", "view"])
def test_the_page_tells_the_list(markup: str) -> None:
    opened = OpenedReport(REPORT)
    html = render(REPORT) if markup == "file" else overview(opened, "k") + findings(opened, "k")
    text = in_text(html)
    assert text.count(f"{COUNT} confirmed differences") == 2  # in the answer, and above the list
    for finding in headline_leads(REPORT):
        assert f"{claim_in_words(finding, INDEX.names)}." in text
        assert f"{expectation(finding, INDEX.names)}." in text
    numbers = [int(number) for number in re.findall(r'<li class="line" id="f(\d+)"', html)]
    assert numbers[:COUNT] == [entry.number for entry in INDEX.differences]
    for entry in INDEX.differences:
        row = html.partition(f'id="f{entry.number}"')[2].partition("</summary>")[0]
        a, b = bars(entry.lead, INDEX.names)
        net = metrics_shown(entry.lead).net_difference
        told = in_text(f"<li {row}")
        assert in_order(told, [a.spoken, a.value, b.spoken, b.value, points(net.value).removeprefix("+"),
                               interval(net).replace("+", "")])  # fmt: skip
        assert (place_label(entry.lead) or "") in told
    assert "and 1 word or phrase" in text
    assert "and 1 internal feature without words" in text
    assert plain(coverage_of_report(REPORT, INDEX.names)) in text  # type: ignore[arg-type]


def test_an_open_row_tells_where_and_the_levels() -> None:
    opened, html = OpenedReport(REPORT), render(REPORT)
    for entry in INDEX.differences:
        row = html.partition(f'id="f{entry.number}"')[2].partition('<li class="line"')[0]
        fetched = evidence(opened, entry.number, EvidenceFilter())
        for text in (in_text(f"<li {row}"), in_text(fetched)):
            assert (plain(where(entry.lead, INDEX.names) or "")) in text
            assert (plain(levels_in_words(entry.lead, INDEX.names) or "")) in text
            assert (NO_NARROWER_PLACE in text) is (where(entry.lead, INDEX.names) is None)


def test_the_model_card_and_the_link_preview_tell_the_first_of_the_list() -> None:
    told = section(REPORT, of=MODEL_B.partition("@")[0], dataset=None)
    shown = findings_in_card(REPORT)
    names = ModelNames(INDEX.names.a, "this model")
    claims = [prose(claim_in_words(finding, names, 240), 240) for finding in shown]
    assert in_order(told.replace("**This", "**this"), claims)
    assert f"{COUNT} differences are confirmed; {len(shown)} of them are listed." in told
    assert [finding for finding in shown if finding in headline_leads(REPORT)] == sorted(
        headline_leads(REPORT), key=lambda finding: INDEX.numbers[finding.hypothesis.id]
    )
    picture = plain(preview(REPORT).decode())
    assert f"{COUNT} confirmed differences" in picture
    values = [bar.value for finding in headline_leads(REPORT) for bar in bars(finding, INDEX.names)]
    assert in_order(picture, values)


@pytest.mark.parametrize("width", [80, 120])
def test_no_text_from_outside_moves_the_terminal_or_widens_a_line(width: int) -> None:
    report = hostile_report()
    assert any(finding.concentration for finding in report.findings)
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(findings_list(report, width, everything=True))
    shown = captured.get()
    assert {sign for sign in shown if sign < " " or sign == "\x7f"} == {"\n"}
    assert max(map(cell_len, shown.splitlines())) <= width
