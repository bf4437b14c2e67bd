"""What a report stores of signs that were counted."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from diffing import metrics
from diffing.judgements import Judgements
from diffing.report.judgements_table import judgement_table, read_judgement_table
from diffing.report.parquet import to_parquet
from diffing.types import Judgement, Verdict

ROWS = [
    Judgement("h", "1", Verdict.A, "measured", per_word="a", chance_a=0.8),
    Judgement("h", "2", Verdict.NEITHER, "measured", per_word="b", chance_a=0.55),
    Judgement("h", "3", Verdict.NEITHER, "measured"),
]


def test_a_reader_can_compute_p_again() -> None:
    loaded = read_judgement_table(judgement_table(Judgements.of(ROWS)), ["h"], ["1", "2", "3"], 5)
    assert loaded == ROWS
    assert metrics.measure(loaded, "a") == metrics.measure(ROWS, "a")
    assert metrics.measure(loaded, "a").p == pytest.approx(1 - 0.2 * 0.45)


@pytest.mark.parametrize(("change", "said"), [
    (lambda table: _with(table, "chance_a", pc.add(table.column("chance_a"), 1.0)), "is no probability"),
    (lambda table: _with(table, "per_word", pa.array(["x", None, None])), "there is no per_word 'x'"),
])  # fmt: skip
def test_what_no_report_can_hold_is_refused(change: Callable[[pa.Table], pa.Table], said: str) -> None:
    table = pq.read_table(pa.BufferReader(judgement_table(Judgements.of(ROWS))))
    with pytest.raises(ValueError, match=said):
        read_judgement_table(to_parquet(change(table)), ["h"], ["1", "2", "3"], 5)


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), column)
