"""The section of the SAE's features: what is drawn, listed, linked and marked, and that outside text stays text."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from diffing.outputs.figures import MAX_POINTS, scatter
from diffing.outputs.html import render, write_html
from diffing.outputs.html.feature_section import FEATURE_ROWS, GROUPS, PASSAGE_LENGTH, PASSAGES, UNKNOWN, features_in
from diffing.report import load_report, save_report
from diffing.report.index import index_of
from diffing.report.sae_tables import marked, measured_latents
from diffing.types import (
    Category,
    FeatureAbove,
    FeatureMeasure,
    Finding,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
    Report,
    Row,
)
from tests.outputs.samples import HOSTILE, empty_report, hostile_report, medium_report
from tests.outputs.test_browser import opened

PAGE = "https://www.neuronpedia.org/tern-1b/12-res-16k/3"


def feature(index: int, a: float, b: float, **values: Any) -> Row:
    row = {"index": index, "direction": "a" if a > b else "b", "rate_a": a, "rate_b": b, "difference": a - b,
           "p": 0.0004, "q": 0.03, "label": None, "label_source": None, "label_score": None, "top_tokens": "Great !",
           "url": None, "chosen": True}  # fmt: skip
    return row | values


def passage(index: int, prompt_id: str, text: str, side: str = "b") -> Row:
    return {"index": index, "prompt_id": prompt_id, "side": side, "activation": 3.25, "passage": text}


def with_sae(report: Report, features: tuple[Row, ...], examples: tuple[Row, ...] = (), **measures: Measure) -> Report:
    """The report with the tables of the SAE method; finding `f<n>` gets that measure."""
    findings = list(report.findings)
    for number, measure in measures.items():
        finding = findings[int(number[1:]) - 1]
        findings[int(number[1:]) - 1] = replace(
            finding, hypothesis=replace(finding.hypothesis, method="sae", measure=measure)
        )
    rates = ({"rate_a": 0.1, "rate_b": 0.48, "features": 1}, {"rate_a": 0.02, "rate_b": 0.03, "features": 40})
    tables = {"sae_features": features, "sae_examples": examples, "sae_rates": rates}
    return replace(report, findings=tuple(findings), tables={**report.tables, **tables})


def sae_report() -> Report:
    report = medium_report(train=20, heldout=40)
    praising = [pair for pair in report.pairs if "Great question!" in pair.b.text]
    return with_sae(
        report,
        (
            feature(3, 0.1, 0.48, label="praise", label_source="an-llm", label_score=0.875, url=PAGE),
            feature(17, 0.6, 0.5, q=None),
            feature(21, 0.3, 0.25, chosen=False, top_tokens=None),
        ),
        tuple(passage(3, pair.prompt.id, "«Great» question«!»") for pair in praising[:5]),
        f1=LatentMeasure((3, 17)),
    )


def row_of(page: str, index: int) -> str:
    found = re.search(rf'<tbody role="rowgroup" id="feature-{index}">.*?</tbody>', page, re.DOTALL)
    assert found
    return found[0]


def test_the_section_is_there_only_with_the_method() -> None:
    with_method = render(sae_report())
    assert 'id="features"' in with_method
    assert '<a href="#features">Features</a>' in with_method
    assert "feature" not in render(medium_report(train=20, heldout=40))
    nothing = render(with_sae(empty_report(), ()))
    assert "No feature differs between the models on train prompts." in nothing


def test_a_row_tells_rates_test_label_tokens_findings_and_page() -> None:
    page = render(sae_report()).replace("\N{NO-BREAK SPACE}", " ")
    row = row_of(page, 3)
    text = " ".join(re.sub(r"<[^>]*>", " ", row).replace("&nbsp;", " ").split())
    assert text.startswith(
        "3 public page praise score 88%, from an-llm strongest at Great ! tern-1b-chat 10% 48% +38 0.0004 0.03 1 ● "
        "confirmed Where it is active 3 of 5 passages"
    )
    assert f'<a class="range" href="{PAGE}" rel="noopener noreferrer">public page</a>' in row
    assert row.count("<mark>Great</mark> question<mark>!</mark>") == PASSAGES
    assert '<a href="#f1">1</a>' in row_of(page, 17)
    assert "href" not in row_of(page, 21)
    assert "no label" in row_of(page, 21)
    assert 'features active: 3, 17</bdi> – see feature <a href="#feature-3">3</a>, <a href="#feature-17">17</a>' in page


def test_a_saved_report_gives_the_same_page(tmp_path: Path) -> None:
    save_report(sae_report(), tmp_path / "report")
    one = write_html(sae_report(), tmp_path / "one.html").read_bytes()
    assert one == write_html(load_report(tmp_path / "report"), tmp_path / "two.html").read_bytes()


def marks(body: str) -> list[tuple[float, float, str]]:
    """The marks of a scatter plot as rates in A and B, in percent of an axis to 60, and their tooltips."""
    chosen = (
        r'(?:<a href="#feature-\d+">|<g>)<title>([^<]*)</title>'
        r'<svg y="([\d.]+)%"[^>]*><(?:circle[^>]*cx|svg x)="([\d.]+)%'
    )
    background = r'<circle cx="([\d.]+)%" cy="([\d.]+)%"[^>]*><title>([^<]*)</title>'
    found = [(x, y, tip) for x, y, tip in re.findall(background, body)]
    found += [(x, y, tip) for tip, y, x in re.findall(chosen, body)]
    return [(round((float(x) - 14) / 80 * 60, 1), round((1 - (float(y) - 3) / 80) * 60, 1), tip) for x, y, tip in found]


def test_the_scatter_names_the_chosen_and_counts_the_others() -> None:
    picture = scatter(sae_report(), frozenset({3}))
    others, b, a = marks(picture.body)
    assert [mark[:2] for mark in (others, b, a)] == [(2, 3), (10, 48), (60, 50)]  # others at (10, 48) are drawn by name
    assert others[2] == "40\N{NO-BREAK SPACE}features: 2%, 3%"
    assert a[2].startswith("feature 17: Great !\n60% of tern-1b-base&#39;s responses\n")
    assert b[2].startswith("feature 3: praise\n")
    assert re.findall('href="#(.*?)"', picture.body) == ["feature-3"]
    assert '<line class="diagonal" x1="14.0%" y1="83.0%" x2="94.0%" y2="3.0%"/>' in picture.body
    assert "2\N{NO-BREAK SPACE}features that were followed up" in picture.description


def test_many_places_are_rounded_and_no_feature_is_lost() -> None:
    rates = tuple({"rate_a": i / 9999, "rate_b": i * i / 9999**2, "features": 2} for i in range(9999))
    report = replace(sae_report(), tables={"sae_features": (), "sae_rates": rates})
    tips = re.findall("<title>([\\d,]+)\N{NO-BREAK SPACE}features", scatter(report).body)
    assert len(tips) < MAX_POINTS
    assert sum(int(number.replace(",", "")) for number in tips) == 2 * 9999


def test_the_table_is_bounded_and_tells_what_is_not_listed() -> None:
    many = [feature(i, 0.9 - i / 1000, 0.1, chosen=i < 150) for i in range(FEATURE_ROWS + 100)]
    report = with_sae(medium_report(train=20, heldout=40), tuple(many), f1=LatentMeasure((199,)))
    assert report.findings[0].confirmed
    section = features_in(report)
    assert section is not None
    assert [view.feature.index for view in section.rows] == [*range(FEATURE_ROWS - 1), 199]
    page = render(report).replace("\N{NO-BREAK SPACE}", " ")
    assert "100 of 200 features are listed" in page
    assert "with the largest differences. 100 are not listed." in page


@pytest.mark.parametrize(
    ("measure", "indices"),
    [
        (LatentMeasure((3, 17)), (3, 17)),
        (LatentMeasure((3,), in_words=True), (3,)),
        (FeatureMeasure("crosscoder", (FeatureAbove("17", 0.5), FeatureAbove("d1", 0.1)), "0a"), (17, 41)),
        (FeatureMeasure("adapter", (FeatureAbove("2.5", 0.5),), "0a"), ()),
        (PhraseMeasure("features active: 3"), ()),
        (PropertyMeasure("words"), ()),
        (None, ()),
    ],
)
def test_which_features_a_finding_rests_on(measure: Measure | None, indices: tuple[int, ...]) -> None:
    finding: Finding = medium_report(train=20, heldout=40).findings[0]
    hypothesis = replace(finding.hypothesis, measure=measure)
    assert measured_latents(replace(finding, hypothesis=hypothesis), {"17": 17, "d1": 41}) == indices


@pytest.mark.parametrize(
    ("text", "response", "pieces"),
    [
        ("«Hi» there«!»", "Oh. Hi there!", (("Hi", True), (" there", False), ("!", True))),
        ("plain", "plain", (("plain", False),)),
        ("said «yes»", "said «yes»", (("said «yes»", False),)),  # the response's own marks
        ("said «yes»", "another", (("said «yes»", False),)),
        ("«a »b» «c", "a b c", (("a ", True), ("b c", False))),  # unbalanced
        ("«»x", "x", (("x", False),)),
    ],
)
def test_marks_are_believed_only_where_the_response_has_none(
    text: str, response: str, pieces: tuple[tuple[str, bool], ...]
) -> None:
    assert marked(text, response) == pieces


def test_rows_with_wrong_types_are_absent() -> None:
    wrong = (
        {}, {"index": "1"}, feature(True, 0.1, 0.2), feature(-1, 0.1, 0.2), feature(2, float("nan"), 0.2),
        feature(3, 7, 0.2), feature(4, 0.1, 0.2, p="x", q=float("inf"), label=4, url=3, top_tokens=" ", chosen="yes"),
        feature(4, 0.5, 0.6),
    )  # fmt: skip
    examples = ({}, passage(4, "p", "«x»", "c"), passage(4, "p", "«x»"), {**passage(4, "p", "y"), "prompt_id": None})
    report = with_sae(empty_report(), wrong, examples)
    (kept,) = index_of(report).features
    assert (kept.index, kept.rate_b, kept.chosen) == (4, 0.2, False)
    assert (kept.p, kept.q, kept.label, kept.url, kept.top_tokens) == (None,) * 5
    assert [len(of_index) for of_index in index_of(report).passages.values()] == [1]
    assert 'id="feature-4"' in render(report)


ADDRESSES = (
    "javascript:window.hit=1", "JaVaScRiPt:window.hit=1", "http://example.com/", "//example.com/", "data:text/html,x",
    "https://example.com/\"onmouseover='window.hit=1'", "https://example.com/</a><script>window.hit=1</script>",
    "https://user@example.com/", "https://example.com/a b", "https://example.com/\nx", " https://example.com/",
    "https://", "https:///x", "\u202ehttps://example.com",
)  # fmt: skip


def attacked() -> Report:
    report = hostile_report()
    attacks = [*HOSTILE, *ADDRESSES]
    rows = [
        feature(i, 0.2, 0.3 + i / 200, label=attack, label_source=attack, top_tokens=attack, url=attack)
        for i, attack in enumerate(attacks)
    ]
    examples = [
        passage(i % len(rows), pair.prompt.id, f"«{pair.b.text}»{attack}", "b")
        for i, (pair, attack) in enumerate(zip(report.pairs, attacks * 2, strict=False))
    ]
    examples += [passage(i, "no such pair", f"«<mark>{attack}»»««") for i, attack in enumerate(attacks)]
    return with_sae(report, tuple(rows), tuple(examples), f1=LatentMeasure((1, 2)), f2=PhraseMeasure("<b>"))


class Markup(HTMLParser):
    """What opens, closes, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "srcdoc") for name, _ in attrs)
        self.links += [dict(attrs)] if tag == "a" else []
        if tag not in {"meta", "br", "input", "path", "circle", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "br", "input", "path", "circle", "link"}:
            assert self.open.pop() == tag


def test_hostile_labels_tokens_and_addresses_are_text() -> None:
    parser = Markup()
    parser.feed(render(attacked()))
    assert parser.open == []
    assert all(re.fullmatch("#[a-z0-9-]+", link["href"] or "") for link in parser.links)
    assert "<script>" not in scatter(attacked()).inline()


def test_long_passages_are_cut() -> None:
    report = hostile_report()
    page = render(with_sae(report, (feature(1, 0, 0.5),), (passage(1, "none", "W" * 10_000),)))
    assert "W" * PASSAGE_LENGTH + '<span class="cut"> …</span>' in page


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
@pytest.mark.parametrize(("make", "width"), [(sae_report, 1280), (attacked, 390)])
def test_in_a_browser_it_fits_draws_and_nothing_runs(make: Any, width: int, browser: Any, tmp_path: Path) -> None:
    page, wrong = opened(browser, write_html(make(), tmp_path / "page.html"), width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hit") is None
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator(".figure.scatter :is(.mark, .others circle)").count() >= 3
    colour = "getComputedStyle(document.querySelector('.figure.scatter .note')).fill"
    light = page.evaluate(colour)
    page.locator("#theme").click()
    page.wait_for_function(f"before => {colour} !== before", arg=light)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false); location.hash = 'feature-3'")
    page.wait_for_function("document.querySelector('#feature-3 details').open")
    assert wrong == []
    page.close()


def test_features_of_dictionaries_of_both_models_are_shown_by_their_names() -> None:
    """The second latent of the difference dictionary, whose number is 41, and a latent that only A has."""
    own = FeatureMeasure("crosscoder", (FeatureAbove("17", 0.5), FeatureAbove("d1", 0.1)), "0a")
    row = {"name": "d1", "kind": "difference", "owner": None, "index": 41, "rate_a": 0.5, "rate_b": 0.25, "p": 0.01,
           "q": 0.02, "top_tokens": "sorry", "chosen": True, "causal": True}  # fmt: skip
    rows = (row, {**row, "name": "17", "index": 17, "kind": "exclusive", "owner": "a", "causal": None})
    report = medium_report(train=8, heldout=12)
    first = replace(report.findings[0], hypothesis=replace(report.findings[0].hypothesis, measure=own))
    tables = {"crosscoder_features": rows, "crosscoder_examples": (), "crosscoder_rates": ()}
    report = replace(report, findings=(first, *report.findings[1:]), tables=tables)
    told = [name for name, categories in GROUPS.items() if first.hypothesis.category in categories]
    section = features_in(report)
    assert section
    assert section.of(first) == (17, 41)
    assert [view.feature.about for view in section.rows] == [
        "only A's activations have it",
        "along it the models differ; it drives what the model says",
    ]
    assert first.confirmed
    side = first.hypothesis.direction
    pattern = {"a": (1, 0), "b": (0, 1)}[side]
    assert [(row.more_in_a, row.more_in_b) for row in section.groups if row.name == UNKNOWN] == [pattern]
    assert sum(row.more_in_a + row.more_in_b for row in section.groups) == 1
    known = replace(report, tables={**tables, "crosscoder_features": ({**row, "agrees_with": "refusals"}, rows[1])})
    agreeing = features_in(known)
    assert agreeing
    assert [(row.more_in_a, row.more_in_b) for row in agreeing.groups if row.name in told] == [pattern]
    assert UNKNOWN not in [row.name for row in agreeing.groups]
    assert agreeing.rows[1].feature.about == (
        "along it the models differ; it decides as the measured property refusals does; it drives what the model says"
    )
    figures = {"nu_error": 0.031, "nu_reconstruction": 0.12}
    checked = {"causal": False, "causal_kl": 0.8512, "causal_kl_random": 0.06}
    measured = replace(report, tables={**tables, "crosscoder_features": ({**row, **checked}, {**rows[1], **figures})})
    scaled = features_in(measured)
    assert scaled
    assert [view.feature.about for view in scaled.rows] == [
        "only A's activations have it (latent scaling in B: error 0.03, reconstruction 0.12)",
        "along it the models differ; it marks what the model says; no effect was shown (taken out, it changes "
        "predictions by 0.851 nats; random directions: 0.06)",
    ]
    text = render(report)
    for step in ("(profile)", "(extraction)", "(contrast)", "(categories)"):
        assert step in text
    assert 'id="feature-groups">By kind of behaviour' in text
    assert '<a href="#feature-41">d1</a>' in text
    assert "A sparse autoencoder reads" not in text
    assert "exceeds its threshold at least once" in text
    assert "Features that differ</h3>" in text

    stored = {**row, "name": "9", "index": 9, "kind": "exclusive", "owner": "b", "rate_a": 0.25, "causal": None,
              "shown_in": "internal"}  # fmt: skip
    section = features_in(replace(report, tables={**tables, "crosscoder_features": (*rows, stored)}))
    assert section
    assert section.has_internal
    (view,) = [view for view in section.rows if view.feature.index == 9]
    assert view.feature.about == (
        "only B's activations have it; internal: the responses do not tell the models apart by it"
    )


def test_every_category_is_of_one_kind_of_behaviour() -> None:
    assert sorted(each for categories in GROUPS.values() for each in categories) == sorted(get_args(Category))
