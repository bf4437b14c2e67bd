"""Measures a finished run started again: `python -m tests.benchmarks.bench_rerun [PROMPTS]`.

Two models on a local server answer the prompts (5,000 by default, thus 10,000 completions) for a run with the lexical
method. Then the same command runs again, five times, of which the smallest counts, since other programs may be running.
Measured are the processor seconds and the calls.
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from diffing.prompts import load_prompts
from tests.benchmarks.speed import row, store
from tests.cli.conftest import clean_environment
from tests.servers.openai_server import OpenAIServer

PROMPTS = 5_000
AGAIN = 5
OPENINGS = {"a": "Certainly. ", "b": "Great question! "}


def main(prompts: int) -> None:
    """Runs the command twice."""
    texts = [prompt.text for prompt in load_prompts("bundled")]
    with tempfile.TemporaryDirectory() as folder, OpenAIServer(answered) as server:
        asked = Path(folder) / "prompts.jsonl"
        rows = [{"id": f"p{n}", "prompt": f"{texts[n % len(texts)]} ({n})"} for n in range(prompts)]
        asked.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        sides = [f"openai:{model}@{server.base_url}" for model in OPENINGS]
        size = ["--train", str(prompts * 3 // 5), "--heldout", str(prompts - prompts * 3 // 5)]
        command = [sys.executable, "-m", "diffing", "run", *sides, "--prompts", str(asked), "--balance", "none", *size]
        command += ["--method", "lexical", "--concurrency", "16", "--out", str(Path(folder) / "out")]
        seconds, calls = [], []
        for _ in range(1 + AGAIN):
            asked_before, before = server.count, children_seconds()
            subprocess.run(command, check=True, env=clean_environment(Path(folder)), capture_output=True)
            seconds.append(children_seconds() - before)
            calls.append(server.count - asked_before)
    rows = [
        row("the first run", seconds[0], "processor s", ""),
        row("the same command again", min(seconds[1:]), "processor s", "1.5"),
        row("the same command again", max(calls[1:]), "calls", "0"),
    ]
    about = (
        f"{2 * prompts:,} completions, lexical method; the smallest of {AGAIN} runs, and their largest number of calls."
    )
    store("rerun", "A finished run started again", about, rows, {"prompts": prompts})


def answered(request: dict[str, str]) -> str:
    """An answer of 60 to 100 words, in which the models differ by their opening and by a word."""
    asked = str(request["messages"])
    words = [f"word{hash_of(asked, place) % 997}" for place in range(60 + hash_of(asked, 0) % 40)]
    return OPENINGS[request["model"]] + " ".join(words) + ("." if request["model"] == "a" else " indeed.")


def hash_of(text: str, place: int) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(f"{place}{text}".encode()[-24:], "little") * 2_654_435_761 >> 7


def children_seconds() -> float:
    """The processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PROMPTS)
