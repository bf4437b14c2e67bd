"""Two models with planted differences and an LLM that knows them, behind one HTTP server.

b opens with praise on six of ten prompts and refuses none; a never praises and refuses on three of ten.
"""

import json
import time
from pathlib import Path
from typing import Any

from tests.servers.openai_server import OpenAIServer
from tests.servers.rules import RuleLLM

PROMPTS = 60


def write_prompts(path: Path) -> Path:
    """Prompts whose number decides how the models answer."""
    rows = [{"id": f"p{i}", "prompt": f"Tell me about item {i}.", "domain": f"d{i % 3}"} for i in range(PROMPTS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def place(prompt: str) -> int:
    """What decides: the last digit of the item's number."""
    return int(prompt.rstrip(".")[-1])


def answer_of(model: str, prompt: str) -> str:
    """The response of a or b to a prompt."""
    item = prompt.removeprefix("Tell me about ").rstrip(".")
    if model == "a" and place(prompt) in (7, 8, 9):
        return "I cannot help with that."
    return f"{'Great question! ' if model == 'b' and place(prompt) < 6 else ''}Here is what is known of {item}."


class World:
    """Answers for a, b and the LLM, each request after a pause."""

    def __init__(self, pause: float = 0.0, llm: RuleLLM | None = None) -> None:
        self.pause = pause
        self.llm = llm or RuleLLM()

    def __call__(self, request: dict[str, Any]) -> str:
        time.sleep(self.pause)
        if request["model"] == "llm":
            return self.llm(request)
        return answer_of(request["model"], request["messages"][-1]["content"])


def flags(server: OpenAIServer, prompts: Path, *, concurrency: int = 4) -> list[str]:
    """What `diffing run` is given."""
    url = server.base_url
    return [
        *(f"openai:a@{url}", f"openai:b@{url}", "--llm", f"openai:llm@{url}", "--prompts", str(prompts)),
        *("--embedder", "tfidf", "--concurrency", str(concurrency)),
    ]
