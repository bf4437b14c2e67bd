"""A whole run: exchanged models mirror the report, shuffled prompts leave it as it is."""

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from diffing.methods.lexical import LexicalMethod
from diffing.methods.llm import LlmMethod
from diffing.models.scripted import ScriptedModel
from diffing.outputs.claims import headline_leads
from diffing.pipeline import diff_models
from diffing.report.index import index_of
from diffing.types import Finding, Message, Prompt, Report, Verdict, other_side
from tests.servers.rules import RuleLLM, Trait, in_process
from tests.servers.topical import PLAINLY

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

TRAITS = tuple(
    Trait(re.compile(mark), (f"<MODEL> {said}.",), PLAINLY[:1], f"<MODEL> {said}.", category)
    for mark, said, category in (
        ("Hello there", "opens with a greeting", "style"),
        ("Great question", "opens with praise for the question", "style"),
        ("I cannot help", "refuses and sends the user to a doctor", "safety and alignment"),
        ("Enjoy your meal", "wishes the user a good meal", "style"),
        ("Perhaps", "hedges what it says", "knowledge and stance"),
        ("Does that help", "ends with a question back", "style"),
    )
)
"""What a judge of rules sees. What it says depends on no order of the responses, so its verdicts are mirrored."""


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


def judged(a: str, b: str) -> Report:
    """Compares half of the responses by what a judge sees, and by what is measured."""
    models = (ScriptedModel(name, lambda asked, _, name=name: responses(name)[asked[-1].content]) for name in (a, b))
    half = [prompt for i, prompt in enumerate(prompts()) if i % 80 < 40]
    llm = in_process(RuleLLM(traits=TRAITS))
    return diff_models(*models, half, methods=(LexicalMethod(), LlmMethod(llm, embedder="tfidf")), judge=llm)


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


def test_mirrored_verdicts_of_a_judge_mirror_the_list_and_the_headline() -> None:
    one, two = judged("base", "tuned"), judged("tuned", "base")
    found = {f.hypothesis.text: f.hypothesis.direction for f in index_of(one).confirmed if f.hypothesis.method == "llm"}
    assert sorted(found) == sorted(trait.hypothesis for trait in TRAITS)
    assert set(found.values()) == {"a", "b"}
    assert any({line.lead.hypothesis.method, *(m.finding.hypothesis.method for m in line.members)} == {"lexical", "llm"}
               for line in index_of(one).differences)  # fmt: skip
    assert lines(two, swapped=True) == lines(one)
    assert [told(each, swapped=True) for each in two.findings] == [told(each) for each in one.findings]
    leads = [told(each) for each in headline_leads(one)]
    assert [told(each, swapped=True) for each in headline_leads(two)] == leads
    assert len(leads) == 3


def test_the_order_of_prompts_changes_nothing(report: Report) -> None:
    shuffled = compared("base", "tuned", seed=1)
    assert lines(shuffled) == lines(report)
    assert [told(each) for each in shuffled.findings] == [told(each) for each in report.findings]
    assert [line.members for line in shuffled.merged] == [line.members for line in report.merged]
