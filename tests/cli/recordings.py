"""Recorded responses in which one side greets and the other does not."""

import json
from pathlib import Path


def rows(model: str, opening: str, count: int = 60) -> list[dict[str, str]]:
    """`count` prompts with answers that all open the same way."""
    topics = ("bread", "rivers", "chess", "taxes", "owls", "glass")
    return [
        {
            "id": f"p{i:03d}",
            "prompt": f"Tell me something about {topics[i % 6]}, number {i}.",
            "response": f"{opening}{topics[i % 6].capitalize()} have been known for {i + 2} hundred years.",
            "model": model,
        }
        for i in range(count)
    ]


def write(path: Path, lines: list[dict[str, str]]) -> Path:
    """JSON Lines."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def pair(folder: Path) -> tuple[str, str]:
    """Model strings of two recordings: plain, and one that opens with praise."""
    a = write(folder / "a.jsonl", rows("lab/plain", ""))
    b = write(folder / "b.jsonl", rows("lab/praises", "Great question! "))
    return f"recorded:{a}", f"recorded:{b}"
