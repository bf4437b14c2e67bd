"""The checklist of the planted example, from its ground truth and its report: found as which finding, or why not."""

import re
from collections.abc import Mapping
from typing import Any

from diffing.outputs.phrasing import prompts_in, smallest_confirmable
from diffing.report.index import index_of
from diffing.types import Report, Row
from tests.demo.test_demo_run import PLANTED, evidence_for


def checklist(report: Report) -> tuple[Row, ...]:
    """One row for each planted difference: the first confirmed finding that says it (leads come first), or a reason."""
    return tuple(_row(planted, report) for planted in PLANTED)


def _row(planted: Mapping[str, Any], report: Report) -> Row:
    index = index_of(report)
    found = [finding.hypothesis.id for finding in evidence_for(dict(planted), report)]
    first = min(found, key=index.numbers.__getitem__, default="")
    return {"planted": planted["description"], "finding": first, "reason": "" if first else _reason(planted, report)}


def _reason(planted: Mapping[str, Any], report: Report) -> str:
    side = "a" if planted["model"] == "base" else "b"
    heldout = [pair for pair in report.pairs if pair.prompt.split == "heldout"]
    shown = sum(re.search(planted["pattern"], pair.response(side).text) is not None for pair in heldout)
    n = prompts_in(report, "heldout")
    needed = round((smallest_confirmable(len(index_of(report).tested), n) or 1.0) * n)
    return (
        f"Too rare: {shown} of the {n} answers of {planted['model']} to prompts kept aside "
        f"{'shows' if shown == 1 else 'show'} it, and nothing that shows in fewer than {needed} could be confirmed."
    )
