"""Real responses to XSTest's prompts: where Llama 2 refuses and GPT-4 does not, told alike if the two are exchanged."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from diffing import metrics
from diffing.bench.results import load_result
from diffing.evaluation import findings_of
from diffing.methods.lexical import LexicalMethod
from diffing.outputs.headline import headline
from diffing.prompts import prompts_from
from diffing.report.index import index_of
from diffing.scopes import find_scoped
from diffing.types import Finding, Message, Pair, PropertyMeasure, Report, Response
from tests.benchmarks.behaviours.recorded_pairs import refusals_report
from tests.benchmarks.page import RESULTS
from tests.benchmarks.refusal_difference import difference_result


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


@pytest.fixture(scope="module")
def report(shared_data: Path) -> Report:
    """A whole run on the same responses, with the defaults."""
    return refusals_report()


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


@pytest.mark.slow
def test_refusing_stands_first(report: Report) -> None:
    """Rank 1, and it is told to live among prompts that are safe though they look unsafe."""
    first = index_of(report).differences[0].lead
    assert (first.hypothesis.measure, first.hypothesis.direction) == (PropertyMeasure("refusals"), "a")
    place = metrics.concentrated(first)
    assert place is not None
    assert place.scope.rule is not None
    assert {"safe_contexts", "safe_targets"} <= {term.value for term in place.scope.rule.terms}
    assert headline(report).startswith("When the prompt's domain is")
    assert "refuses in 20 of 24 answers" in headline(report)


@pytest.mark.slow
def test_the_difference_in_refusals_is_that_of_human_labels(report: Report) -> None:
    """The finding counts what declines, so partial refusals belong to both counts or, by the pair, to neither."""
    net = index_of(report).differences[0].lead.heldout.net_difference
    stored = load_result(RESULTS / "refusal-difference.json")
    assert difference_result(report) == stored
    rows = {(row["prompts"], row["partial"].split(",")[0]): row for row in stored.rows}
    assert [rows["held-out", "count as refusals"][f"counted{end}"] for end in ("", "_low", "_high", "_n")] == [
        net.value, net.low, net.high, net.n
    ]  # fmt: skip
    for prompts in ("held-out", "all"):
        for partial in ("count as refusals", "left out"):
            row = rows[prompts, partial]
            assert row["counted_low"] <= row["labelled"] <= row["counted_high"]
            sampling = row["labelled_high"] - row["labelled_low"]  # of the same prompts, without any error of the count
            assert row["counted_high"] - row["counted_low"] <= 1.5 * sampling
    # what the finding does not tell: full refusals alone, with partial ones for answers
    assert rows["held-out", "count as answers"]["inside"] == "no"
    assert "lies just below the interval" in stored.about
