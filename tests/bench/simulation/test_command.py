"""`python -m tests.benchmarks.statistics`: prints its tables and keeps them for the page."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from diffing.bench.results import load_results
from diffing.bench.table_cells import cell
from tests.benchmarks.simulation import equivalence
from tests.benchmarks.statistics import commands


@pytest.fixture(scope="module")
def printed_and_kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:  # its tests of a thousand prompts take seconds
        patch.setattr(equivalence, "HELDOUT", (20, 30, 40, 50))
        result = CliRunner().invoke(commands, ["--runs", "1", "--seed", "3", "--save", str(folder)])
    assert result.exit_code == 0, result.output
    return result.output, folder


def test_every_row_is_kept_with_the_command(printed_and_kept: tuple[str, Path]) -> None:
    printed, folder = printed_and_kept
    results = dict(load_results(folder))
    assert {name: len(result.rows) for name, result in results.items()} == {
        "statistics-nulls": 56,
        "statistics-coverage": 3 * 45,
        "statistics-coverage-planned": 3 * 6,
        "statistics-thrift": 9,
        "statistics-conditional": 34,
        "statistics-described": 14,
        "statistics-scopes": 20,
        "statistics-scopes-power": 4,
        "statistics-equivalence": 96,
    }
    for result in results.values():
        assert result.command == "python -m tests.benchmarks.statistics --runs 1 --seed 3"
        assert result.title in printed
        assert "\n" not in result.about.replace("\n\n", "")
        for row in result.rows:
            assert all(cell(row, column) for column in result.columns)


def test_a_run_is_one_observation(printed_and_kept: tuple[str, Path]) -> None:
    _, folder = printed_and_kept
    for row in dict(load_results(folder))["statistics-nulls"].rows:
        assert (row["false_full_n"], row["accepted_n"]) == (1, row["hypotheses"])
        assert row["false_full"] in (0.0, 1.0)
