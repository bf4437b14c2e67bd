"""Checks of the judge with planted faults: exactly what was planted is measured, and no verdict is changed by it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sklearn.metrics import cohen_kappa_score

from diffing.judge import Judging, JudgingResult, judge
from diffing.judge.agreement import Agreement
from diffing.judge.audit import JudgeChecks, JudgedRun, check_judge
from diffing.judge.families import families_of, relation_to
from diffing.metrics import UNDEFINED, share_over_groups, wilson
from diffing.metrics.kappa import kappa_over_pairs
from diffing.model_ref import read_ref
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.types import Conversation, Hypothesis, ModelInfo, Row, Verdict
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM, in_process, planted_pairs, read

PAIRS = tuple(planted_pairs(train=60, heldout=20))
PRAISES = Hypothesis("llm-praise", PRAISE.hypothesis, "b", "llm", "style")
REFUSES = Hypothesis("llm-refusal", REFUSAL.hypothesis, "a", "llm", "safety and alignment")
BOTH = (PRAISES, REFUSES)
COMPARED = (ModelInfo("org/model-a@1", "model_a"), ModelInfo("org/model-b@1", "model_b"))


def rules(prefers_first: Callable[[str], bool] = lambda request: False) -> ScriptedModel:
    return in_process(RuleLLM(prefers_first=prefers_first))


def named(name: str, model: ScriptedModel) -> ScriptedModel:
    """The same under another name; what is asked is kept with the first."""
    return ScriptedModel(name, lambda conversation, sampling: model.generate([conversation], sampling)[0])


def checked(
    model: ScriptedModel, *, second: ScriptedModel | None = None, sample: int = 30, judging: Judging | None = None,
    compared: tuple[ModelInfo, ModelInfo] = COMPARED, measured: Agreement | None = None,
) -> tuple[JudgeChecks, JudgingResult]:  # fmt: skip
    judging = judging or Judging(batch=1)
    judged = judge(model, BOTH, PAIRS, judging)
    run = JudgedRun(judged, measured or Agreement((), ()), compared)
    return check_judge(run, model, second=second, judging=judging, sample=sample), judged


def row(checks: JudgeChecks, check: str) -> Row:
    (found,) = [row for row in checks.rows if row["check"] == check]
    return found


def test_an_honest_judge_keeps_every_verdict_in_the_other_order() -> None:
    checks, judged = checked(rules())
    assert row(checks, "first place")["value"] == judged.first_place.value
    assert (row(checks, "both orders")["value"], row(checks, "both orders")["n"]) == (1.0, 30)
    decided = row(checks, "both orders, for a side")
    assert decided["value"] == 1.0
    assert 0 < int(str(decided["n"])) < 30
    (usage,) = checks.usage
    assert (usage.stage, usage.calls, usage.unreadable) == ("check judge", 30, 0)
    assert [set(row) for row in checks.rows] == [
        {"check", "scale", "judge", "value", "low", "high", "n", "meaning"} for _ in checks.rows
    ]


def test_a_judge_that_looks_at_the_place_alone_keeps_none() -> None:
    checks, _ = checked(rules(prefers_first=lambda request: True))
    assert row(checks, "both orders")["value"] == row(checks, "both orders, for a side")["value"] == 0.0
    assert row(checks, "first place")["value"] == 1.0
    assert any("kept 0% of 30 sampled verdicts" in note for note in checks.notes)


def test_a_run_in_both_orders_has_its_consistency_already() -> None:
    model = rules()
    checks, judged = checked(model, judging=Judging(batch=2, both_orders=True))
    assert len(model.requests) == 2 * len(PAIRS)
    assert judged.consistency is not None
    assert (row(checks, "both orders")["value"], row(checks, "both orders")["n"]) == (1.0, judged.consistency.n)
    assert checks.usage == ()


def test_two_judges_of_known_disagreement() -> None:
    """The second one says of every second pair that nothing is shown, whatever is."""

    def blind(request: str) -> bool:
        return int(request.split("Tell me about item ")[1].split(".")[0]) % 2 == 0

    honest = rules()
    second = ScriptedModel(
        "second",
        lambda conversation, sampling: (
            '{"verdicts": [{"statement": 1, "fits": "NOT SHOWN"}, {"statement": 2, "fits": "NOT SHOWN"}]}'
            if blind(conversation[-1].content)
            else honest.generate([conversation], sampling)[0].text
        ),
    )
    judging = Judging(batch=2)
    checks, judged = checked(honest, second=second, sample=1000, judging=judging)
    own = [j.verdict for j in judged.judgements]
    even = {pair.prompt.id for pair in PAIRS if int(pair.prompt.id.split("-")[1]) % 2 == 0}
    other = [Verdict.NOT_SHOWN if j.prompt_id in even else j.verdict for j in judged.judgements]
    same = sum(a == b for a, b in zip(own, other, strict=True))
    raw, kappa = row(checks, "second judge"), row(checks, "second judge, beyond chance")
    assert (raw["value"], raw["n"]) == (same / 160, 160)
    assert kappa["value"] == pytest.approx(cohen_kappa_score(own, other))
    assert float(str(kappa["low"])) < float(str(kappa["value"])) < float(str(kappa["high"]))
    assert (raw["scale"], kappa["scale"]) == ("share", "kappa")
    assert raw["judge"] == "scripted:rules and scripted:second"
    assert [(usage.stage, usage.model, usage.calls) for usage in checks.usage] == [
        ("check judge", "scripted:rules", 80),
        ("second judge", "scripted:second", 80),
    ]
    assert checked(honest, second=second, sample=1000, judging=judging)[0] == checks


def test_a_second_judge_that_cannot_be_read_is_told_and_agrees_with_nobody() -> None:
    mute = ScriptedModel("mute", lambda conversation, sampling: "I would rather not say.")
    checks, _ = checked(rules(), second=mute, sample=4)
    assert (row(checks, "second judge")["value"], row(checks, "second judge")["n"]) == (None, 0)
    assert checks.notes[-1] == (
        "In the check of the judge (second judge), 4 verdicts of scripted:mute were unreadable."
    )


def test_the_sample_is_of_the_questions_of_the_run_one_for_each_pair() -> None:
    """Each is asked once more, swapped: the reply in the order of the run is known already."""
    model = rules()
    judging = Judging(batch=1)
    judged = judge(model, BOTH, PAIRS, judging)
    asked = [conversation[-1].content for conversation, _ in model.requests]
    heldout = tuple(each for each in judged.answered if each[0].pair.prompt.split == "heldout")
    run = JudgedRun(replace(judged, answered=heldout), Agreement((), ()), COMPARED)
    checks = check_judge(run, model, judging=judging, sample=11)
    again = [conversation[-1].content for conversation, _ in model.requests[len(asked) :]]
    assert len(again) == checks.usage[0].calls == row(checks, "both orders")["n"] == 11
    # where both responses are the same text, so are both questions
    swapped = {text for text in again if len(set(read(text).blocks[2:])) == 2}
    assert len(swapped) > 5
    assert not swapped & {*asked[60:80], *asked[140:160]}
    assert len({text.split("## What the user asked")[1].split("## Response 1")[0] for text in again}) == 11
    assert {PRAISE.hypothesis in text for text in again} == {True, False}
    check_judge(run, model, judging=judging, sample=1000)
    assert len(model.requests) == len(asked) + 11 + 20


def test_what_is_shown_in_both_or_in_none_is_no_verdict_for_a_side() -> None:
    """The judge takes the same for not shown as soon as the order changes: no verdict for a side is lost by that."""

    def wavers(conversation: Conversation, sampling: Sampling) -> str:
        _, _, one, two = read(conversation[-1].content).blocks
        return json.dumps({"verdicts": [{"statement": 1, "fits": "SAME" if one < two else "NOT SHOWN"}]})

    model = ScriptedModel("wavers", wavers)
    pairs = [pair for pair in PAIRS if pair.a.text != pair.b.text]
    judged = judge(model, [PRAISES], pairs, Judging())
    checks = check_judge(JudgedRun(judged, Agreement((), ()), COMPARED), model, sample=10)
    assert (row(checks, "both orders")["value"], row(checks, "both orders")["n"]) == (0.0, 10)
    assert (row(checks, "both orders, for a side")["value"], row(checks, "both orders, for a side")["n"]) == (None, 0)


def test_nothing_is_asked_where_nothing_is_wanted() -> None:
    model = rules()
    checks, _ = checked(model, sample=0, second=rules())
    assert (checks.usage, checks.notes, [row["check"] for row in checks.rows]) == ((), (), ["first place"])
    assert len(model.requests) == 2 * len(PAIRS)


def test_agreement_with_measurement_is_one_of_the_checks() -> None:
    checks, _ = checked(rules(), measured=Agreement((), (), wilson(9, 10)), sample=0)
    found = row(checks, "measured properties")
    assert (found["value"], found["n"]) == (0.9, 10)


def test_verdicts_that_share_a_pair_widen_the_interval() -> None:
    """Ten pairs of ten equal verdicts tell less than ten verdicts: how much they vary is known from ten alone."""
    grouped, single = share_over_groups([(10, 10)] * 8 + [(0, 10)] * 2), wilson(8, 10)
    assert grouped.value == single.value
    assert single.low - 0.08 < grouped.low < single.low - 0.03
    assert single.high + 0.01 < grouped.high < single.high + 0.03
    many, singles = share_over_groups([(10, 10)] * 800 + [(0, 10)] * 200), wilson(800, 1000)
    assert (many.low, many.high) == (pytest.approx(singles.low, abs=1e-3), pytest.approx(singles.high, abs=1e-3))
    assert share_over_groups([]) == share_over_groups([(0, 0)]) == UNDEFINED


def test_kappa_is_undefined_where_nothing_varies() -> None:
    assert kappa_over_pairs([]) == UNDEFINED
    same = kappa_over_pairs([[(Verdict.A, Verdict.A)]] * 20)
    assert (same.value, same.low, same.n) == (None, None, 20)
    each_once = [[(verdict, verdict)] for verdict in (Verdict.A, Verdict.B, Verdict.NEITHER)]
    perfect = kappa_over_pairs(each_once * 5)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("model_id", "families"),
    [
        ("Qwen/Qwen2.5-7B-Instruct@abc", {"qwen"}),
        ("providers:deepseek-ai/DeepSeek-R1-Distill-Qwen-7B:together@1", {"deepseek", "qwen"}),
        ("meta-llama/Llama-3.1-8B+me/my-adapter@x", {"llama"}),
        ("openai:gpt-4o@api.example/v1", {"gpt"}), ("openai:o3-mini@api.example/v1", {"gpt"}),
        ("TheBloke/Mistral-7B-GPTQ@1", {"mistral"}), ("mistralai/Mixtral-8x7B@1", {"mistral"}),
        ("microsoft/phi-4@1", {"phi"}), ("microsoft/Phi-3.5-mini@1", {"phi"}), ("google/gemma-2-2b@1", {"gemma"}),
        ("allenai/OLMo-2-7B@1", {"olmo"}), ("codellama/CodeLlama-7b@1", {"llama"}),
        # not these: another lab's GPT, a server's name, a name that only begins alike
        ("openai-community/gpt2@1", set()), ("EleutherAI/gpt-neo-125m@1", set()), ("philschmid/flan@1", set()),
        ("openai:mine@ollama:11434/v1", set()), ("ggml/llama.cpp-tests@1", set()), ("org/fiction-writer@1", set()),
    ],
)  # fmt: skip
def test_families_by_name(model_id: str, families: set[str]) -> None:
    assert families_of(read_ref(model_id)) == families


def test_relatives_are_warned_of_and_strangers_are_not() -> None:
    judge_of_family = named("Qwen3-32B", rules())
    tuned = (ModelInfo("org/base@1", "model_a"), ModelInfo("me/tuned-qwen2.5@1", "model_b"))
    checks, judged = checked(judge_of_family, compared=tuned, sample=0)
    assert [row["check"] for row in checks.rows] == ["first place", "same family"]
    assert row(checks, "same family")["meaning"] == (
        "The judge and model b are both of the qwen family, by name: it may favour responses like its own."
    )
    assert checks.notes[-1].startswith("The judge scripted:Qwen3-32B and model b are both of the qwen family, by name")
    itself, _ = checked(judge_of_family, compared=(ModelInfo("scripted:Qwen3-32B", "model_a"), tuned[0]), sample=0)
    assert "is model a itself" in itself.notes[-1]
    assert relation_to("org/mistral@1", tuned[1]) is None
    # the checks are about the judge; its verdicts are what they were
    assert judge(judge_of_family, BOTH, PAIRS, Judging(batch=1)).judgements == judged.judgements
