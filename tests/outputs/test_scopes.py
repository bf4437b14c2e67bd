"""A finding that speaks of some prompts only: every output gives both figures, where it applies and over all."""

import re
from dataclasses import replace

from rich.console import Console

from diffing.cli.terminal_tables import findings_list
from diffing.estimates import Metrics
from diffing.judgements import Judgements
from diffing.metrics import metrics_of
from diffing.outputs.card.section import section
from diffing.outputs.dataset import dataset_files
from diffing.outputs.examples import examples
from diffing.outputs.figures import preview
from diffing.outputs.finding_results import sentence
from diffing.outputs.formats import CSV, MD
from diffing.outputs.html import render
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import Finding, Judgement, Report, Verdict
from tests.outputs.samples import JUDGE, MODEL_B, medium_report, scoped_report

PLACE = (
    "when asked about health or money: fits tern-1b-chat better in 31 of 31 (89 to 100%), "
    "tern-1b-base better in 0 of 31 (0 to 11%)"
)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def advises(report: Report) -> Finding:
    """The confirmed finding with a scope."""
    return next(each for each in report.findings if "see a professional" in each.hypothesis.text)


def finding(within: Metrics | None, overall: Metrics, *, confirmed: bool = True) -> Finding:
    sample = advises(scoped_report())
    hypothesis = replace(sample.hypothesis, text="<MODEL> refuses when asked for medical advice.", direction="b")
    return replace(sample, hypothesis=hypothesis, heldout=overall, heldout_in_scope=within, confirmed=confirmed)


def test_both_figures_stand_in_the_sentence_with_their_intervals() -> None:
    scoped = finding(metrics_of(17, 17, 0), metrics_of(214, 17, 0))
    assert plain(sentence(scoped, ModelNames("base", "tuned"))) == (
        "tuned refuses when asked for medical advice: it fits tuned better in 17 of the 17 held-out prompts where it "
        "applies (82 to 100%), and the reverse in 0 (0 to 18%); over all 214 held-out prompts, net difference +8 "
        "points, 95% interval +5 to +12"
    )


def test_what_is_said_where_nothing_can_be_said() -> None:
    names = ModelNames("base", "tuned")
    nowhere = finding(metrics_of(0, 0, 0), metrics_of(214, 0, 0), confirmed=False)
    assert plain(sentence(nowhere, names)) == (
        "tuned refuses when asked for medical advice: where it applies: none of 214 held-out prompts meets its "
        "condition; over all, net difference 0 points, 95% interval −2 to +2; not confirmed"
    )
    unread = finding(metrics_of(0, 0, 0, unreadable=3), metrics_of(211, 0, 0, unreadable=3), confirmed=False)
    assert "where it applies: no readable verdict; over all" in plain(sentence(unread, names))
    untested = finding(metrics_of(0, 0, 0), metrics_of(0, 0, 0), confirmed=False)
    assert sentence(untested, names).endswith("not tested on held-out prompts, futile after the train prompts")


def line_of(page: str, number: int) -> str:
    """The list item of one line."""
    return page.partition(f'<li class="line" id="f{number}"')[2].partition('<li class="line" id=')[0]


def test_the_page_gives_both_in_the_row_and_in_the_table_of_the_test() -> None:
    report = scoped_report()
    page = plain(render(report))
    number = index_of(report).numbers[advises(report).hypothesis.id]
    entry = line_of(page, number)
    assert (
        "when asked about health or money: fits tern-1b-chat better in 31 of 31 (89 to 100%), tern-1b-base better in 0 "
        "of 31 (0 to 11%)"
    ) in entry
    assert '<span class="away">Concentrated in: </span><bdi>asked about health or money</bdi>' in entry
    assert "<b>100</b> <span>78 to 100</span>" in entry, "the row shows the net difference where it applies"
    assert "over all 180 held-out prompts, net difference +17 points, 95% interval +12 to +23" in entry
    assert "65 for, 0 against, 1 both alike, 2 not shown, 261 outside its scope, 1 unreadable" in entry
    assert "meet the condition “<bdi>when asked about health or money</bdi>”" in entry
    table = entry.partition('<table class="plain splits">')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)[1:8] == [
        "n", "for", "against", "both alike", "not shown", "outside its scope", "unreadable",
    ]  # fmt: skip
    rows = {
        row[0]: row[1:8]
        for row in (re.findall(r">([^<>]*)</t[hd]>", each) for each in table.partition("<tbody>")[2].split("</tr>"))
        if row
    }
    assert rows["held-out"] == ["180", "31", "0", "0", "0", "149", "0"]
    assert rows["held-out, where it applies"] == ["31", "31", "0", "0", "0", "0", "0"]
    assert "<dt>Where it applies</dt>" in page
    assert "<dt>Both alike, not shown, neither</dt>" in page


def test_a_page_without_scopes_does_not_speak_of_them() -> None:
    page = render(medium_report())
    for words in ("here it applies", "outside its scope", "oth alike", "over all prompts", "dashed"):
        assert words not in page


def test_text_card_dataset_and_terminal_give_both() -> None:
    report = scoped_report()
    document = plain(MD.content(report).decode())
    over_all = "over all 180 held-out prompts: net difference +17 points (+12 to +23)"
    row = f"when asked about health or money | {PLACE} | {over_all} | +100 | +78 to +100 |"
    assert row in document
    assert "A place says where a difference shows, not why." in document
    card = section(report, of=MODEL_B.partition("@")[0], dataset=None)
    assert (
        "advises to see a professional when asked about health or money: in 100% of 31 pairs, the other way in 0%** "
        "(very sure; net difference +100 points, 95% interval +78 to +100)."
    ) in card
    assert "A sentence that says when the behaviour shows applies only to some prompts" in card
    dataset = plain(dataset_files(report, "user/name")["README.md"].decode())
    assert f"{row} 31 |" in dataset
    assert "(`NOT SHOWN`)" in dataset
    console = Console(width=300)
    with console.capture() as captured:
        console.print(findings_list(report, 300))
    shown = " ".join(plain(captured.get()).split())
    assert f"{PLACE.replace('tern-1b-chat', 'B').replace('tern-1b-base', 'A')} {over_all}" in shown
    assert "+100 [+78, +100]" in shown
    quiet = medium_report()
    for text in (MD.content(quiet).decode(), section(quiet, of=MODEL_B.partition("@")[0], dataset=None)):
        assert "here it applies" not in text
        assert "over all 180" not in text


def test_verdicts_from_descriptions_have_no_judge() -> None:
    report = scoped_report(20, 20)
    first = next(each for each in report.judgements if each.judge == JUDGE and each.in_scope)
    described = replace(first, judge="described", shown_first=None, reply=None)
    report = replace(report, judgements=tuple(described if each is first else each for each in report.judgements))
    card = dataset_files(report, "user/name")["README.md"].decode()
    assert "come from an LLM (openai:judge-70b), which" in card
    assert "Where the judge is `described`" in card
    shown = _verdict_of(report, first)
    assert "taken from the description of how the two responses differ" in shown
    assert "judged by" not in shown


def _verdict_of(report: Report, judgement: Judgement) -> str:
    """What the page says below one pair of a finding."""
    findings = tuple(each for each in report.findings if each.hypothesis.id == judgement.hypothesis_id)
    place = (judgement.hypothesis_id, judgement.prompt_id)
    judgements = tuple(each for each in report.judgements if (each.hypothesis_id, each.prompt_id) == place)
    page = render(replace(report, findings=findings, judgements=judgements))
    (shown,) = re.findall(r'<p class="verdict">.*?</p>', page)
    return str(shown)


def test_the_table_of_findings_has_both_in_columns() -> None:
    import csv

    report = scoped_report()
    rows = list(csv.DictReader(CSV.content(report).decode("utf-8-sig").splitlines()))
    row = rows[report.findings.index(advises(report))]
    assert (row["scope_kind"], row["scope"]) == ("stated", "when asked about health or money")
    assert (row["heldout_n"], row["heldout_in_scope_n"], row["heldout_in_scope_k_for"]) == ("180", "31", "31")
    assert {row["heldout_in_scope_n"] for row in rows if not row["scope"]} == {""}


def test_a_picture_gives_the_rates_where_a_difference_applies() -> None:
    report = scoped_report()
    first = replace(report, findings=(advises(report), *report.findings))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", preview(first).decode())
    assert {"more in 100%", "more in 0%"} <= set(texts), "the rates are those where it applies"


def test_example_pairs_come_from_the_scope_first() -> None:
    report = scoped_report()
    index = index_of(report)
    scoped = next(each for each in report.findings if each.hypothesis.scope and each.hypothesis.direction == "a")
    verdicts = index.verdicts_on(scoped.hypothesis.id)
    shown = examples(scoped, verdicts, index, 400)["neither"]
    assert [each.judgement.in_scope for each in shown] == [True]
    outside = [each for each in verdicts if not each.in_scope]
    assert outside[0].verdict is Verdict.NOT_SHOWN
    (only,) = examples(scoped, Judgements.of(outside), index, 400)["neither"]
    assert not only.judgement.in_scope
