"""The page of results: made from stored results alone, safe with hostile text."""

import re
from dataclasses import replace

import pytest

from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, load_results
from diffing.bench.results_page import escape, render_markdown
from diffing.bench.table_cells import cell, number
from diffing.estimates import Estimate
from diffing.metrics import UNDEFINED, wilson
from tests.benchmarks.glance import at_a_glance
from tests.benchmarks.page import RESULTS, render_page
from tests.outputs.samples import HOSTILE
from tests.regenerate import golden

PLANTED = BenchmarkResult(
    kind="planted",
    title="Recall by strength",
    command="diffing bench planted",
    about="What was planted.\n\nHow to read it.",
    settings={"prompts": 60},
    columns=(
        ResultColumn("method", "Method"),
        ResultColumn("strength", "Strength", "%"),
        ResultColumn("recall", "Recall", "%"),
    ),
    rows=tuple(
        {"method": method, "strength": strength, **estimate_cells("recall", wilson(k, 60))}
        for method, strength, k in (("llm", 1.0, 60), ("llm", 0.03, 6), ("lexical", 1.0, 50), ("lexical", 0.03, 30))
    ),
)
NULL = BenchmarkResult(
    kind="null",
    title="Nulls",
    command="diffing bench null model",
    about="All is false.",
    columns=(
        ResultColumn("model", "Model"),
        ResultColumn("confirmed", "Confirmed", "%"),
        ResultColumn("net", "Net", "points"),
    ),
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


def hostile(text: str) -> BenchmarkResult:
    return BenchmarkResult(
        kind="compare", title=text or "-", command=text or "-", about=text, settings={"x": text},
        columns=(ResultColumn("text", text or "-"), ResultColumn("share", "Share", "%")),
            rows=({"text": text, **estimate_cells("share", wilson(1, 2))},),
    )  # fmt: skip


def test_the_committed_page_is_what_the_command_makes_of_the_committed_results():
    made = render_page(load_results(RESULTS))
    assert golden(RESULTS / "RESULTS.md", made) == made


def test_markdown_says_every_number_and_word_of_the_results():
    page = render_markdown(RESULTS_SHOWN)
    assert page.index("## Planted differences") < page.index("### Recall by strength") < page.index("## Nulls")
    assert "What was planted.\n\nHow to read it.\n\n| Method | Strength | Recall |\n| --- | ---: | ---: |" in page
    assert "| llm | 3.0% | 10% \\[4.7, 20\\], n 60 |" in page
    assert "| base | 1.2% \\[0.3, 5.0\\], n 250 | −50 \\[−60, −40\\], n 9 |\n| tuned | – | – |" in page
    assert "```bash\ndiffing bench planted\n```\n\nSettings: prompts 60." in page


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "%", "0%"), (1.0, "%", "100%"), (0.0004, "%", "<1%"), (0.0504, "%", "5.0%"),
        (0.953, "%", "95.3%"), (0.9997, "%", ">99%"), (0.5, "points", "+50"), (None, "%", "–"),
        (1234, "", "1,234"), (0.12345, "", "0.123"), (12345.6, "", "12,346"), (True, "", "yes"), ("a\x07b", "", "a�b"),
    ],
)  # fmt: skip
def test_numbers_in_words(value, unit, text):
    assert cell({"x": value}, ResultColumn("x", "X", unit)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_markup_in_markdown(text):
    shown = escape(text)
    assert "\n" not in shown
    assert re.search(r"(?<!\\)[<>|\[\]`*_$]", shown) is None
    page = render_markdown([("x", hostile(text.replace("\ud800", "")))])
    assert len([line for line in page.splitlines() if line.startswith("|")]) == 3
    assert page.count("```") == 2


def test_at_a_glance_says_the_stored_numbers_and_nothing_of_what_is_not_there():
    results = load_results(RESULTS)
    told = {fact.result: [each.value for each in at_a_glance(results) if each.result == fact.result]
            for fact in at_a_glance(results)}  # fmt: skip
    stored = dict(results)
    full, thrift, accepted = told["statistics-nulls"]
    for key, line in (("false_full", full), ("false_thrift", thrift), ("accepted", accepted)):
        rows = stored["statistics-nulls"].rows
        worst = max(rows, key=lambda row, key=key: row[key])
        assert cell(worst, ResultColumn(key, key, "%")) in line
        assert number(sum(row[key] for row in rows) / len(rows), "%") in line
    typical = stored["statistics-thrift"].rows[0]
    assert all(cell(typical, ResultColumn(key, key, "%")) in told["statistics-thrift"][0] for key in ("kept", "saved"))
    tiny = [row for row in stored["planted-tiny"].rows if row["method"] == "lexical" and row["recall"] is not None]
    for row in tiny:  # what is only found without a trigger does not stand alone
        assert (cell(row, ResultColumn("recall", "", "%")) in told["planted-tiny"][0]) or row["trigger"] in (
            "domain",
            "phrase",
        )
    assert told["planted-tiny"][0].count(" of the prompts") == len({row["strength"] for row in tiny}) * 2
    (nothing,) = told["null-recorded"]
    assert nothing.startswith("0% [0, 5.1] of 70 runs confirm anything")
    page = render_page(results)
    assert page.index("## At a glance") < page.index("## Statistics")
    assert [line for line in page.splitlines() if escape(nothing) in line]
    assert at_a_glance(RESULTS_SHOWN) == ()
    assert "At a glance" not in render_page(RESULTS_SHOWN)


def test_glance_counts_shapes_that_are_surely_above_the_limit():
    result = dict(load_results(RESULTS))["statistics-nulls"]
    wrong = {**result.rows[0], **estimate_cells("false_full", wilson(200, 2000))}
    (line, *_) = at_a_glance([("statistics-nulls", replace(result, rows=(*result.rows[1:], wrong)))])
    assert "10% [8.8, 11] in the worst; 1 of them above 5% by" in line.value
