"""The forest plot shows the report's numbers, on the right side, with text as text."""

import json
from dataclasses import replace

from diffing.outputs.figures import MAX_ROWS, forest, shown_text
from tests.outputs.samples import empty_report, hostile_report, medium_report


def test_every_finding_is_drawn_once_on_the_side_that_does_it_more() -> None:
    report = medium_report()
    drawn = {}
    for trace in forest(report).data:
        for x, y, more, less in zip(trace.x, trace.y, trace.error_x.array, trace.error_x.arrayminus, strict=True):
            drawn[y] = (x, x - less, x + more, trace.marker.symbol)
    assert sorted(drawn) == list(range(len(report.findings)))
    for row, finding in enumerate(report.findings):
        net, sign = finding.heldout.net_difference, -1 if finding.hypothesis.direction == "a" else 1
        low, high = sorted((100 * sign * net.low, 100 * sign * net.high))
        assert all(
            abs(got - want) < 1e-3 for got, want in zip(drawn[row], (100 * sign * net.value, low, high), strict=False)
        )
        assert drawn[row][3].startswith("circle" if finding.hypothesis.direction == "a" else "diamond")
        assert drawn[row][3].endswith("-open") != finding.confirmed


def test_both_layouts_are_the_same_every_time() -> None:
    for narrow in (False, True):
        assert forest(medium_report(), narrow=narrow).to_json() == forest(medium_report(), narrow=narrow).to_json()


def test_plotlys_own_markup_is_escaped() -> None:
    assert shown_text("<b>x</b> &lt; $y$ %{z}", 80) == "&lt;b&gt;x&lt;/b&gt; &amp;lt; &#36;y&#36; %{z}"
    assert shown_text("one two three", 80, 8) == "one two<br>three"
    text = json.dumps(forest(hostile_report()).to_plotly_json(), default=str).replace("<br>", "")
    assert "<" not in text


def test_many_findings_are_bounded_and_none_is_no_error() -> None:
    report = medium_report()
    many = replace(report, findings=report.findings * 10)
    assert sum(len(trace.x) for trace in forest(many).data) == MAX_ROWS
    assert len(forest(empty_report()).data) == 0
