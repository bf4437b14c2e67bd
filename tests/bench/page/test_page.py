"""The results page: made from stored results alone, safe with hostile text, in light and dark and on phones."""

import csv
import io
import re
import shutil
from dataclasses import replace

import pytest

from diffing.bench.page import render_csv, render_html, render_markdown, write_page
from diffing.bench.page.cells import cell, number
from diffing.bench.page.figures import figure_of
from diffing.bench.page.glance import at_a_glance
from diffing.bench.page.markdown import escape
from diffing.bench.results import (
    RESULTS,
    Column,
    Figure,
    Result,
    estimate_cells,
    load_result,
    load_results,
    save_result,
)
from diffing.errors import SettingError
from diffing.metrics import UNDEFINED, wilson
from diffing.types import Estimate
from tests.outputs.samples import HOSTILE
from tests.regenerate import golden

PLANTED = Result(
    kind="planted",
    title="Recall by strength",
    command="diffing bench planted",
    about="What was planted.\n\nHow to read it.",
    settings={"prompts": 60},
    columns=(Column("method", "Method"), Column("strength", "Strength", "%"), Column("recall", "Recall", "%")),
    figures=(Figure("Recall", "recall", "strength", by="method", bound=0.95),),
    rows=tuple(
        {"method": method, "strength": strength, **estimate_cells("recall", wilson(k, 60))}
        for method, strength, k in (("llm", 1.0, 60), ("llm", 0.03, 6), ("lexical", 1.0, 50), ("lexical", 0.03, 30))
    ),
)
NULL = Result(
    kind="null",
    title="Nulls",
    command="diffing bench null model",
    about="All is false.",
    columns=(Column("model", "Model"), Column("confirmed", "Confirmed", "%"), Column("net", "Net", "points")),
    figures=(Figure("False alarms", "confirmed", "model", bound=0.05),),
    rows=(
        {
            "model": "base",
            **estimate_cells("confirmed", Estimate(0.012, 0.003, 0.05, 250)),
            **estimate_cells("net", Estimate(-0.5, -0.6, -0.4, 9)),
        },
        {"model": "tuned", **estimate_cells("confirmed", UNDEFINED), **estimate_cells("net", UNDEFINED)},
    ),
)
RESULTS_SHOWN = (("planted-x", PLANTED), ("null-x", NULL))


def hostile(text: str) -> Result:
    return Result(
        kind="compare", title=text or "-", command=text or "-", about=text, settings={"x": text},
        columns=(Column("text", text or "-"), Column("share", "Share", "%")),
        figures=(Figure(text or "-", "share", "text", by="text"),),
        rows=({"text": text, **estimate_cells("share", wilson(1, 2))},),
    )  # fmt: skip


def test_the_committed_page_is_what_the_command_makes_of_the_committed_results():
    made = render_markdown(load_results(RESULTS))
    assert golden(RESULTS / "RESULTS.md", made) == made


def test_markdown_says_every_number_and_word_of_the_results():
    page = render_markdown(RESULTS_SHOWN)
    assert page.index("## Planted differences") < page.index("### Recall by strength") < page.index("## Nulls")
    assert "What was planted.\n\nHow to read it.\n\n| Method | Strength | Recall |\n| --- | ---: | ---: |" in page
    assert "| llm | 3.0\u00a0% | 10\u00a0% \\[4.7, 20\\], n 60 |" in page
    assert "| base | 1.2\u00a0% \\[0.3, 5.0\\], n 250 | −50 \\[−60, −40\\], n 9 |\n| tuned | – | – |" in page
    assert "```bash\ndiffing bench planted\n```\n\nSettings: prompts 60." in page


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "%", "0\u00a0%"), (1.0, "%", "100\u00a0%"), (0.0004, "%", "<1\u00a0%"), (0.0504, "%", "5.0\u00a0%"),
        (0.953, "%", "95.3\u00a0%"), (0.9997, "%", ">99\u00a0%"), (0.5, "points", "+50"), (None, "%", "–"),
        (1234, "", "1,234"), (0.12345, "", "0.123"), (12345.6, "", "12,346"), (True, "", "yes"), ("a\x07b", "", "a�b"),
    ],
)  # fmt: skip
def test_numbers_in_words(value, unit, text):
    assert cell({"x": value}, Column("x", "X", unit)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_markup_in_markdown(text):
    shown = escape(text)
    assert "\n" not in shown
    assert re.search(r"(?<!\\)[<>|\[\]`*_$]", shown) is None
    page = render_markdown([("x", hostile(text.replace("\ud800", "")))])
    assert len([line for line in page.splitlines() if line.startswith("|")]) == 3
    assert page.count("```") == 2


@pytest.mark.parametrize(
    ("text", "kept"), [("=1+1", "'=1+1"), ("-x", "'-x"), (" @x", "' @x"), ("a=1", "a=1"), ("\tx", "'\tx")]
)
def test_a_spreadsheet_runs_nothing(text, kept):
    sheet = list(
        csv.reader(io.StringIO(render_csv(replace(NULL, rows=({"model": text, "net": -0.5},), columns=(), figures=()))))
    )
    assert sheet == [["model", "net"], [kept, "-0.5"]]


def test_a_line_picture_and_a_row_picture_hold_the_rows():
    lines = figure_of(PLANTED, PLANTED.figures[0])
    llm, lexical = lines.data
    assert (llm.name, list(llm.x), list(llm.y)) == ("llm", [0.03, 1.0], [10.0, 100.0])
    assert list(lexical.error_y.array) == [
        pytest.approx(wilson(30, 60).high * 100 - 50, abs=1e-3),
        pytest.approx(wilson(50, 60).high * 100 - 83.3333, abs=1e-3),
    ]
    assert (lines.layout.xaxis.type, lines.layout.shapes[0].y0) == ("log", 95.0)
    (rows,) = figure_of(NULL, NULL.figures[0]).data
    assert list(rows.x) == [1.2]  # what is undefined is not drawn
    narrow = figure_of(NULL, NULL.figures[0], narrow=True)
    assert [note.text for note in narrow.layout.annotations] == ["5 %", "base"]


def test_at_a_glance_says_the_stored_numbers_and_nothing_of_what_is_not_there():
    results = load_results(RESULTS)
    told = {fact.result: [each.told for each in at_a_glance(results) if each.result == fact.result]
            for fact in at_a_glance(results)}  # fmt: skip
    stored = dict(results)
    full, thrift, accepted = told["statistics-nulls"]
    for key, line in (("false_full", full), ("false_thrift", thrift), ("accepted", accepted)):
        rows = stored["statistics-nulls"].rows
        worst = max(rows, key=lambda row, key=key: row[key])
        assert cell(worst, Column(key, key, "%")) in line
        assert number(sum(row[key] for row in rows) / len(rows), "%") in line
    typical = stored["statistics-thrift"].rows[0]
    assert all(cell(typical, Column(key, key, "%")) in told["statistics-thrift"][0] for key in ("kept", "saved"))
    tiny = [row for row in stored["planted-tiny"].rows if row["method"] == "lexical" and row["recall"] is not None]
    for row in tiny:  # what is only found without a trigger does not stand alone
        assert (cell(row, Column("recall", "", "%")) in told["planted-tiny"][0]) or row["trigger"] in (
            "domain",
            "phrase",
        )
    assert told["planted-tiny"][0].count(" of the prompts") == len({row["strength"] for row in tiny}) * 2
    (nothing,) = told["null-recorded"]
    assert nothing.startswith("0\u00a0% [0, 5.1] of 70 runs confirm anything")
    page = render_markdown(results)
    assert page.index("## At a glance") < page.index("## Statistics")
    assert [line for line in page.splitlines() if escape(nothing) in line]
    assert at_a_glance(RESULTS_SHOWN) == ()
    assert "At a glance" not in render_markdown(RESULTS_SHOWN)


def test_glance_counts_shapes_that_are_surely_above_the_limit():
    result = dict(load_results(RESULTS))["statistics-nulls"]
    wrong = {**result.rows[0], **estimate_cells("false_full", wilson(200, 2000))}
    (line, *_) = at_a_glance([("statistics-nulls", replace(result, rows=(*result.rows[1:], wrong)))])
    assert "10\u00a0% [8.8, 11] in the worst; 1 of them above 5\u00a0% by" in line.told


def test_what_has_no_series_is_not_drawn():
    rows = (*PLANTED.rows, {**PLANTED.rows[0], "method": None})
    drawn = figure_of(replace(PLANTED, rows=rows), PLANTED.figures[0])
    assert [(one.name, len(one.x)) for one in drawn.data] == [("llm", 2), ("lexical", 2)]


def test_the_stored_recall_is_one_line_per_method_and_trigger():
    stored = dict(load_results(RESULTS))["planted-tiny"]
    drawn = figure_of(stored, stored.figures[0]).data
    assert {one.mode for one in drawn} == {"lines+markers"}
    assert {one.name for one in drawn} >= {"lexical, always", "sae, always", "lexical, domain"}


def test_a_line_joins_one_estimate_per_place_only():
    mixed = replace(PLANTED, rows=(*PLANTED.rows, {**PLANTED.rows[0], **estimate_cells("recall", wilson(1, 60))}))
    modes = {one.name: one.mode for one in figure_of(mixed, PLANTED.figures[0]).data}
    assert modes == {"llm": "markers", "lexical": "lines+markers"}


def test_a_band_is_shaded_and_the_axis_begins_near_it(tmp_path):
    banded = replace(NULL, figures=(Figure("Coverage", "confirmed", "model", band=(0.01, 0.02)),))
    assert load_result(save_result(banded, tmp_path / "x.json")) == banded
    drawn = figure_of(banded, banded.figures[0])
    (shape,) = drawn.layout.shapes
    assert (shape.x0, shape.x1, drawn.layout.xaxis.rangemode) == (1.0, 2.0, "normal")


def test_series_are_named_by_their_column_and_no_text_is_lost_with_many_series():
    rows = tuple(
        {"shape": f"shape {at}", "often": often, **estimate_cells("share", wilson(at, 60))}
        for at in range(30)
        for often in (0.02, 0.1)
    )
    columns = (Column("often", "Decided", "%"), Column("share", "Share", "%"))
    drawn = figure_of(replace(NULL, rows=rows, columns=columns), Figure("x", "share", "shape", by="often"))
    assert [(one.name, len(one.x)) for one in drawn.data] == [("2.0 %", 30), ("10 %", 30)]


def test_pages_are_written_again_with_the_same_bytes(tmp_path):
    for name, result in RESULTS_SHOWN:
        save_result(result, tmp_path / f"{name}.json")
    paths = write_page(tmp_path, tmp_path / "out")
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_page(tmp_path, tmp_path / "out")] == before
    with pytest.raises(SettingError, match=r"Cannot write .*RESULTS"):
        write_page(tmp_path, tmp_path / "out" / "RESULTS.md")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_the_page_draws_fits_and_runs_nothing_from_outside(browser, tmp_path):
    from plotly.offline import get_plotlyjs

    texts = [text.replace("\ud800", "") for text in HOSTILE]
    together = hostile(" ".join(texts))
    rows = tuple({**together.rows[0], "text": text} for text in texts)
    shown = [*RESULTS_SHOWN, ("hostile", replace(together, rows=rows))]
    path = tmp_path / "results.html"
    path.write_text(render_html(shown, get_plotlyjs()), encoding="utf-8")
    wrong: list[str] = []
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    page.wait_for_selector("[data-figure='planted-x-0'] .scatterlayer path.point")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("window.hit === undefined && window.parent.hit === undefined")
    points = page.locator("[data-figure='planted-x-0'] .scatterlayer path.point")
    assert points.count() == 4
    assert page.locator("h1").count() == 1
    assert page.locator("#theme").text_content() == "Light"
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.close()
    assert wrong == []
