"""The page's HTML: golden, bounded, escaped, the same every time. What a browser makes of it is in test_browser.py."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.estimates import Estimate, Metrics
from diffing.outputs.examples import excerpt
from diffing.outputs.html import render, write_html
from diffing.outputs.html.judge_checks import checks_of
from diffing.report import load_report
from diffing.types import Pair, Response
from tests.outputs.samples import SAMPLES, empty_report, lines_report, medium_report, merged_report
from tests.regenerate import golden

GOLDEN = Path(__file__).parents[1] / "golden"
HUB = "https://huggingface.co/acme-lab/tern-1b-"
VOID = {"meta", "br", "input", "path", "circle", "link"}


class Balance(HTMLParser):
    """Every element that opens closes, and which scripts there are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.ids += [value or "" for name, value in attrs if name == "id"]
        assert not any(name.startswith("on") or name in ("src", "srcdoc") for name, _ in attrs)
        assert all((value or "").startswith(("#", HUB)) for name, value in attrs if name == "href")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["small", "empty"])
def test_the_page_is_the_golden_one(name: str) -> None:
    report = merged_report(train=20, heldout=40) if name == "small" else empty_report()
    report = replace(report, findings=report.findings[:4], merged=report.merged[:2])
    page = render(report)
    assert page == golden(GOLDEN / f"{name}.html", page)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_markup_is_ours_alone(name: str) -> None:
    parser = Balance()
    parser.feed(render(SAMPLES[name]()))
    assert parser.open == []
    assert parser.scripts == 1
    assert len(parser.ids) == len(set(parser.ids))


def test_the_file_is_small_and_the_same_every_time(tmp_path: Path) -> None:
    one = write_html(medium_report(), tmp_path / "one.html").read_bytes()
    assert one == write_html(medium_report(), tmp_path / "two.html").read_bytes()
    assert len(one) < 400_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_the_page_of_the_demo_is_below_two_megabytes() -> None:
    with as_file(files("diffing.view.examples").joinpath("planted")) as folder:
        assert len(render(load_report(folder)).encode()) < 2_000_000


def test_a_thousand_prompts_and_sixty_findings_stay_small(tmp_path: Path) -> None:
    report = medium_report(train=60, heldout=60)
    long = tuple(
        Pair(pair.prompt, *(replace(r, text=f"{r.text} <&> " + "words go on " * 2000) for r in (pair.a, pair.b)))
        for pair in report.pairs
    )
    page = write_html(replace(report, pairs=long, findings=report.findings * 5), tmp_path / "page.html")
    assert page.stat().st_size < 7_000_000


def test_a_path_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"Cannot write .*page\.html: No such file or directory\. Give a file"):
        write_html(empty_report(), tmp_path / "absent" / "page.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingError, match=r"Cannot write .*folder: Is a directory"):
        write_html(empty_report(), tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_undefined_metrics_are_dashes_not_zeros() -> None:
    report = medium_report(train=20, heldout=40)
    none = replace(
        report, judgements=(), findings=tuple(replace(f, heldout=untested(f.heldout)) for f in report.findings)
    )
    page = render(none)
    assert page.count('<td class="n">–</td>') >= 12, "accuracy, frequency, p and q of every finding"
    assert "not tested on held-out prompts, futile after the train prompts" in page
    assert page.count("Not tested: too weak on the first prompts to be worth testing.") >= 12
    assert "Could be chance" not in page
    assert re.search(r"<dt>hypotheses tested</dt><dd>0</dd>", page)
    assert "tern-1b-chat: not known." in page
    assert '<span class="v" aria-hidden="true">0' not in page, "no rate of 0 for what was not tested"


def untested(metrics: Metrics) -> Metrics:
    undefined = replace(metrics.accuracy, value=None, low=None, high=None, n=0)
    return replace(
        metrics,
        n=0,
        k_for=0,
        k_against=0,
        frequency=undefined,
        accuracy=undefined,
        net_difference=undefined,
        p=None,
        q=None,
    )


@pytest.mark.parametrize(
    ("text", "quotes", "longest", "pieces", "cut", "missing"),
    [
        ("one two three", ["two"], 99, (("one ", False), ("two", True), (" three", False)), (0, 0), ()),
        ("one  TWO\nthree", ["two three"], 99, (("one  ", False), ("TWO\nthree", True)), (0, 0), ()),
        ("abcdef", ["bcd", "cde"], 99, (("a", False), ("bcde", True), ("f", False)), (0, 0), ()),
        ("abc", ["", "  ", "x"], 99, (("abc", False),), (0, 0), ("x",)),
        ("", ["x"], 99, (), (0, 0), ("x",)),
        ("a" * 10, [], 4, (("aaaa", False),), (0, 6), ()),
        ("." * 500 + "X" + "." * 500, ["X"], 90, (("." * 45, False), ("X", True), ("." * 44, False)), (455, 456), ()),
        ("." * 90 + "XY", ["XY"], 50, (("." * 48, False), ("XY", True)), (42, 0), ()),
        ("Xab" + "." * 9, ["X", "zz (("], 3, (("X", True), ("ab", False)), (0, 9), ("zz ((",)),
    ],
)  # fmt: skip
def test_quotes_are_found_and_long_responses_cut_around_them(text, quotes, longest, pieces, cut, missing) -> None:
    got = excerpt(Response("p", "m", text, "stop"), quotes, longest)
    assert (got.pieces, (got.before, got.after), got.missing) == (pieces, cut, missing)


def test_the_scale_of_a_check_and_not_its_name_decides_how_its_value_is_written() -> None:
    row = {"check": "beyond chance", "judge": "j", "value": 0.5, "low": 0.4, "high": 0.6, "n": 9, "meaning": "A check."}
    rows = ({**row, "scale": "share"}, {**row, "scale": "kappa", "check": "?"}, {**row, "scale": "x"}, row)
    shown = [check.value for check in checks_of(replace(empty_report(), tables={"judge_checks": rows}))]
    assert shown == ["50% (40% to 60%)", "0.50 (0.40 to 0.60)", "50% (40% to 60%)", "50% (40% to 60%)"]


def test_a_checklist_of_strangers_is_bounded_and_text() -> None:
    report = medium_report()
    known = report.findings[0].hypothesis.id
    evil = "<img src=x onerror=alert(1)>" * 100
    rows = ({"planted": evil, "finding": known, "reason": ""}, {"planted": "p", "finding": "none", "reason": evil})
    rows += tuple({"planted": None, "finding": None, "reason": None} for _ in range(1_000))
    page = render(replace(report, tables={**report.tables, "planted_checklist": rows}))
    shown = page.partition('<details class="fold" id="planted">')[2].partition("</details>")[0]
    assert "<img" not in shown
    assert shown.count("<tr>") == 1 + 100
    assert shown.count('<a href="#f1">') == 1
    assert shown.count("onerror") <= 2 * 11, "300 characters each"


def test_a_share_of_all_that_was_measured_is_not_shown_as_a_number() -> None:
    """Beside a difference that was not found, 100% would say too much."""
    report = lines_report()
    assert report.coverage is not None
    whole = replace(report.coverage, explained=Estimate(1.02, 0.97, 1.1, 246))
    cards = [
        render(each).partition('<section class="card coverage"')[2].partition("</section>")[0]
        for each in (report, replace(report, coverage=whole))
    ]
    assert ["meter" in card for card in cards] == [True, False]
    assert ["What shows in very few answers" in card for card in cards] == [False, True]
