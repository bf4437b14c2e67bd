"""Several processes share one run, as torchrun starts them: the report has the same bytes, and faults are one line."""

import socket
from pathlib import Path

import pytest

from diffing.demo import config as demo
from tests.cli.conftest import clean_environment
from tests.starter import Process, Starter

MODELS = Path(demo.__file__).parent / "models"
DIFFER = "ask different questions. Start all of them with the same command"


def command(folder: Path, out: str, *more: str) -> list[str]:
    prompts = folder / "prompts.jsonl"
    if not prompts.exists():
        lines = (MODELS.parent / "prompts.jsonl").read_text("utf-8").splitlines()
        prompts.write_text("\n".join(lines[:45:2]), "utf-8")
    sides = [str(MODELS / "base"), str(MODELS / "tuned"), "--prompts", str(prompts), "--train", "14", "--heldout", "9"]
    return [
        "run",
        *sides,
        "--max-new-tokens",
        "12",
        "--dtype",
        "float32",
        "--method",
        "lexical",
        "--out",
        str(folder / out),
        *more,
    ]


def group_of_two(folder: Path) -> list[dict[str, str]]:
    """The environment of each process, as torchrun sets it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = clean_environment(folder) | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(2)]


def ended(processes: list[Process], folder: Path) -> list[tuple[int, str]]:
    return [(process.wait(), (folder / f"{rank}.err").read_text("utf-8")) for rank, process in enumerate(processes)]


def started(starter: Starter, folder: Path, commands: list[list[str]]) -> list[Process]:
    environments = group_of_two(folder)
    return [
        starter.start(words, environments[rank], folder / f"{rank}.out", folder / f"{rank}.err")
        for rank, words in enumerate(commands)
    ]


@pytest.mark.slow
def test_two_processes_write_what_one_writes(starter: Starter, tmp_path: Path) -> None:
    alone = starter.run(command(tmp_path, "alone"), clean_environment(tmp_path / "other"))
    assert alone.returncode == 0, alone.stderr
    both = command(tmp_path, "shared")
    assert [code for code, _ in ended(started(starter, tmp_path, [both, both]), tmp_path)] == [0, 0]
    assert (tmp_path / "1.out").read_text() == ""
    names = {path.name for path in (tmp_path / "alone").iterdir()}
    assert names == {path.name for path in (tmp_path / "shared").iterdir()}
    for name in names - {"report.html"}:
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "shared" / name).read_bytes(), name


@pytest.mark.slow
def test_a_process_that_ends_early_ends_the_run_in_one_line(starter: Starter, tmp_path: Path) -> None:
    both = command(tmp_path, "out")
    (first, told), (second, refused) = ended(
        started(starter, tmp_path, [both, [*both[:2], str(tmp_path / "missing"), *both[3:]]]), tmp_path
    )
    assert (first, second) == (2, 2)
    said = [[line for line in text.splitlines() if line.startswith("diffing: ")] for text in (told, refused)]
    assert [len(lines) for lines in said] == [1, 1]
    assert said[0][0].startswith("diffing: Another process of this run ended before its part was done. ")
    assert "Traceback" not in told + refused


def test_processes_with_different_commands_are_told_so(starter: Starter, tmp_path: Path) -> None:
    both = command(tmp_path, "out")
    for code, told in ended(started(starter, tmp_path, [both, [*both, "--seed", "7"]]), tmp_path):
        assert (code, told.splitlines()[-1].count(DIFFER)) == (2, 1), told
