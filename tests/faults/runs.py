"""Whole runs against one server: what they wrote, and what they asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffing.config import DiffConfig
from diffing.models.cache import Store
from diffing.report import save_report
from diffing.run import run
from diffing.types import Report
from tests.cli.world import World, write_prompts
from tests.faults.servers import question
from tests.servers.openai_server import OpenAIServer

CONCURRENCY = 4


@dataclass(frozen=True)
class Size:
    """How large a run is."""

    train: int
    heldout: int
    llm: bool


SMALL = Size(10, 6, llm=False)
LARGE = Size(40, 20, llm=True)


@dataclass(frozen=True)
class Runs:
    """Runs of one comparison, each with a cache of its own unless one is named again."""

    server: OpenAIServer
    folder: Path
    size: Size

    def config(self, **changes: Any) -> DiffConfig:
        """What is compared; a short wait makes short pauses between attempts."""
        url = self.server.base_url
        of_llm = (
            {"method": ("lexical", "llm"), "llm": f"openai:llm@{url}", "embedder": "tfidf"} if self.size.llm else {}
        )
        settings = of_llm | {"timeout": 10.0, "concurrency": CONCURRENCY} | changes
        sides = (f"openai:a@{url}", f"openai:b@{url}")
        prompts = str(self.folder / "prompts.jsonl")
        return DiffConfig(*sides, prompts=prompts, train=self.size.train, heldout=self.size.heldout, **settings)

    def do(self, cache: str, **changes: Any) -> Report:
        """Does the run with the cache of this name."""
        store = Store(self.folder / cache / "completions.sqlite")
        try:
            return run(self.config(**changes), store=store)
        finally:
            store.close()

    def asked(self, since: int) -> list[tuple[str, str]]:
        """The questions answered since so many had been."""
        return [question(request) for request in self.server.answered[since:]]


@contextmanager
def world(folder: Path, size: Size) -> Iterator[Runs]:
    """The server and the prompts."""
    write_prompts(folder / "prompts.jsonl")
    with OpenAIServer(World()) as server:
        yield Runs(server, folder, size)


def written(report: Report, folder: Path) -> dict[str, bytes]:
    """What a report's files hold but notes and usage, and in what settings a server declined."""
    save_report(report, folder)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "report.json"}
    document = json.loads((folder / "report.json").read_bytes())
    for key in ("notes", "usage", "files"):
        document.pop(key, None)
    for side in ("model_a", "model_b"):
        document[side].pop("settings")
    return files | {"report.json": json.dumps(document, sort_keys=True).encode()}
