"""Measures a finished run started again: `python -m tests.benchmarks.bench_rerun [PROMPTS]`.

Two models on a local server answer the prompts (5,000 by default, thus 10,000 completions) for a run with the lexical
method. Then the same command runs again. Prints the processor seconds and the calls of both runs.
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from diffing.prompts import load_prompts
from tests.cli.conftest import clean_environment
from tests.servers.openai_server import OpenAIServer

PROMPTS = 5_000
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
        for name in ("first run", "the same command again"):
            calls, before = server.count, children_seconds()
            subprocess.run(command, check=True, env=clean_environment(Path(folder)), capture_output=True)
            print(f"{name}: {children_seconds() - before:.2f} processor seconds, {server.count - calls} calls")


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
