"""A run that nothing disturbs, to compare with: what it wrote, and which answers it needed."""

import json
import os
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.cli.conftest import clean_environment
from tests.cli.world import World, flags, write_prompts
from tests.servers.openai_server import OpenAIServer
from tests.starter import Process, Starter


def contents(folder: Path) -> dict[str, bytes]:
    """Every file within."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def questions(server: OpenAIServer, since: int = 0) -> Counter[str]:
    """How often each question was asked."""
    return Counter(json.dumps(request, sort_keys=True) for request in list(server.requests)[since:])


def stored(cache: Path) -> int:
    """Answers that lie in a cache."""
    path = cache / "completions.sqlite"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'texts'").fetchall():
            return 0
        return int(database.execute("SELECT COUNT(*) FROM texts").fetchone()[0])


@dataclass(frozen=True)
class Undisturbed:
    """A run of two models and an LLM behind a server on loopback."""

    starter: Starter
    server: OpenAIServer
    command: tuple[str, ...]
    """Without `--out`."""
    folder: Path
    """Its cache and its report lie here."""
    files: dict[str, bytes]
    """What it wrote."""
    asked: Counter[str]
    """What it asked."""

    def start(
        self, folder: Path, *, cache: Path | None = None, file_size: int | None = None, name: str = "1"
    ) -> Process:
        """The same command, with another cache and report; its output goes to `<folder>/<name>.out` and `.err`."""
        environment = clean_environment(folder) | ({"DIFFING_CACHE": str(cache)} if cache else {})
        command = [*self.command, "--out", str(folder / "out")]
        return self.starter.start(command, environment, folder / f"{name}.out", folder / f"{name}.err", file_size)

    def finish(self, folder: Path, **how: object) -> str:
        """The same command to its end, which must be a good one; what it said on standard error."""
        process = self.start(folder, **how)  # type: ignore[arg-type]
        code = process.wait(300)
        said = (folder / "1.err").read_text(encoding="utf-8")
        assert code == 0, said
        assert contents(folder / "out") == self.files
        return said


def undisturbed(starter: Starter, server: OpenAIServer, folder: Path) -> Undisturbed:
    """Makes the run; one request at a time, so that a kill can lose one answer and no other."""
    command = ("run", *flags(server, write_prompts(folder / "prompts.jsonl"), concurrency=1))
    done = starter.run([*command, "--out", str(folder / "out")], clean_environment(folder))
    assert done.returncode == 0, done.stderr
    assert isinstance(server.answer, World)
    return Undisturbed(starter, server, command, folder, contents(folder / "out"), questions(server))


def end(process: Process, signal: int) -> int:
    """Sends a signal and waits; the exit code."""
    os.kill(process.pid, signal)
    return process.wait()
