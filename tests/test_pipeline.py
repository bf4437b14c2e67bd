"""The main job called from Python: scripted models, planted truth, settings told, what cannot work refused early."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest

from diffing.errors import ModelError, SettingError
from diffing.estimates import Metrics
from diffing.methods.lexical import LexicalMethod
from diffing.metrics.weights import weighted_benjamini_hochberg, weights
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import prompts_from
from diffing.scope import Scope
from diffing.types import (
    Completion,
    Conversation,
    Discovery,
    Hypothesis,
    Judgement,
    Message,
    ModelInfo,
    OnProgress,
    Pair,
    Prompt,
    PropertyMeasure,
    Report,
    Verdict,
    ignore_progress,
)
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM, in_process, label_of, numbered, read

PROMPTS = prompts_from(
    ((None, (Message("user", f"Tell me about item {i}."),), None) for i in range(90)), "test", 60, 30
)
PLAIN = ScriptedModel("plain", lambda conversation, sampling: "It is known.")
PRAISES = ScriptedModel("praises", lambda conversation, sampling: "Great question! It is known.")


def compare(*methods: LexicalMethod, prompts: tuple[Prompt, ...] = PROMPTS) -> Report:
    options = DiffOptions(sampling=Sampling(temperature=0.5, seed=3))
    return diff_models(PLAIN, PRAISES, prompts, methods=methods, options=options)


def test_planted_truth_and_the_settings_that_decided_it() -> None:
    report = compare(LexicalMethod())
    (praise,) = [finding for finding in report.findings if finding.hypothesis.measure == PropertyMeasure("praise")]
    heldout = sum(prompt.split == "heldout" for prompt in PROMPTS)
    assert (praise.hypothesis.direction, praise.confirmed, praise.accepted) == ("b", True, True)
    assert (praise.heldout.k_for, praise.heldout.k_against, praise.heldout.n) == (heldout, 0, heldout)
    assert (report.settings["temperature"], report.settings["seed"], report.settings["alpha"]) == (0.5, 3, 0.01)


class Sayings:
    """A method whose sentences are judged."""

    name = "said"
    models: tuple[ModelInfo, ...] = ()

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        praises = Hypothesis("said-praise", PRAISE.hypothesis, "b", "said", "style", speaks_of="praise")
        at_once = Hypothesis("said-at-once", PRAISE.lacks[0], "a", "said", "style")
        refuses = Hypothesis("said-refuses", REFUSAL.hypothesis, "a", "said", "safety and alignment")
        return Discovery((praises, at_once, refuses))


def test_what_is_found_is_told_before_a_judge_is_asked() -> None:
    rules = in_process(RuleLLM())
    told: list[dict[str, Metrics | None]] = []

    def on_hypotheses(hypotheses: Sequence[tuple[Hypothesis, Metrics | None]]) -> None:
        assert not rules.requests
        told.append({hypothesis.id: metrics for hypothesis, metrics in hypotheses})

    report = diff_models(
        PLAIN, PRAISES, PROMPTS, methods=(LexicalMethod(), Sayings()), judge=rules, on_hypotheses=on_hypotheses
    )
    measured = {f.hypothesis.id: f.train for f in report.findings if f.hypothesis.measure is not None}
    judged = {f.hypothesis.id: None for f in report.findings if f.hypothesis.measure is None}
    assert told == [measured, judged]


def test_methods_merge_into_one_list_and_the_judge_is_checked_without_changing_a_finding() -> None:
    """Praise is measured, judged, and judged mirrored: one entry of three. Refusing is nothing of the kind."""
    measured = "<MODEL> opens with praise for the user's question or idea more often"
    rules = in_process(RuleLLM(traits=(replace(PRAISE, has=(*PRAISE.has, measured)), REFUSAL)))
    second = ScriptedModel("second", lambda conversation, sampling: rules.generate([conversation], sampling)[0])
    methods = (LexicalMethod(), Sayings())
    report = diff_models(PLAIN, PRAISES, PROMPTS, methods=methods, judge=rules, second_judge=second)
    (praise,) = [f.hypothesis.id for f in report.findings if f.hypothesis.measure == PropertyMeasure("praise")]
    (entry,) = [entry for entry in report.merged if "said-praise" in entry.members]
    assert set(entry.members) >= {praise, "said-praise", "said-at-once"}
    known = dict(zip(entry.members, entry.known_by, strict=True))
    assert {known[each] for each in (praise, "said-praise", "said-at-once")} == {"lead", "property", "judge"}
    assert set(known.values()) <= {"lead", "property", "judge", "verdicts", "part", "pairs"}
    assert [e.members for e in report.merged if "said-refuses" in e.members] == [("said-refuses",)]
    rows = {str(row["check"]): row["value"] for row in report.tables["judge_checks"]}
    assert {name: rows[name] for name in ("both orders", "measured properties", "second judge")} == dict.fromkeys(
        ("both orders", "measured properties", "second judge"), 1.0
    )
    stages = {usage.stage: usage.calls for usage in report.usage}
    # a question holds all three sentences; 12 are asked again with the responses swapped, and of the second judge
    assert (stages["check judge"], stages["second judge"], stages["merge"] > 0) == (12, 12, True)
    assert ("second judge", "scripted:second") in {(info.role, info.id) for info in report.others}
    unchecked = DiffOptions(check_judge=0)
    plain = diff_models(PLAIN, PRAISES, PROMPTS, methods=methods, judge=rules, options=unchecked)
    assert (plain.findings, plain.judgements, plain.merged) == (report.findings, report.judgements, report.merged)


class Described:
    """A method that has verdicts on train pairs, from what it read there, and one hypothesis with a condition."""

    name = "llm"
    models: tuple[ModelInfo, ...] = ()
    early = Hypothesis(
        "llm-early", "<MODEL> praises when asked about an early item.", "b", "llm", "style",
        scope=Scope("stated", "when asked about an early item"),
    )  # fmt: skip
    praises = Hypothesis("llm-praise", PRAISE.hypothesis, "b", "llm", "style")

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        verdicts = [Verdict.B if i < 6 else Verdict.NOT_SHOWN for i in range(len(pairs))]
        described = [
            Judgement(hypothesis.id, pair.prompt.id, verdict, "described")
            for hypothesis in (self.early, self.praises)
            for pair, verdict in zip(pairs, verdicts, strict=True)
        ]
        elsewhere = Judgement(self.praises.id, "not a train pair", Verdict.A, "described")
        return Discovery((self.early, self.praises), (*described, elsewhere))


def early_and_praise(conversation: Conversation, sampling: Sampling) -> str:
    """A judge: items below 50 are early, and praise is seen where it is."""
    reading = read(conversation[-1].content)
    if reading.task == "scope":
        items = [int(prompt.split("item ")[1].rstrip(".")) for prompt in reading.blocks[1:]]
        return json.dumps({"prompts": [{"prompt": i, "meets": [1] * (k < 50)} for i, k in enumerate(items, start=1)]})
    if reading.task != "judge":
        return "{}"
    listed, _, one, two = reading.blocks
    fits = label_of([PRAISE.mark.search(response) is not None for response in (one, two)])
    return json.dumps({"verdicts": [{"statement": i, "fits": fits} for i, _ in enumerate(numbered(listed), start=1)]})


@pytest.mark.parametrize("judging", ["thrift", "full"])
def test_train_verdicts_of_a_method_stand_and_scopes_give_a_second_figure(judging: Literal["thrift", "full"]) -> None:
    report = diff_models(
        PLAIN, PRAISES, PROMPTS, methods=[Described()], judge=ScriptedModel("judge", early_and_praise),
        options=DiffOptions(judging=judging, check_judge=0),
    )  # fmt: skip
    found = {finding.hypothesis.id: finding for finding in report.findings}
    train, heldout = (sum(prompt.split == split for prompt in PROMPTS) for split in ("train", "heldout"))
    early = [prompt for prompt in PROMPTS if int(prompt.text.split("item ")[1].rstrip(".")) < 50]
    inside = sum(prompt.split == "heldout" for prompt in early)
    conditional, praise = found["llm-early"], found["llm-praise"]
    assert 0 < inside < heldout
    assert (conditional.heldout.k_for, conditional.heldout.n) == (inside, heldout)
    assert conditional.heldout_in_scope is not None
    assert (conditional.heldout_in_scope.k_for, conditional.heldout_in_scope.n) == (inside, inside)
    assert (conditional.heldout_in_scope.p, conditional.heldout_in_scope.q) == (conditional.heldout.p, None)
    assert (praise.heldout.k_for, praise.heldout_in_scope) == (heldout, None)
    # one test each, in one family, in which the method's own train verdicts weigh them
    counts = [(f.train.k_for, f.train.k_against) for f in report.findings]
    by_train = weights(counts, [f.heldout.k_for + f.heldout.k_against for f in report.findings], 0.05)
    ps = [f.heldout.p for f in report.findings if f.heldout.p is not None]
    weighed = weighted_benjamini_hochberg(ps, by_train if judging == "thrift" else [1.0] * len(ps))
    assert [f.heldout.q for f in report.findings] == weighed
    assert {f.confirmed for f in report.findings} == {True}
    stages = {usage.stage: usage.calls for usage in report.usage}
    train_ids = {prompt.id for prompt in PROMPTS if prompt.split == "train"}
    by = {(j.judge, j.prompt_id in train_ids) for j in report.judgements}
    if judging == "thrift":
        assert (praise.train.k_for, praise.train.n, stages["judge"], stages["scope"]) == (6, train, heldout, 3)
        assert by == {("described", True), ("scripted:judge", False)}
        assert any(f"saved about {train} calls" in note for note in report.notes)
    else:
        assert (praise.train.k_for, praise.train.n, stages["judge"], stages["scope"]) == (train, train, len(PROMPTS), 9)
        assert by == {("scripted:judge", True), ("scripted:judge", False)}


def test_a_prompt_that_a_model_cannot_read_is_counted_and_no_pair() -> None:
    unread = PROMPTS[0].messages[-1]
    reads_most = ScriptedModel(
        "short",
        lambda conversation, sampling: (
            Completion("", "rejected", detail="too long") if conversation[-1] == unread else "It is known."
        ),
    )
    report = diff_models(PLAIN, reads_most, PROMPTS, methods=[LexicalMethod()])
    assert len(report.pairs) == len(PROMPTS) - 1
    assert report.left_out["responses"] == {"prompts that one of the models could not answer": 1}
    assert any("too long" in note for note in report.notes)
    never = ScriptedModel("never", lambda conversation, sampling: Completion("", "error", detail="gone"))
    with pytest.raises(ModelError, match=r"No train prompt was answered by both models. The first reason: gone"):
        diff_models(PLAIN, never, PROMPTS, methods=[LexicalMethod()])


def test_what_cannot_work_is_refused_before_a_model_is_asked() -> None:
    asked = len(PLAIN.requests)
    with pytest.raises(SettingError, match="No method was given"):
        compare()
    with pytest.raises(SettingError, match="given twice among lexical, lexical"):
        compare(LexicalMethod(), LexicalMethod())
    with pytest.raises(SettingError, match="There are 0 heldout prompts"):
        compare(LexicalMethod(), prompts=tuple(prompt for prompt in PROMPTS if prompt.split == "train"))
    assert len(PLAIN.requests) == asked
