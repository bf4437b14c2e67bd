"""Measures the lexical method against an older checkout: `python -m tests.benchmarks.bench_lexical OLD_CHECKOUT`.

The texts are recorded responses (SFT and RLHF of one lineage, two samples each), of which more are made by mixing the
sentences of one side and exchanging 15 % of the words. Hypotheses are found on all pairs and measured on all pairs.
Old and new run one after the other; their hypotheses, tables, verdicts and values must be the same.
"""

import hashlib
import json
import random
import re
import resource
import sys
import time
from pathlib import Path

from diffing.methods.lexical import LexicalMethod
from diffing.types import Message, Pair, Prompt, Response

DATA = Path(__file__).parents[3] / "shared" / "data" / "responses"
MODELS = ("pythia12b-sft-7k", "pythia12b-rlhf-2k")
SIZES = (1_000, 5_000, 10_000)
COMPARED = 5_000
"""Number of pairs with which old and new are compared."""


def mixed_pairs(count: int) -> list[Pair]:
    """Pairs of one kind of text, drawn from recorded responses."""
    draw = random.Random(0)
    sides = [_responses(model) for model in MODELS]
    sentences = [[each for row in rows for each in _sentences(row["response"]) if each.strip()] for rows in sides]
    words = [[word for sentence in of_side for word in sentence.split()] for of_side in sentences]

    def text(side: int, number: int) -> str:
        row = sides[side][number % len(sides[side])]
        mixed = "".join(draw.choice(sentences[side]) for _ in _sentences(row["response"]))
        return re.sub(r"\S+", lambda match: draw.choice(words[side]) if draw.random() < 0.15 else match[0], mixed)

    def pair(number: int) -> Pair:
        asked = sides[0][number % len(sides[0])]["prompt"]
        prompt = Prompt(f"p{number}", (Message("user", asked),), "recorded", "train")
        a, b = (Response(prompt.id, MODELS[side], text(side, number), "stop") for side in (0, 1))
        return Pair(prompt, a, b)

    return [pair(number) for number in range(count)]


def measured(count: int) -> dict[str, object]:
    """Processor seconds, peak memory and a digest of everything that the method gives."""
    pairs = mixed_pairs(count)
    start = time.process_time()
    method = LexicalMethod()
    found = method.find_hypotheses(pairs)
    values = method.measure_values(found.hypotheses, pairs)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # without the names of classes, and without the words in which a property is explained
    claims = [(each.id, each.text, each.direction, each.category, each.train_effect) for each in found.hypotheses]
    tables = [
        (name, [[cell for cell in row.items() if cell[0] != "definition"] for row in rows])
        for name, rows in found.tables.items()
    ]
    verdicts = [(each.hypothesis_id, each.prompt_id, each.verdict.value, each.chance_a) for each in values.judgements]
    given = (claims, tables, verdicts, [(str(measure), each.tolist()) for measure, each in values.values.items()])
    digest = hashlib.sha256(repr(given).encode()).hexdigest()
    return {"seconds": seconds, "peak": peak, "digest": digest, "hypotheses": len(found.hypotheses)}


def main(old_checkout: Path) -> None:
    """Measures old and new side by side, and stores the results."""
    from tests.benchmarks.speed import child, row, store

    script = Path(__file__)
    old = child(script, ["--pairs", COMPARED], old_checkout)
    new = {size: child(script, ["--pairs", size]) for size in SIZES}
    if old["digest"] != new[COMPARED]["digest"]:
        raise SystemExit("expected the same results as before")
    growth = new[SIZES[2]]["seconds"] / new[SIZES[0]]["seconds"]
    rows = [
        row(f"{COMPARED:,} pairs", new[COMPARED]["seconds"], "processor s", "0.25", round(old["seconds"], 1)),
        row(f"{COMPARED:,} pairs, peak memory of the process", new[COMPARED]["peak"], "MB", "", round(old["peak"])),
        row(f"{SIZES[2]:,} pairs, peak memory of the process", new[SIZES[2]]["peak"], "MB", "600 MB"),
        row(f"{SIZES[2]:,} pairs against {SIZES[0]:,}", growth, "times", "12"),
    ]
    about = (
        "Hypotheses are found and measured on all pairs, responses of about 257 words. Every hypothesis, table, "
        "verdict and value is the same as before."
    )
    store("lexical", "The lexical method against before", about, rows, {"hypotheses": new[COMPARED]["hypotheses"]})


def _responses(model: str) -> list[dict[str, str]]:
    files = [DATA / f"{model}.sample{sample}.jsonl" for sample in (0, 1)]
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?\n])(?=\s)", text)


if __name__ == "__main__":
    if sys.argv[1] == "--pairs":
        print(json.dumps(measured(int(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]))
