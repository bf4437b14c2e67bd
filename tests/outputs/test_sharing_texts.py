"""What is shown of a result elsewhere: in a frame, and as Markdown that somebody pastes."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from diffing.outputs.files.markdown_summary import markdown_summary
from diffing.outputs.headline import statements
from diffing.outputs.html.embedded_page import ROWS, embed, embed_title
from diffing.outputs.html.page import page_of
from diffing.report.index import index_of
from diffing.types import Report
from tests.hostile import handlers_in
from tests.outputs.samples import SAMPLES, hostile_report, lines_report, medium_report, quiet_report

AT = "https://a.example/?run=x"


def embedded(report: Report, finding: str = "") -> str:
    return embed(report, page_of(report, brief=True), "?run=x", finding)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)).replace("\u00a0", " ")


def test_a_frame_shows_the_statements_and_the_first_rows() -> None:
    report = lines_report()
    page = embedded(report)
    total = len(index_of(report).differences)
    assert page.count('<div class="say">') == len(statements(report))
    assert page.count('<li class="line g">') == min(total, ROWS)
    assert f"{total} confirmed differences, with examples" in plain(page)
    assert 'href="?run=x" target="_blank" rel="noopener"' in page
    assert page == embedded(report)
    assert embed_title(report).endswith(f": {total} confirmed differences")


def test_a_frame_of_one_finding_shows_it_alone_and_an_unknown_one_everything() -> None:
    report = lines_report()
    second = index_of(report).differences[1].lead.hypothesis.id
    alone = embedded(report, second)
    assert (alone.count('<div class="say">'), alone.count('<li class="line g">')) == (1, 1)
    assert embedded(report, "<script>") == embedded(report)


def test_a_frame_says_that_nothing_was_confirmed() -> None:
    page = embedded(quiet_report())
    assert "No difference between" in plain(page)
    assert "<li" not in page
    assert "What was tested" in page


@pytest.mark.parametrize("name", SAMPLES)
def test_a_frame_runs_and_asks_for_nothing_and_is_small(name: str) -> None:
    page = embedded(SAMPLES[name]())
    assert not re.search(r"<(script|img|iframe|link|object|form)\b|url\(|@import", page)
    assert handlers_in(page) == []
    assert re.findall(r'href="([^"]*)"', page) == ["?run=x"]
    assert len(page) < 120_000


def test_markdown_says_the_statements_and_both_rates() -> None:
    report = lines_report()
    text = markdown_summary(report, AT)
    total = len(index_of(report).differences)
    assert text.splitlines()[0].endswith(f"180 prompts kept aside for checking: {total} confirmed differences.")
    assert text.count(" Where: ") == text.count("ery sure") == len(statements(report))
    assert len([line for line in text.splitlines() if line.startswith("- ")]) == len(statements(report))
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == 2 + min(total, 12)
    assert text.endswith(f"[The whole result, with examples]({AT})\n")
    assert "| " not in markdown_summary(quiet_report(), AT)


def test_hostile_texts_in_markdown_become_no_markup() -> None:
    report = hostile_report()
    confirmed = tuple(replace(finding, confirmed=True) for finding in report.findings)
    for start in range(0, len(confirmed), 12):
        some = replace(report, findings=confirmed[start : start + 12], merged=())
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown_summary(some, AT))
        every = [child for token in tokens for child in (token, *(token.children or []))]
        assert not [each for each in every if each.type in ("html_inline", "html_block", "image")]
        assert [each.attrGet("href") for each in every if each.type == "link_open"] == [AT]
        assert len({each.type for each in every} & {"table_open", "bullet_list_open"}) == 2
        assert max(len(line) for line in markdown_summary(some, AT).splitlines()) < 4_000
    assert markdown_summary(medium_report(), AT) == markdown_summary(medium_report(), AT)
