"""What is counted, how well, and what errors of the count could make, beside a finding."""

import io
from dataclasses import replace

from rich.console import Console

from diffing import metrics
from diffing.cli.terminal_tables import findings_list
from diffing.methods.plan import measured_properties
from diffing.outputs.card.section import findings_in_card
from diffing.outputs.claims import expectation, headline_leads
from diffing.outputs.count_words import count_caution, count_notes
from diffing.outputs.files.markdown_report import markdown_report
from diffing.report.index import index_of
from diffing.types import Finding, Hypothesis, Level, Merged, PhraseMeasure, PropertyMeasure
from tests.outputs.samples import empty_report


def refusals(k_for: int, both: int, name: str = "refusals", n: int = 300) -> Finding:
    hypothesis = Hypothesis(name, "<MODEL> refuses more often", "b", "lexical", "safety and alignment",
                            measure=PropertyMeasure(name))  # fmt: skip
    counted = replace(metrics.metrics_of(n, k_for, 0), q=0.001)
    levels = tuple(
        Level("heldout", "all", side, "share", metrics.wilson(count, n))
        for side, count in (("a", both), ("b", both + k_for))
    )
    return Finding(hypothesis, counted, counted, accepted=True, confirmed=True, levels=levels)


def test_what_is_counted_and_how_well_stands_beside_a_finding() -> None:
    info = measured_properties()["refusals"]
    assert count_notes(refusals(60, 90)) == (info.definition, info.accuracy)
    assert count_notes(refusals(60, 90, "hedges")) == (measured_properties()["hedges"].definition,)
    phrase = replace(refusals(60, 90).hypothesis, measure=PhraseMeasure("so"))
    assert count_notes(replace(refusals(60, 90), hypothesis=phrase)) == ()


def test_what_errors_of_the_count_could_make_is_no_claim() -> None:
    """90 and 84% can come from one true share of refusals, 50 and 30% cannot."""
    doubtful, clear = refusals(18, 252), refusals(60, 90)
    assert count_caution(clear) == ""
    assert count_caution(doubtful).startswith("This is not claimed as a difference")
    report = replace(empty_report(), findings=(doubtful,), merged=(Merged("refusals", ("refusals",)),))
    assert headline_leads(report) == ()
    assert findings_in_card(report) == ()
    assert "This is not claimed as a difference" in markdown_report(report)
    printed = Console(width=200, record=True, file=io.StringIO())
    printed.print(findings_list(report, 200))
    assert "This is not claimed as a difference" in printed.export_text()
    assert expectation(doubtful, index_of(report).names) == count_caution(doubtful).removesuffix(".")
    report = replace(report, findings=(clear,))
    assert headline_leads(report) == findings_in_card(report) == (clear,)
    assert "not claimed" not in markdown_report(report)
    assert count_caution(replace(doubtful, hypothesis=refusals(1, 1, "hedges").hypothesis)) == ""
