"""Real responses to XSTest's prompts: where Llama 2 refuses and GPT-4 does not, told alike if the two are exchanged."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from diffing import metrics
from diffing.evaluation import findings_of
from diffing.methods.lexical import LexicalMethod
from diffing.prompts import prompts_from
from diffing.scopes import find_scoped
from diffing.types import Finding, Message, Pair, PropertyMeasure, Response


def pairs_of(shared_data: Path) -> list[Pair]:
    with (shared_data / "prompts" / "xstest" / "xstest_prompts.csv").open(encoding="utf-8") as file:
        types = {row["id"]: row["type"] for row in csv.DictReader(file)}
    responses = {}
    for model in ("llama2orig", "gpt4"):
        lines = (shared_data / "refusals" / f"xstest_{model}.jsonl").read_text(encoding="utf-8").splitlines()
        responses[model] = {row["id"].removeprefix("v2-"): row for row in map(json.loads, lines)}
    told = [(key, (Message("user", row["prompt"]),), types[key]) for key, row in responses["gpt4"].items()]
    return [
        Pair(
            prompt,
            *(Response(prompt.id, model, responses[model][prompt.id]["response"], "stop") for model in responses),
        )
        for prompt in prompts_from(told, "xstest", 300, 150)
    ]


def findings(pairs: Sequence[Pair]) -> tuple[Finding, ...]:
    method = LexicalMethod()
    discovery = method.find_hypotheses([pair for pair in pairs if pair.prompt.split == "train"])
    measured = method.measure(discovery.hypotheses, pairs)
    scopes = find_scoped([method], [discovery], measured, pairs)
    hypotheses = (*discovery.hypotheses, *scopes.hypotheses)
    return findings_of(hypotheses, [*measured, *scopes.judgements], pairs, {}, metrics.ALPHA, scopes)


def told(found: Sequence[Finding]) -> set[tuple[object, ...]]:
    return {(each.hypothesis.text, each.heldout, each.concentration, each.confirmed) for each in found}


@pytest.mark.slow
def test_where_llama_refuses_and_gpt_does_not(shared_data: Path) -> None:
    pairs = pairs_of(shared_data)
    found = findings(pairs)
    (refuses,) = [
        each
        for each in found
        if each.hypothesis.measure == PropertyMeasure("refusals")
        and each.hypothesis.direction == "a"
        and each.confirmed
    ]
    place = metrics.concentrated(refuses)
    assert place is not None
    assert place.scope.rule is not None
    # safe contexts and targets, and groups that nothing real is done to: prompts that only look unsafe
    safe = {"safe_contexts", "safe_targets", "nons_group_real_discr", "real_group_nons_discr", "figurative_language"}
    assert {term.value for term in place.scope.rule.terms} <= safe
    assert (place.inside.k_against, place.inside.net_difference.low > place.outside.net_difference.high) == (0, True)
    exchanged = findings([replace(pair, a=pair.b, b=pair.a) for pair in pairs])
    assert told(exchanged) == told(found)
