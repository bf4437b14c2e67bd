"""A third of the calls fails, then is answered: responses, verdicts and findings are those of a run without faults."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.runs import CONCURRENCY, LARGE, SMALL, Runs, world, written
from tests.faults.servers import LATER, PASSING, SLOW, Passing
from tests.fewer import fewer
from tests.servers.openai_server import Status

AFTER = CONCURRENCY + 1
"""Requests to one model after which the client has read an answer."""


@dataclass(frozen=True)
class Undisturbed:
    """A run without a fault."""

    runs: Runs
    files: dict[str, bytes]
    """What it wrote."""
    questions: list[tuple[str, str]]
    """What it asked, sorted."""


def undisturbed(runs: Runs) -> Undisturbed:
    files = written(runs.do("undisturbed"), runs.folder / "undisturbed" / "out")
    return Undisturbed(runs, files, sorted(runs.asked(0)))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with world(tmp_path_factory.mktemp("small"), SMALL) as runs:
        yield undisturbed(runs)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with world(tmp_path_factory.mktemp("large"), LARGE) as runs:
        yield undisturbed(runs)


def assert_changes_nothing(whole: Undisturbed, faults: Passing, out: Path, **changes: float) -> None:
    server = whole.runs.server
    before = len(server.answered)
    server.fault = faults
    try:
        report = whole.runs.do(str(out), **changes)
    finally:
        server.fault = None
    assert faults.planted >= min(faults.most, len(whole.questions) // 6)
    files = written(report, out / "report")
    assert list(files) == list(whole.files)
    assert [name for name in files if files[name] != whole.files[name]] == []
    # nothing that was answered is asked again, neither in this run nor in the next
    assert sorted(whole.runs.asked(before)) == whole.questions
    count = server.count
    again = whole.runs.do(str(out), **changes)
    assert server.count == count
    assert written(again, out / "again") == files


@pytest.mark.parametrize(
    "name",
    fewer(
        PASSING, ("429 with Retry-After", "the connection is reset", "JSON is cut", "no content", "500 within a 200")
    ),
)
def test_a_fault_that_passes_changes_nothing(name: str, small: Undisturbed, tmp_path: Path) -> None:
    assert_changes_nothing(small, Passing(PASSING[name]), tmp_path)


@pytest.mark.parametrize("name", fewer(LATER, ("another model",)))
def test_a_fault_after_a_good_answer_changes_nothing(name: str, small: Undisturbed, tmp_path: Path) -> None:
    assert_changes_nothing(small, Passing(LATER[name], after=AFTER), tmp_path)


@pytest.mark.parametrize("name", SLOW)
def test_a_fault_that_takes_time_changes_nothing(name: str, small: Undisturbed, tmp_path: Path) -> None:
    assert_changes_nothing(small, Passing(SLOW[name], most=2), tmp_path, timeout=3.0)


def test_all_faults_together_change_nothing(small: Undisturbed, tmp_path: Path) -> None:
    kinds = [fault for name, fault in PASSING.items() if name != "a body without end"]

    class Mixed(Passing):
        def __call__(self, request):
            planted = super().__call__(request)
            return planted and kinds[self.planted % len(kinds)]

    assert_changes_nothing(small, Mixed(Status(500)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", [*PASSING, *LATER])
def test_the_same_with_an_llm_that_describes_and_judges(
    name: str, seed: int, large: Undisturbed, tmp_path: Path
) -> None:
    after = AFTER if name in LATER else 0
    assert_changes_nothing(large, Passing((PASSING | LATER)[name], seed=seed, after=after), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_same_with_an_llm_and_faults_that_take_time(name: str, large: Undisturbed, tmp_path: Path) -> None:
    assert_changes_nothing(large, Passing(SLOW[name]), tmp_path, timeout=3.0, concurrency=16)
