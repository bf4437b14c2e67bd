"""Every string of the hostile corpus in every output: shown as the text it is, and nothing around it changes."""

import csv
import io
import json
import logging
import re
import shutil
import unicodedata
import zipfile
from collections import Counter
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.dom import minidom

import pyarrow.parquet
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from diffing.cli import main
from diffing.cli.terminal_text import PlainFormatter, plain, plain_json
from diffing.hub import metadata_of
from diffing.outputs.blocks import lines_by_block
from diffing.outputs.card.edit import edit
from diffing.outputs.card.markers import body_of
from diffing.outputs.card.section import section
from diffing.outputs.dataset import dataset_files
from diffing.outputs.dataset.dataset_card import dataset_card
from diffing.outputs.downloads import FORMATS
from diffing.outputs.files.csv_table import safe_text
from diffing.outputs.files.markdown_report import LONGEST, PROMPT
from diffing.outputs.formats import safe_name
from diffing.outputs.html import render, visible
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import line_statement, one_line, statement
from diffing.report import load_report, report_summary, save_report
from diffing.report.index import index_of
from diffing.report.parquet import savable
from diffing.types import ModelInfo, Report
from diffing.visible_text import several_lines
from tests.hostile import CORE, CORPUS, HUGE, corpus_report, report_full_of
from tests.outputs.samples import MODEL_A, MODEL_B, empty_report, lines_report
from tests.outputs.test_browser import opened

LINKED = re.compile(r"https?:|www\.\w|@\w|(?<!\w)[#!]\d|\w\.[^\W\d]\w")
"""What some renderers turn into links wherever it stands in text."""
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
FORMULA = re.compile(r"[\s\"]*[-=+@＝＋－＠]")


def attacked() -> Report:
    """What all outputs are given."""
    return corpus_report(huge=True)


@cache
def harmless() -> Report:
    """Such a report of words, some of them long: what our templates make."""
    return report_full_of(tuple(f"word {number} " + "w" * (number % 10 * 100) for number in range(40)))


def test_the_corpus_is_large_and_the_report_confirms_and_leaves_untested() -> None:
    assert len(set(CORPUS.values())) == len(CORPUS) >= 60
    assert CORPUS.keys() >= CORE.keys()
    assert min(len(text) for text in HUGE.values()) >= 100_000
    findings = attacked().findings
    assert {finding.confirmed for finding in findings} == {True, False}
    assert any(finding.heldout.p is None for finding in findings)
    assert {pair.prompt.text for pair in attacked().pairs} == {*CORPUS.values(), *HUGE.values()}


# --- HTML


class Seen(HTMLParser):
    """Elements with the names of their attributes, what is not an element, and the texts of notes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[tuple[str, str]] = Counter()
        self.strange: list[str] = []
        self.links: set[str] = set()
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._in_script = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.update([(tag)])
        self.elements.update((tag, name) for name, _ in attrs)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}
        self._in_script = tag in ("script", "style")
        self.scripts += [""] if self._in_script else []

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.strange.append(data)

    handle_pi = unknown_decl = handle_comment


@pytest.fixture(scope="module")
def page() -> str:
    return render(attacked())


@pytest.fixture(scope="module")
def seen(page: str) -> Seen:
    return Seen(page)


def test_the_page_has_no_element_and_no_attribute_but_ours(seen: Seen) -> None:
    ours, complete = Seen(render(harmless())), Seen(render(lines_report()))
    assert seen.elements.keys() <= ours.elements.keys() | complete.elements.keys()
    assert seen.strange == []
    assert all(re.fullmatch(r"#[a-z0-9-]+", link) for link in seen.links)
    code = [script for script in seen.scripts if not script.lstrip().startswith(("{", "["))]
    assert code == [script for script in ours.scripts if not script.lstrip().startswith(("{", "["))]
    assert len(seen.scripts) == len(ours.scripts)


def test_the_page_shows_every_text_as_text(seen: Seen) -> None:
    shown = "\n".join(seen.text)
    assert [name for name, text in CORPUS.items() if visible(text).strip() not in shown] == []


# --- Markdown


@cache
def tokens_of(text: str) -> list[Token]:
    """What a permissive renderer makes of it: tables, HTML, strikethrough."""
    tokens = PARSER.parse(text)
    return [each for token in tokens for each in (token, *(token.children or []))]


@pytest.fixture(scope="module")
def markdown() -> str:
    return FORMATS["md"].content(attacked()).decode()


def test_the_text_is_made_of_our_parts_alone(markdown: str) -> None:
    tokens, ours = tokens_of(markdown), tokens_of(FORMATS["md"].content(harmless()).decode())
    kinds, our_kinds = Counter(t.type for t in tokens), Counter(t.type for t in ours)
    assert kinds.keys() <= our_kinds.keys()
    assert not kinds.keys() & {"html_block", "html_inline", "link_open", "image", "s_open", "blockquote_open"}
    # each part of the list is a table with a heading; the harmless report has fewer parts
    parts = _parts(attacked())
    columns = next(line for line in markdown.splitlines() if line.startswith("| | | difference")).count("|") - 1
    more = parts - _parts(harmless())
    assert (kinds["table_open"], kinds["th_open"]) == (
        our_kinds["table_open"] + more, our_kinds["th_open"] + more * columns,
    )  # fmt: skip
    assert _odd_rows(markdown) == []
    headings = Counter(t.tag for t in tokens if t.type == "heading_open")
    assert (headings["h1"], headings["h2"]) == (1, 3 + parts)
    texts = (token.content for token in tokens if token.type == "text")
    assert [each for each in texts if LINKED.search(each)] == []
    assert not [t.content for t in tokens if t.type == "inline" and re.match(r"\[[ xX]\]", t.content)]


def _parts(report: Report) -> int:
    return sum(bool(lines) for lines in lines_by_block(index_of(report)).values())


def _odd_rows(text: str) -> list[str]:
    """Rows with another number of bars than their table's first: by the sign before a bar, and by pairs of signs.

    Renderers drop what is too much of a row, so their tokens do not tell; and they differ in what escapes a bar.
    """
    odd, lines, counts = [], text.split("\n"), set[int]()
    for token in PARSER.parse(text):
        if token.type == "table_open":
            counts = set()
        elif token.type == "tr_open" and token.map:
            row = lines[token.map[0]]
            counts |= {len(re.findall(r"(?<!\\)\|", row)), re.sub(r"\\.", "", row).count("|")}
            odd += [row] if len(counts) > 1 else []
    return odd


def test_the_fences_of_the_text_hold_what_was_said(markdown: str) -> None:
    said = {several_lines(text) for pair in attacked().pairs for text in (pair.a.text, pair.b.text)}
    asked = {several_lines(pair.prompt.text) for pair in attacked().pairs}
    fences = [token.content.removesuffix("\n") for token in tokens_of(markdown) if token.type == "fence"]
    assert len(fences) > 100
    for fence in fences:
        assert any(fence == whole or fence.removesuffix("…") in whole for whole in said | asked)
        assert len(fence) <= max(LONGEST, PROMPT)


def test_the_text_tells_every_finding_in_a_row_of_its_table(markdown: str) -> None:
    report, names = attacked(), index_of(attacked()).names
    inline = {"".join(child.content for child in t.children or []) for t in tokens_of(markdown) if t.type == "inline"}
    said = [one_line(line_statement(entry, names), 600) for entry in index_of(report).entries]
    assert [each for each in said if each not in inline] == []


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS)
def test_it_is_prose_where_prose_is_wanted(text: str) -> None:
    shown = prose(text, 200)
    tokens = PARSER.parse(f"x **{shown}.** y")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    kinds = {"text", "text_special", "code_inline", "strong_open", "strong_close"}
    assert {child.type for child in children} <= kinds
    assert not any(LINKED.search(child.content) for child in children if child.type == "text")
    line = "".join(child.content for child in children if "strong" not in child.type).strip()
    assert line == f"x {one_line(text, 200)}. y".strip()


# --- tables


@pytest.fixture(scope="module")
def sheet() -> str:
    return FORMATS["csv"].content(attacked()).decode("utf-8-sig")


def test_no_cell_is_a_formula_whatever_separates_cells(sheet: str) -> None:
    for separator in (",", ";", "\t"):
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            for row in csv.reader(io.StringIO(sheet, newline=""), delimiter=separator, quoting=quoting):
                if separator != ";" and quoting == csv.QUOTE_NONE:
                    continue  # a comma within quotation marks; every program that takes commas knows these
                assert [cell for cell in row if FORMULA.match(cell) and not _is_number(cell)] == []
    assert sheet.count("\r\n") == sheet.count("\n") == len(attacked().findings) + 1
    assert not [sign for sign in sheet if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") and sign not in "\r\n"]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_both_tables_give_the_texts_back(sheet: str) -> None:
    report = attacked()
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    names = index_of(report).names
    assert [row["text"] for row in rows] == [safe_text(f.hypothesis.text) for f in report.findings]
    assert [row["statement"] for row in rows] == [safe_text(savable(statement(f, names))) for f in report.findings]
    table = pyarrow.parquet.read_table(io.BytesIO(FORMATS["parquet"].content(report)))
    assert table["text"].to_pylist() == [savable(finding.hypothesis.text) for finding in report.findings]
    assert table["method"].to_pylist() == [savable(finding.hypothesis.method) for finding in report.findings]
    assert {len(row) for row in rows} == {table.num_columns}


def test_the_zip_gives_the_report_back(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(FORMATS["zip"].content(attacked()))) as zipped:
        assert all(re.fullmatch(r"[\w.-]+/[a-zA-Z_]+\.(txt|html|json|parquet)", name) for name in zipped.namelist())
        zipped.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    save_report(attacked(), tmp_path / "saved")
    assert load_report(folder) == load_report(tmp_path / "saved")


def test_a_file_named_after_any_model_is_one_that_every_system_takes() -> None:
    for name, text in CORPUS.items():
        called = safe_name(replace(empty_report(), model_a=ModelInfo(text, "model_a")))
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,48}-vs-tern-1b-chat", called), name
        assert called.split(".")[0].lower() not in ("con", "prn", "aux", "nul"), name
        assert ".." not in called, name


# --- cards


def test_a_models_card_gets_one_section_and_keeps_its_own_text() -> None:
    report = replace(attacked(), model_a=ModelInfo(MODEL_A, "model_a"), merged=())
    card = b"---\nlicense: mit # as it was\n---\n# Tern\n\n<!-- theirs -->\n"
    confirmed = [finding for finding in report.findings if finding.confirmed]
    for start in range(0, len(confirmed), 7):
        told = tuple(confirmed[start : start + 7])
        text = section(replace(report, findings=told), of=MODEL_A.split("@")[0], dataset=None)
        assert [marker.kind for marker in body_of(text).markers] == ["begin", "end"]
        whole = edit(card, text)
        assert whole.startswith(card)
        assert edit(whole, text) == whole
        tokens = tokens_of(text)
        html = [t.content for t in tokens if t.type in ("html_block", "html_inline")]
        assert all(re.match(r"<(!-- model-diff:|/?details|/?summary)", each) for each in html)
        links = [str(t.attrGet("href")) for t in tokens if t.type == "link_open"]
        assert all(link.startswith("https://huggingface.co/acme-lab/") for link in links)


def test_cards_name_any_model_as_text() -> None:
    for name, text in CORPUS.items():
        report = replace(empty_report(), model_a=ModelInfo(text, "model_a"), pairs=())
        told = section(report, of=MODEL_B.split("@")[0], dataset=None)
        assert [marker.kind for marker in body_of(told).markers] == ["begin", "end"], name
        assert not [t for t in tokens_of(told) if t.type in ("html_inline", "image")], name
        card = dataset_card(report, "user/name", (), None)
        expected = f"Behavioural differences: {index_of(report).names.a} and tern-1b-chat"
        assert metadata_of(card)["pretty_name"] == expected, name
        body = card.decode().split("\n---\n", 1)[1]
        assert not [t for t in tokens_of(body) if t.type in ("html_inline", "image")], name


def test_the_datasets_card_has_our_metadata_and_no_html() -> None:
    files = dataset_files(attacked(), "user/name")
    front, _, body = files["README.md"].decode()[4:].partition("\n---\n")
    metadata = yaml.safe_load(front)
    ours = yaml.safe_load(dataset_files(harmless(), "user/name")["README.md"].decode()[4:].partition("\n---\n")[0])
    assert metadata.keys() - ours.keys() <= {"language"}
    assert metadata["tags"][0] == "model-diff"
    assert metadata["license"] == "other"
    assert _odd_rows(body) == []
    tokens = tokens_of(body)
    assert [t.content for t in tokens if t.type == "html_inline"] == []
    assert [t.content[:24] for t in tokens if t.type == "html_block"] == ["<!-- Written by diffing,"]
    assert [t.attrGet("src") for t in tokens if t.type == "image"] == ["chart.svg"]
    picture = minidom.parseString(files["chart.svg"])
    assert not any(picture.getElementsByTagName(tag) for tag in ("script", "image", "foreignObject", "a", "style"))


# --- terminal


def test_a_terminal_is_told_nothing_that_it_obeys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = save_report(attacked(), tmp_path / "run")
    for arguments in (["show", str(folder), "--all"], ["show", str(folder), "--json"]):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        out = capsys.readouterr().out
        assert not [s for s in out if unicodedata.category(s) in ("Cc", "Cs", "Zl", "Zp") and s not in "\n\t"]
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", out)
        assert len(out) > 10_000
        if "--json" not in arguments:
            numbered = {int(number) for number in re.findall(r"^ *(\d+)  ?\S", out, re.MULTILINE)}
            assert numbered >= {entry.number for entry in index_of(attacked()).entries}
            assert sum(line.startswith("Note:") for line in out.splitlines()) == len(attacked().notes)
    assert json.loads(out) == report_summary(load_report(folder))


def test_what_a_terminal_would_obey_is_replaced_and_json_reads_back() -> None:
    shown = plain("\n".join(CORPUS.values()))
    assert not [s for s in shown if unicodedata.category(s) in ("Cc", "Cs") and s not in "\n\t"]
    record = logging.LogRecord("diffing", logging.WARNING, "", 0, "the server said %s", ("\x1b[2J\x9b",), None)
    assert PlainFormatter("%(message)s").format(record) == "the server said \ufffd[2J\ufffd"
    told = plain_json(CORPUS)
    assert json.loads(told) == CORPUS
    assert all(sign.isprintable() or sign == "\n" for sign in told)


# --- a browser


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_nothing_of_the_corpus_runs_in_a_browser(page: str, browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    shown, wrong = opened(browser, path, 390)
    shown.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    shown.wait_for_timeout(200)
    assert shown.evaluate("window.hit") is None
    assert wrong == []
    assert shown.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert shown.locator("iframe, object, embed, base, img, main script, main style").count() == 0
    shown.close()
