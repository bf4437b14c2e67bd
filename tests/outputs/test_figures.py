"""Pictures show the report's numbers, on the right side, with text as text, as markup and as pixels."""

import re
import struct
import xml.etree.ElementTree as ET

import pytest

from diffing.outputs.figures import badge, png_of, preview, rates_file
from diffing.outputs.figures.svg import PALETTE, lines_of
from diffing.outputs.headline import findings_in_card
from diffing.outputs.rate_bars import bars
from diffing.report.index import index_of
from tests.outputs.samples import SAMPLES, empty_report, hostile_report, lines_report, medium_report, quiet_report

NAMES = index_of(lines_report()).names


@pytest.mark.parametrize("name", SAMPLES)
def test_files_are_whole_the_same_every_time_and_ask_for_nothing(name: str) -> None:
    report = SAMPLES[name]()
    for make in (rates_file, badge, preview):
        made = make(report)
        assert made == make(report)
        if made is None:
            assert not findings_in_card(report)
            continue
        root = ET.fromstring(made)
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
            "svg", "title", "desc", "rect", "line", "circle", "path", "text", "g",
        }  # fmt: skip
        assert b"var(" not in made
        assert b"class=" not in made
        assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]


def test_a_card_picture_gives_both_models_rates_of_at_most_four_differences() -> None:
    drawn = rates_file(lines_report()) or b""
    texts = texts_of(drawn)
    shown = [bar for finding in findings_in_card(lines_report()) for bar in bars(finding, NAMES)]
    assert len(shown) == 8
    assert [text for text in texts if text in {bar.value for bar in shown}] == [bar.value for bar in shown]
    assert drawn.count(b"<rect") == 1 + sum(1 + bool(bar.width) for bar in shown)
    pairs = [text for text in texts_of(rates_file(medium_report()) or b"") if text.startswith("more in")]
    assert len(pairs) == 8, "of seven confirmed ones"
    assert rates_file(quiet_report()) is None


def test_a_badge_says_how_many_differences_there_are_and_names_both_models() -> None:
    report = lines_report()
    total = len(index_of(report).differences)
    made = badge(report).decode()
    assert texts_of(badge(report)) == ["diffing", f"{total} differences"]
    assert f"<title>diffing: {total} differences</title>" in made
    assert index_of(report).names.a in made.partition("<desc>")[2]
    assert texts_of(badge(quiet_report())) == ["diffing", "no difference found"]
    assert texts_of(badge(empty_report())) == ["diffing", "nothing tested"]


def test_hostile_text_stays_text_and_within_its_lines() -> None:
    report = hostile_report()
    for made in (rates_file(report), badge(report), preview(report)):
        assert b"<script" not in (made or b"")
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
    assert " ".join(quiet[3:5]).startswith("No difference between tern-1b-base and tern-1b-chat held up")


def test_a_preview_becomes_pixels_with_letters_and_without_fonts_of_the_system() -> None:
    report = medium_report()
    made = png_of(preview(report))
    assert made[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", made[16:24]) == (1200, 630)
    without = re.sub(rb"<text.*?</text>", b"", preview(report))
    assert len(png_of(without)) < len(made) / 2  # letters are drawn
    assert made == png_of(preview(report))
    assert PALETTE["paper"] in preview(report).decode()
