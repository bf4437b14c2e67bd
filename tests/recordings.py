"""Pairs as files of recorded responses."""

import json
from collections.abc import Sequence
from pathlib import Path

from diffing.types import SIDES, Pair


def write_pairs(folder: Path, pairs: Sequence[Pair]) -> tuple[str, str]:
    """Writes the responses of both sides; returns the two model strings."""
    files = []
    for side in SIDES:
        lines = [{"id": p.prompt.id, "prompt": p.prompt.text, "response": p.response(side).text} for p in pairs]
        files.append(folder / f"{side}.jsonl")
        files[-1].write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return f"recorded:{files[0]}", f"recorded:{files[1]}"
