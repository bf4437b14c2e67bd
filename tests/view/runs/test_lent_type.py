"""Runs whose answers are lent and the process that does the run agree on the type of numbers: it is part of a model's
identity, by which the answers are found."""

from pathlib import Path

import pytest

from diffing.config import DiffConfig
from diffing.view.runs import OWN_MACHINE, RunManager
from tests.view.runs.conftest import OWNER


@pytest.mark.parametrize(
    ("lends", "chosen", "expected"),
    [(True, "auto", "bfloat16"), (True, "float32", "float32"), (False, "auto", "auto")],
)
def test_what_auto_stands_for_is_settled_where_answers_are_lent(
    tmp_path: Path, lends: bool, chosen: str, expected: str
) -> None:
    manager = RunManager(tmp_path, workers=0, rules=OWN_MACHINE, lends=lambda config: lends)
    try:
        run_id = manager.start(DiffConfig(model_a="org/a", model_b="org/b", dtype=chosen), owner=OWNER)
        config = manager.config(run_id)
        assert config is not None
        assert config.dtype == expected
    finally:
        manager.close()
