"""What strangers' reports may hold, so that nothing that is made of one keeps the page from others."""

from dataclasses import replace

import pytest

from diffing.types import Evidence, Report
from diffing.view import report_size
from diffing.view.report_size import excess_of
from tests.outputs.samples import medium_report


def test_a_report_as_runs_make_it_is_within_the_bounds() -> None:
    assert excess_of(medium_report(train=40, heldout=60)) == ""


def worse(report: Report, part: str) -> Report:
    """With too much of one part."""
    first, *pairs = report.pairs
    finding, *findings = report.findings
    match part:
        case "characters of a response":
            text = replace(first.a, text="x" * (report_size.LONGEST_TEXT + 1))
            return replace(report, pairs=(replace(first, a=text), *pairs))
        case "characters of a reply":
            reply = replace(report.judgements[0], reply="x" * (report_size.LONGEST_TEXT + 1))
            return replace(report, judgements=(reply, *report.judgements))
        case "characters of a cell":
            return replace(report, tables={"a_b": ({"c": "x" * (report_size.LONGEST_TEXT + 1)},)})
        case "quotes":
            evidence = (Evidence(first.prompt.id, "a", "x"),) * (report_size.MOST_QUOTES + 1)
            hypothesis = replace(finding.hypothesis, evidence=evidence)
            return replace(report, findings=(replace(finding, hypothesis=hypothesis), *findings))
        case "cells":
            row = dict.fromkeys(map(str, range(100)), 1)
            return replace(report, tables={"a_b": (row,) * (report_size.MOST_CELLS // 100 + 1)})
        case "settings" | "versions" | "left_out":
            return replace(report, **{part: {str(number): {} for number in range(report_size.MOST[part] + 1)}})
        case "tables":
            return replace(report, tables={f"a_{number}": () for number in range(report_size.MOST[part] + 1)})
    some = getattr(report, part) or ("x",)
    return replace(report, **{part: some[:1] * (report_size.MOST[part] + 1)})


@pytest.mark.parametrize(
    "part",
    [*report_size.MOST, "characters of a response", "characters of a reply", "characters of a cell", "quotes", "cells"],
)
def test_too_much_of_any_part_is_named(part: str) -> None:
    assert part.split(" of ")[0] in excess_of(worse(medium_report(train=4, heldout=4), part))
