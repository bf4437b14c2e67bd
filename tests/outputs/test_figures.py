"""Pictures show the report's numbers, on the right side, with text as text, as markup and as pixels."""

import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from diffing.estimates import Estimate
from diffing.outputs.figures import MAX_ROWS, NARROW, WIDE, Layout, forest, forest_file, png_of, preview, whisker
from diffing.outputs.figures.forest import FILE
from diffing.outputs.figures.svg import PALETTE, lines_of
from tests.outputs.samples import SAMPLES, empty_report, hostile_report, medium_report

ROW = re.compile(
    r'<line class="span( hollow-span)? ([ab])" x1="([\d.]+)%" y1="([\d.]+)" x2="([\d.]+)%" y2="[\d.]+"/>'
    r'(?:<circle class="mark( hollow)? a" cx="([\d.]+)%"'
    r'|<svg x="([\d.]+)%" y="[\d.]+" overflow="visible"><path class="mark( hollow)? b")'
)


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_every_finding_is_drawn_once_on_the_side_that_does_it_more(layout: Layout) -> None:
    report = medium_report()
    rows = list(ROW.finditer(forest(report, layout).body))
    reach = 100 * max(
        abs(end) for f in report.findings for end in (f.heldout.net_difference.low, f.heldout.net_difference.high)
    )
    reach = min(int(reach // 10 + 1) * 10, 100)
    assert len(rows) == len(report.findings)
    assert sorted(float(row[4]) for row in rows) == [float(row[4]) for row in rows]
    for row, finding in zip(rows, report.findings, strict=True):
        net, direction = finding.heldout.net_difference, finding.hypothesis.direction
        sign = -1 if direction == "a" else 1
        low, high = sorted((100 * sign * net.low, 100 * sign * net.high))
        shown = [
            2 * reach * (float(place) - layout.left) / (96 - layout.left) - reach
            for place in (row[3], row[7] or row[8], row[5])
        ]
        assert all(abs(got - want) < 0.05 for got, want in zip(shown, (low, 100 * sign * net.value, high), strict=True))
        assert row[2] == direction
        assert (row[7] is not None) == (direction == "a")
        assert bool(row[1]) == bool(row[6] or row[9]) != finding.confirmed


def test_a_row_leads_to_its_finding_and_tells_it_in_words() -> None:
    report = medium_report()
    rows = re.findall(r'<a href="#f(\d+)"><title>(.*?)</title>', forest(report).body, re.DOTALL)
    assert [int(number) for number, _ in rows] == list(range(1, len(report.findings) + 1))
    finding = report.findings[0]
    assert rows[0][1].endswith(f"n = {finding.heldout.n}, confirmed")
    assert "95% interval" in rows[0][1]
    inline = forest(report).inline()
    assert inline.startswith(
        '<svg class="figure forest wide" role="group" aria-label="How tern-1b-base and tern-1b-chat'
    )
    assert "Net differences of 12\N{NO-BREAK SPACE}findings" in inline


@pytest.mark.parametrize("name", SAMPLES)
def test_files_are_whole_the_same_every_time_and_ask_for_nothing(name: str) -> None:
    report = SAMPLES[name]()
    for make in (forest_file, preview):
        made = make(report)
        assert made == make(report)
        if made is None:
            assert name == "empty"
            continue
        root = ET.fromstring(made)
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
            "svg", "title", "desc", "rect", "line", "circle", "path", "text", "g",
        }  # fmt: skip
        assert b"var(" not in made
        assert b"class=" not in made
        assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]


def test_many_findings_are_bounded_and_none_is_no_error() -> None:
    report = medium_report()
    many = replace(report, findings=report.findings * 10)
    assert len(ROW.findall(forest(many).body)) == MAX_ROWS
    assert len(ROW.findall(forest(many, FILE).body)) == 15
    assert ROW.findall(forest(empty_report()).body) == []


def test_hostile_text_stays_text_and_within_its_lines() -> None:
    report = hostile_report()
    assert "<script" not in forest(report).inline()
    assert lines_of("one two three four", 9) == ["one two", "three fo…"]
    assert lines_of("\u8a9e" * 40, 20) == ["\u8a9e" * 10, "\u8a9e" * 9 + "\u2026"]
    assert lines_of("\x00\n", 20) == [""]
    assert lines_of("one", 20) == ["one"]


def test_a_whisker_has_the_form_of_its_side_and_is_nothing_where_nothing_is_known() -> None:
    net = Estimate(0.5, 0.25, 0.75, 40)
    assert 'd="M12.5 6H37.5"/><circle cx="25"' in whisker(net, "a", 1.0)
    assert 'd="M62.5 6H87.5"/><path class="mark" d="M75 2.6' in whisker(net, "b", 1.0)
    assert whisker(Estimate(None, None, None, 0), "b", 1.0) == ""


def test_a_preview_becomes_pixels_with_letters_and_without_fonts_of_the_system() -> None:
    report = medium_report()
    made = png_of(preview(report))
    assert made[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", made[16:24]) == (1200, 630)
    without = re.sub(rb"<text.*?</text>", b"", preview(report))
    assert len(png_of(without)) < len(made) / 2  # letters are drawn
    assert made == png_of(preview(report))
    assert PALETTE["paper"] in preview(report).decode()
