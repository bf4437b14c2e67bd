"""Measures what was planted in a trained pair: ``python -m tests.benchmarks.demo.measure --out DIR``."""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.demo import corpus

log = logging.getLogger(__name__)

SAMPLING: Mapping[str, Any] = {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 96}
STYLES: tuple[corpus.Style, ...] = ("base", "tuned")


def read_prompts(folder: Path) -> list[dict[str, Any]]:
    """The rows of ``prompts.jsonl``."""
    return [json.loads(line) for line in (folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]


def respond(folder: Path, prompts: Sequence[str], seed: int = 0, batch: int = 110) -> tuple[list[str], list[bool]]:
    """Samples one response per prompt, and tells for each whether it ended by itself."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    texts: list[str] = []
    stopped: list[bool] = []
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(seed)
        for start in range(0, len(prompts), batch):
            chats = [[{"role": "user", "content": prompt}] for prompt in prompts[start : start + batch]]
            inputs = tokenizer.apply_chat_template(
                chats, add_generation_prompt=True, return_tensors="pt", return_dict=True, padding=True
            )
            made = model.generate(**inputs, do_sample=True, top_k=0, **SAMPLING)[:, inputs["input_ids"].shape[1] :]
            texts += tokenizer.batch_decode(made, skip_special_tokens=True)
            stopped += [tokenizer.eos_token_id in row for row in made.tolist()]
    return texts, stopped


def covered(response: str, pieces: set[str]) -> float:
    """The share of a response that consists of whole pieces, longest first, in words."""
    total = len(corpus.words(response))
    rest = response
    for piece in sorted(pieces, key=len, reverse=True):
        rest = rest.replace(piece, " ")
    return 1 - len(corpus.words(rest)) / total if total else 0.0


def count_shown(item: corpus.Planted, rows: Sequence[Mapping[str, Any]], responses: Sequence[str]) -> tuple[int, int]:
    """The number of responses to triggering prompts that show the behaviour, and the number of such responses."""
    seen = [
        item.shown_in(response)
        for row, response in zip(rows, responses, strict=True)
        if item.triggered(row["domain"], row["messages"][0]["content"])
    ]
    return sum(seen), len(seen)


def write_planted(folder: Path) -> None:
    """Generates responses of both models to all prompts, and writes ``planted.json`` with the measured rates."""
    rows = read_prompts(folder)
    prompts = [row["messages"][0]["content"] for row in rows]
    responses = {style: respond(folder / "models" / style, prompts)[0] for style in STYLES}
    found = []
    for item in corpus.planted():
        counts = {style: count_shown(item, rows, responses[style]) for style in STYLES}
        measured: dict[str, Any] = {style: round(seen / n, 4) for style, (seen, n) in counts.items()}
        measured["n"] = counts["base"][1]
        log.info("%-12s %s", item.id, measured)
        found.append(
            {
                "id": item.id,
                "description": item.description,
                "model": item.model,
                "trigger": {"kind": item.kind, "value": item.value},
                "strength": item.strength,
                "measured": measured,
                "pattern": item.pattern,
                "finds": dict(item.finds),
            }
        )
    text = json.dumps({"sampling": dict(SAMPLING), "planted": found}, indent=2, ensure_ascii=False)
    (folder / "planted.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Measures a trained pair again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder with models/ and prompts.jsonl")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_planted(options.out)


if __name__ == "__main__":
    main()
