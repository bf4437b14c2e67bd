"""Pictures show the report's numbers, on the right side, with text as text, as markup and as pixels."""

import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from diffing.outputs.figures import forest_file, png_of, preview
from diffing.outputs.figures.svg import PALETTE, lines_of
from tests.outputs.samples import SAMPLES, empty_report, hostile_report, lines_report, medium_report, quiet_report

ROW = re.compile(
    r'<line stroke-width="[\d.]+" fill="none" stroke="#[0-9a-f]+" x1="(?P<low>[\d.]+)%" y1="(?P<y>[\d.]+)" '
    r'x2="(?P<high>[\d.]+)%" y2="[\d.]+"/>(?:<svg x="(?P<of_b>[\d.]+)%"|<(?P<shape>circle) [^>]*cx="(?P<of_a>[\d.]+)%")'
)


def test_every_finding_is_drawn_once_on_the_side_that_does_it_more() -> None:
    report = medium_report()
    rows = list(ROW.finditer((forest_file(report) or b"").decode()))
    reach = 100 * max(
        abs(end) for f in report.findings for end in (f.heldout.net_difference.low, f.heldout.net_difference.high)
    )
    reach = min(int(reach // 10 + 1) * 10, 100)
    assert len(rows) == len(report.findings)
    assert sorted(float(row["y"]) for row in rows) == [float(row["y"]) for row in rows]
    for row, finding in zip(rows, report.findings, strict=True):
        net, direction = finding.heldout.net_difference, finding.hypothesis.direction
        sign = -1 if direction == "a" else 1
        low, high = sorted((100 * sign * net.low, 100 * sign * net.high))
        shown = [
            2 * reach * (float(place) - 44) / (96 - 44) - reach
            for place in (row["low"], row["of_a"] or row["of_b"], row["high"])
        ]
        assert all(abs(got - want) < 0.05 for got, want in zip(shown, (low, 100 * sign * net.value, high), strict=True))
        assert (row["shape"] == "circle") == (direction == "a")


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
    assert len(ROW.findall((forest_file(many) or b"").decode())) == 15
    assert forest_file(empty_report()) is None


def test_hostile_text_stays_text_and_within_its_lines() -> None:
    report = hostile_report()
    assert b"<script" not in (forest_file(report) or b"")
    assert b"<script" not in preview(report)
    assert lines_of("one two three four", 9) == ["one two", "three fo…"]
    assert lines_of("\u8a9e" * 40, 20) == ["\u8a9e" * 10, "\u8a9e" * 9 + "\u2026"]
    assert lines_of("\x00\n", 20) == [""]
    assert lines_of("one", 20) == ["one"]


def texts_of(picture: bytes) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.decode())


def test_a_preview_says_the_first_difference_where_it_is_and_both_models_rates() -> None:
    texts = texts_of(preview(lines_report()))
    assert texts[:3] == ["diffing", "tern-1b-base", "tern-1b-chat"]
    assert texts[3:5] == [
        "When asked about something safety-sensitive,", "tern-1b-chat refuses to answer more often",
    ]  # fmt: skip
    assert [text for text in texts if " of 16" in text] == ["0 of 16", "12 of 16"]
    assert texts[-1].replace("\N{NO-BREAK SPACE}", " ") == "7 confirmed differences, tested on 180 held-out prompts"
    sizes = [int(size) for size in re.findall(r'font-size="(\d+)"', preview(lines_report()).decode())]
    assert min(sizes) >= 26, "readable at a third of the size"
    quiet = texts_of(preview(quiet_report()))
    assert " ".join(quiet[3:5]).startswith("No difference between tern-1b-base and tern-1b-chat was confirmed")


def test_a_preview_becomes_pixels_with_letters_and_without_fonts_of_the_system() -> None:
    report = medium_report()
    made = png_of(preview(report))
    assert made[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", made[16:24]) == (1200, 630)
    without = re.sub(rb"<text.*?</text>", b"", preview(report))
    assert len(png_of(without)) < len(made) / 2  # letters are drawn
    assert made == png_of(preview(report))
    assert PALETTE["paper"] in preview(report).decode()
