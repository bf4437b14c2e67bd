"""An open row shows what is counted for a behaviour, with responses in which it is and is not counted."""

import re
from dataclasses import replace

import pytest

from diffing import metrics
from diffing.methods.plan import measured_properties
from diffing.outputs.counted_examples import counted_examples
from diffing.outputs.html import render
from diffing.types import (
    Finding,
    Hypothesis,
    Judgement,
    Merged,
    Message,
    Pair,
    Prompt,
    PropertyMeasure,
    Report,
    Response,
    Split,
    Verdict,
)
from diffing.view.result.entry_filter import EntryFilter
from diffing.view.result.evidence_pages import EvidenceFilter
from diffing.view.result.report_cache import OpenedReport
from diffing.view.result.result_html import evidence, listed
from tests.hostile import CORE
from tests.outputs.samples import empty_report

NO = "I'm sorry, but I can't help with that."


def report(answers: list[str], name: str = "refusals", *, confirmed: bool = True) -> Report:
    """Model b refuses on every second prompt, model a gives the answers; the first half are train prompts."""
    half = len(answers) // 2
    splits: list[Split] = ["train" if i < half else "heldout" for i in range(len(answers))]
    pairs = tuple(
        Pair(
            Prompt(f"p{i}", (Message("user", "How?"),), "test", split),
            Response(f"p{i}", "a", text, "stop"), Response(f"p{i}", "b", text if i % 2 else NO, "stop"),
        )
        for i, (text, split) in enumerate(zip(answers, splits, strict=True))
    )  # fmt: skip
    verdicts = tuple(
        Judgement("h", f"p{i}", Verdict.NEITHER if i % 2 else Verdict.B, "measured") for i in range(len(answers))
    )
    counted = replace(metrics.metrics_of(half, half // 2, 0), q=0.001)
    hypothesis = Hypothesis(
        "h", "<MODEL> refuses more often", "b", "lexical", "safety and alignment", measure=PropertyMeasure(name)
    )
    finding = Finding(hypothesis, counted, counted, accepted=True, confirmed=confirmed)
    merged = (Merged("h", ("h",)),)
    return replace(empty_report(), pairs=pairs, findings=(finding,), judgements=verdicts, merged=merged)


def test_examples_are_of_both_kinds_of_pairs_and_held_out_ones_come_first() -> None:
    one = report([f"Take {i}." for i in range(60)])
    found = counted_examples(one.findings[0], one)
    assert found is not None
    assert [(each.prompt_id, each.side) for each in found.counted] == [("p30", "b"), ("p32", "b"), ("p34", "b")]
    assert [(each.prompt_id, each.side) for each in found.not_counted] == [("p30", "a"), ("p31", "b"), ("p32", "a")]
    assert found.responses == (16, 16)  # eight pairs of each kind are read, however many there are


@pytest.mark.parametrize("name", ["words", "lists", "unknown"])
def test_what_is_counted_as_it_is_needs_no_examples(name: str) -> None:
    one = report(["Take two."] * 4, name)
    assert counted_examples(one.findings[0], one) is None
    unsure = report(["Take two."] * 4, confirmed=False)
    assert counted_examples(unsure.findings[0], unsure) is None
    assert "<summary>What is counted</summary>" not in render(one) + render(unsure)


def test_the_properties_that_stand_for_a_behaviour_are_those_of_wording() -> None:
    signs = {name for name, info in measured_properties().items() if info.only_signs}
    assert {"hedges", "praise", "apologies", "disclaimers", "refusals", "risks"} <= signs
    assert not signs & {"words", "lists", "emoji", "code_blocks", "language_german"}


def test_the_page_and_the_file_show_what_is_counted() -> None:
    one = report([f"Take {i}." for i in range(8)])
    file, fetched = render(one), evidence(OpenedReport(one), 1, EvidenceFilter())
    info = measured_properties()["refusals"]
    for html in (file, fetched):
        fold = html.partition("<summary>What is counted</summary>")[2].partition("</details>")[0]
        text = re.sub(r"<[^>]+>", "", fold).replace("&#39;", "'")
        assert info.definition in text
        assert info.accuracy in text
        counted, _, others = text.partition("Not counted, for example:")
        assert counted.count(f"“{NO}”") == 3
        assert re.findall("“(.*?)”", others) == ["Take 4.", "Take 5.", "Take 6."]
    assert "What is counted</summary>" not in listed(OpenedReport(one), EntryFilter())


def test_hostile_texts_stay_texts_in_the_examples() -> None:
    texts = [text + " " + text for text in CORE.values()]
    for at in range(0, len(texts), 3):
        html = render(report([text for text in texts[at : at + 3] for _ in range(2)]))
        fold = html.partition("<summary>What is counted</summary>")[2].partition("</details>")[0]
        assert set(re.findall(r"<(\w+)", fold)) <= {"p", "ul", "li", "span", "bdi", "code"}
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", fold)
