"""What the page's script may ask, and that nothing in a report becomes markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.report import save_report
from diffing.view.result import result_html
from diffing.view.result.evidence_pages import EvidenceFilter
from diffing.view.result.raw_tables import CELL, PER_PAGE, TableQuery, table_names, table_of
from diffing.view.result.report_cache import OPEN, OpenedReport, ReportCache
from diffing.view.result.result_handlers import CHUNK, answer
from tests.outputs.samples import SAMPLES, hostile_report, medium_report

ALLOWED = {
    "a", "article", "b", "bdi", "br", "button", "caption", "circle", "dd", "details", "div", "dl", "dt", "em", "form",
    "h1", "h2", "h3", "h4", "header", "i", "input", "label", "li", "mark", "nav", "ol", "optgroup", "option", "p",
    "path", "section", "select", "span", "strong", "summary", "svg", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "u", "ul", "code", "g", "line", "rect", "text", "title",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("reports")
    long = medium_report(train=4, heldout=6)
    pair = long.pairs[0]
    text = "x" * 10_000 + "\x00<img src=x onerror=window.hit=1>" + "é" * 990_000
    long = replace(long, pairs=(replace(pair, a=replace(pair.a, text=text)), *long.pairs[1:]))
    for name, report in {"long": long, "medium": medium_report(), "hostile": hostile_report()}.items():
        save_report(report, root / name)
    return root


@pytest.fixture(scope="module")
def cache(folder: Path) -> ReportCache:
    def find(key: str) -> Path:
        if key not in ("long", "medium", "hostile", "gone"):
            raise SettingError("There is no such result: open one from the gallery")
        return folder / key

    return ReportCache(find)


class Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        assert not any(name.startswith("on") or name in ("src", "srcdoc", "formaction") for name, _ in attrs)
        assert all(re.match(r"#|https://", value or "") for name, value in attrs if name == "href")
        if tag not in ("br", "input", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag


@pytest.mark.parametrize("name", SAMPLES)
def test_every_fragment_of_every_report_is_only_our_markup(name: str) -> None:
    opened = OpenedReport(SAMPLES[name]())
    fragments = [
        result_html.overview(opened, "key"),
        result_html.findings(opened, "key"),
    ]
    fragments += [
        result_html.sae_features(opened),
        result_html.how(opened),
        result_html.methods(opened),
    ]
    for number in range(1, len(opened.report.findings) + 1):
        fragments.append(result_html.evidence(opened, number, EvidenceFilter()))
    for fragment in fragments:
        markup = Markup()
        markup.feed(fragment)
        assert markup.open == []
        assert "\x00" not in fragment
        fragment.encode()


def test_findings_without_ratings_are_not_sorted_by_them() -> None:
    offered = {
        name: '<option value="interest">' in result_html.findings(OpenedReport(SAMPLES[name]()), "key")
        for name in SAMPLES
    }
    rated = {name: any(each.rating for each in SAMPLES[name]().findings) for name in SAMPLES}
    assert offered == rated
    assert set(rated.values()) == {True, False}


def test_answers_hold_what_was_asked_for(cache: ReportCache) -> None:
    where = str([kind.name for kind in cache.open("medium").page.map.kinds].index("coding"))
    html = str(answer(cache, {"key": "medium", "about": "findings", "where": where})["html"])
    assert "in <bdi>coding</bdi>" in html
    assert "Could be chance" not in html, "what is not confirmed is folded, and fetched when it is opened"
    html = str(answer(cache, {"key": "medium", "about": "findings", "block": "unconfirmed"})["html"])
    assert html.count('<li class="line"') == sum(not finding.confirmed for finding in medium_report().findings)
    assert "Could be chance" in html
    html = str(answer(cache, {"key": "medium", "about": "evidence", "number": 2, "group": "against"})["html"])
    assert 'data-group="against" data-focus="against" aria-pressed="true"' in html
    assert html.count("<article") == 1 <= cache.open("medium").page.findings[1].counts["against"]
    last = cache.open("medium").page.findings[-1]
    found = answer(cache, {"key": "medium", "about": "findings", "finding": last.finding.hypothesis.id})
    assert found["number"] == last.number
    assert f'id="f{last.number}"' in found["html"]


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (None, "reload the page"),
        ([], "reload the page"),
        ({}, "no such result"),
        ({"key": "../medium", "about": "findings"}, "no such result"),
        ({"key": ["medium"], "about": "findings"}, "no such result"),
        ({"key": "gone", "about": "findings"}, "no result here yet"),
        ({"key": "medium", "about": "findings", "finding": "gone"}, "no such finding in this result any more"),
        ({"key": "medium", "about": "settings"}, "reload the page"),
        ({"key": "medium", "about": "evidence", "number": 13}, "no such finding"),
        ({"key": "medium", "about": "evidence", "number": True}, "no such finding"),
        ({"key": "medium", "about": "text", "place": 10**6, "of": "a"}, "no such pair"),
        ({"key": "medium", "about": "text", "place": 0, "of": "message 7"}, "no such text"),
        ({"key": "medium", "about": "text", "place": 0, "of": "message -1"}, "no such text"),
        ({"key": "medium", "about": "text", "place": 0, "of": "reply ²"}, "no such text"),
    ],
)
def test_what_makes_no_sense_is_answered_in_words(asked: object, problem: str, cache: ReportCache) -> None:
    assert problem in str(answer(cache, asked)["problem"])


def test_strange_values_count_as_not_given(cache: ReportCache) -> None:
    plain = answer(cache, {"key": "medium", "about": "findings"})
    strange = {
        "method": "99",
        "category": "style",
        "direction": "c",
        "block": 1,
        "where": -1,
        "sort": "x",
        "page": "²",
    }
    assert answer(cache, {"key": "medium", "about": "findings", **strange}) == plain


def test_a_long_text_comes_in_parts_that_make_the_whole(cache: ReportCache) -> None:
    opened = cache.open("long")
    whole = opened.report.pairs[0].a.text
    html = result_html.evidence(opened, 1, EvidenceFilter(words="onerror=window"))
    assert len(html) < 60_000, "one page of evidence stays small"
    button = re.search(r'data-place="0" data-of="a" data-at="(\d+)" data-end="(\d+)"', html)
    assert button is not None
    at, end = int(button[1]), int(button[2])
    assert end == len(whole)
    parts = []
    while at < end:
        got = answer(cache, {"key": "long", "about": "text", "place": "0", "of": "a", "at": str(at), "end": str(end)})
        assert len(str(got["text"])) <= CHUNK
        parts.append(str(got["text"]))
        at = end - int(got["left"])
    assert "".join(parts) == whole[int(button[1]) :].replace("\x00", "␀")


def test_only_the_last_few_reports_are_kept_and_a_new_save_is_seen(folder: Path, tmp_path: Path) -> None:
    cache = ReportCache(lambda key: tmp_path / key)
    first = medium_report(train=4, heldout=6)
    for number in range(OPEN + 1):
        save_report(first, tmp_path / str(number))
    opened = cache.open("0")
    assert cache.open("0") is opened
    for number in range(1, OPEN + 1):
        cache.open(str(number))
    assert cache.open("0") is not opened
    again = cache.open("1")
    save_report(replace(first, notes=("new",)), tmp_path / "1")
    assert again.report.notes != ("new",)
    assert cache.open("1").report.notes == ("new",)


def test_raw_tables_are_searched_sorted_and_in_pages() -> None:
    opened = OpenedReport(medium_report())
    assert table_names(opened.report) == ("findings", "pairs", "judgements", "evidence", "lexical_properties")
    whole = table_of(opened, TableQuery("judgements"))
    assert (whole.total, whole.pages, len(whole.rows)) == (12 * 330, 40, PER_PAGE)
    last = table_of(opened, TableQuery("judgements", page=10**6))
    assert (last.page, len(last.rows)) == (39, 12 * 330 - 39 * PER_PAGE)
    found = table_of(opened, TableQuery("judgements", words="p0001 UNREADABLE"))
    judgements = [j for j in opened.report.judgements if j.prompt_id == "p0001" and j.verdict == "UNREADABLE"]
    assert found.total == len(judgements)
    q = table_of(opened, TableQuery("findings")).columns.index("heldout_q")
    qs = [row[q] for row in table_of(opened, TableQuery("findings", sort="heldout_q", descending=True)).rows]
    assert qs == sorted(qs, reverse=True)
    ps = [row[3] for row in table_of(opened, TableQuery("lexical_properties", sort="p")).rows]
    assert ps == [1e-9, None]
    assert table_of(opened, TableQuery("nothing")).rows == ()


def test_raw_cells_are_cut_and_hold_nothing_invisible() -> None:
    opened = OpenedReport(hostile_report())
    for name in table_names(opened.report):
        table = table_of(opened, TableQuery(name))
        for row in table.rows:
            for value in row:
                assert not isinstance(value, str) or (len(value) < CELL + 40 and "\x00" not in value)
                str(value).encode()


def test_a_damaged_result_is_told_without_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(SettingError, match="this result/report") as caught:
        ReportCache(lambda key: tmp_path).open("any")
    assert str(tmp_path) not in str(caught.value)
