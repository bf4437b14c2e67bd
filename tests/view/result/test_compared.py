"""The cells of the methods' comparison are written as the rest of the view is."""

import pytest

from diffing.bench.results import ResultColumn, Unit, estimate_cells
from diffing.estimates import Estimate
from diffing.view.result.method_comparison import ComparisonCell, cell_of


@pytest.mark.parametrize(
    ("estimate", "unit", "told"),
    [
        (Estimate(0.9, 0.7797, 0.9548, 48), "%", ComparisonCell("90%", "78 to 95%", "n 48")),
        (Estimate(0.15, 0.1, -0.2, 7), "points", ComparisonCell("+15", "+10 to \N{MINUS SIGN}20", "n 7")),
        (Estimate(1.664, 1.45, 1.894, 1200), "", ComparisonCell("1.66", "1.45 to 1.89", "n 1,200")),
        (Estimate(-0.0132, None, None, 17), "", ComparisonCell("\N{MINUS SIGN}0.01", "no interval", "n 17")),
        (Estimate(None, None, None, 0), "%", ComparisonCell("–", "", "n 0")),
    ],
)
def test_an_estimate(estimate: Estimate, unit: Unit, told: ComparisonCell) -> None:
    assert cell_of(estimate_cells("x", estimate), ResultColumn("x", "X", unit)) == told


def test_what_is_no_estimate() -> None:
    row = {"method": "lexical", "hypotheses": 1234}
    assert cell_of(row, ResultColumn("method", "Method")) == ComparisonCell("lexical", "", "")
    assert cell_of(row, ResultColumn("hypotheses", "Hypotheses")) == ComparisonCell("1,234", "", "")
