"""The embedded pair and SAE: planted differences are confirmed; one model against itself confirms nothing."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import diffing.demo
from diffing import metrics
from diffing.demo import measure
from diffing.methods.sae import SaeMethod
from diffing.methods.sae.features import ReadPair, measured_features
from diffing.types import Hypothesis, Message, Pair, Prompt, Response

HOME = Path(diffing.demo.__file__).parent
SAE = HOME / "models" / "sae"


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[Pair, ...]]:
    """Base against tuned, and two samples of base; every third prompt is held out."""
    rows = measure.read_prompts(HOME)[::2]  # half of them: enough, and quicker
    texts = [row["messages"][0]["content"] for row in rows]
    said = {
        name: measure.respond(HOME / "models" / style, texts, seed=seed)[0]
        for name, style, seed in (("base", "base", 1), ("again", "base", 2), ("tuned", "tuned", 1))
    }

    def made(a: str, b: str) -> tuple[Pair, ...]:
        prompts = [
            Prompt(row["id"], (Message("user", text),), "demo", "heldout" if i % 3 == 0 else "train", row["domain"])
            for i, (row, text) in enumerate(zip(rows, texts, strict=True))
        ]
        both = zip(prompts, said[a], said[b], strict=True)
        return tuple(Pair(p, Response(p.id, a, x, "stop"), Response(p.id, b, y, "stop")) for p, x, y in both)

    return {"planted": made("base", "tuned"), "null": made("base", "again")}


def confirmed(pairs: tuple[Pair, ...]) -> tuple[SaeMethod, list[Hypothesis]]:
    sae = SaeMethod(str(HOME / "models" / "base"), sae=str(SAE))
    found = sae.find_hypotheses([pair for pair in pairs if pair.prompt.split == "train"]).hypotheses
    judged = sae.measure(found, [pair for pair in pairs if pair.prompt.split == "heldout"])
    by_id = {h.id: metrics.measure([j for j in judged if j.hypothesis_id == h.id], h.direction) for h in found}
    tested = metrics.confirm(by_id)
    return sae, [h for h in found if metrics.confirmed(tested[h.id])]


def test_small() -> None:
    assert sum(path.stat().st_size for path in SAE.iterdir()) <= 1_000_000


def test_planted_differences_are_confirmed(pairs: dict[str, tuple[Pair, ...]]) -> None:
    planted: list[dict[str, Any]] = json.loads((HOME / "planted.json").read_text("utf-8"))["planted"]
    sae, hypotheses = confirmed(pairs["planted"])
    both, _ = sae._read(pairs["planted"], lambda *_: None)
    found = {item["id"] for item in planted if any(finds(h, item, both) for h in hypotheses)}
    assert len(found) >= len(planted) / 2, sorted(found)


def finds(hypothesis: Hypothesis, item: dict[str, Any], both: list[ReadPair]) -> bool:
    """Active in half of the responses that show the behaviour, and half of where it is active shows it, at least."""
    side = "a" if item["model"] == "base" else "b"
    if hypothesis.direction != side:
        return False
    (feature,) = measured_features(hypothesis)
    shown = [re.search(item["pattern"], pair.pair.response(side).text) is not None for pair in both]
    active = [pair.latents(side).value(feature) > 0 for pair in both]
    hits = sum(s and x for s, x in zip(shown, active, strict=True))
    return sum(shown) >= 3 and hits >= 0.5 * sum(shown) and hits >= 0.5 * sum(active)


def test_one_model_against_itself_confirms_nothing(pairs: dict[str, tuple[Pair, ...]]) -> None:
    assert confirmed(pairs["null"])[1] == []
