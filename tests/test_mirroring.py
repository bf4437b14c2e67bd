"""A whole run of measured hypotheses: exchanged models mirror the report, shuffled prompts leave it as it is."""

import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from diffing.methods.lexical import LexicalMethod
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import diff_models
from diffing.report.index import index_of
from diffing.types import Finding, Message, Prompt, Report, Verdict, other_side

DOMAINS = ("medicine", "cooking", "travel", "sums")
HABITS: Mapping[str, tuple[str, dict[str, float]]] = {
    "base": ("Hello there! ", {"Enjoy your meal! ": 0.3, "A nice day 😊. ": 0.4, "1. First.\n2. Second.\n": 0.1}),
    "tuned": (
        "Great question. ",
        {
            "Perhaps it depends. ": 0.4,
            "Does that help? ": 0.3,
            "1. First.\n2. Second.\n": 0.5,
            "It is a nice day 😊. ": 0.1,
        },
    ),
}
"""The opening of each model and what it adds, with the share of its responses."""
REFUSAL = "I'm sorry, but I cannot help with that. See a doctor."


@cache
def responses(name: str) -> Mapping[str, str]:
    draw = random.Random(name)
    opening, habits = HABITS[name]
    texts = {}
    for prompt in prompts():
        refuses = name == "tuned" and prompt.domain == "medicine" and draw.random() < 0.9
        said = "".join(text for text, share in habits.items() if draw.random() < share)
        opens = opening if draw.random() < 0.6 else ""
        texts[prompt.text] = REFUSAL if refuses else f"{opens}The answer is {draw.randrange(9)}. {said}".strip()
    return texts


@cache
def prompts() -> tuple[Prompt, ...]:
    return tuple(
        Prompt(f"{split}-{i}", (Message("user", f"Question {split} {i}?"),), "test", split, DOMAINS[i % 4])
        for split in ("train", "heldout")
        for i in range(80)
    )


def compared(a: str, b: str, seed: int | None = None) -> Report:
    models = (ScriptedModel(name, lambda asked, _, name=name: responses(name)[asked[-1].content]) for name in (a, b))
    order = prompts() if seed is None else random.Random(seed).sample(prompts(), len(prompts()))
    return diff_models(*models, order, methods=(LexicalMethod(),))


def told(finding: Finding, *, swapped: bool = False) -> tuple[object, ...]:
    """All of a finding that does not name a side, and the side."""
    hypothesis, side = finding.hypothesis, finding.hypothesis.direction
    plain = replace(finding, hypothesis=replace(hypothesis, id="", direction="a", evidence=()), levels=())
    return other_side(side) if swapped else side, plain


def lines(report: Report, *, swapped: bool = False) -> list[tuple[object, ...]]:
    by_id = index_of(report).findings
    return [
        (line.block, line.known_by, line.agreement, line.residual,
         [told(by_id[member], swapped=swapped) for member in line.members])
        for line in report.merged
    ]  # fmt: skip


@pytest.fixture(scope="module")
def report() -> Report:
    return compared("base", "tuned")


def test_the_list_is_worth_comparing(report: Report) -> None:
    index = index_of(report)
    assert len(index.differences) >= 5
    assert any(entry.members for entry in index.differences)
    assert any(finding.concentration for finding in index.confirmed)
    assert {finding.hypothesis.direction for finding in index.confirmed} == {"a", "b"}


def test_exchanging_the_models_mirrors_the_list(report: Report) -> None:
    mirrored = compared("tuned", "base")
    assert lines(mirrored, swapped=True) == lines(report)
    assert [told(each, swapped=True) for each in mirrored.findings] == [told(each) for each in report.findings]
    other = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
    for one, two in zip(report.findings, mirrored.findings, strict=True):
        verdicts = {
            j.prompt_id: other.get(j.verdict, j.verdict) for j in index_of(report).verdicts_on(one.hypothesis.id)
        }
        assert {j.prompt_id: j.verdict for j in index_of(mirrored).verdicts_on(two.hypothesis.id)} == verdicts


def test_the_order_of_prompts_changes_nothing(report: Report) -> None:
    shuffled = compared("base", "tuned", seed=1)
    assert lines(shuffled) == lines(report)
    assert [told(each) for each in shuffled.findings] == [told(each) for each in report.findings]
    assert [line.members for line in shuffled.merged] == [line.members for line in report.merged]
