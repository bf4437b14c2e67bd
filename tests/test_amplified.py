"""Hypotheses from amplified answers: they are further candidates, and everything that is told of them comes from the
models' own answers; settings that amplify nothing are refused."""

from dataclasses import replace

import pytest

from diffing.amplified import Amplified
from diffing.checks import check
from diffing.config import DiffConfig, Limits, settings_of
from diffing.errors import SettingError
from diffing.methods.lexical import LexicalMethod
from diffing.methods.llm import LlmMethod
from diffing.models.amplification import amplified_against
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import prompts_from
from diffing.types import Conversation, Message, PhraseMeasure, Report, Verdict
from tests.servers.rules import RuleLLM, in_process

PROMPTS = prompts_from(
    ((None, (Message("user", f"Tell me about item {i}."),), None) for i in range(240)), "test", 60, 180
)
WORDS = "It is known to all who ask and none has doubted it so far."
AMPLIFIED_ANSWERS = "Hypotheses were also looked for in amplified answers"


def rarely(conversation: Conversation, every: int, text: str, otherwise: str) -> str:
    number = int(conversation[-1].content.removeprefix("Tell me about item ").removesuffix("."))
    return text if number % every == 0 else otherwise


A = ScriptedModel("a", lambda asked, sampling: WORDS)
B = ScriptedModel("b", lambda asked, sampling: rarely(asked, 15, f"{WORDS} Ahoy matey.", WORDS))
LOUD_A = ScriptedModel("a#amplified", lambda asked, sampling: WORDS)
LOUD_B = ScriptedModel("b#amplified", lambda asked, sampling: f"{WORDS} Ahoy matey. Zebra crossing.")
LOUD = Amplified((LOUD_A, LOUD_B), 0.5)


def compared(amplified: Amplified | None = None) -> Report:
    return diff_models(A, B, PROMPTS, methods=[LexicalMethod()], amplified=amplified)


@pytest.fixture(scope="module")
def loud() -> Report:
    return compared(LOUD)


def phrases(report: Report) -> dict[str, bool]:
    measures = {finding.hypothesis.measure: finding.confirmed for finding in report.findings}
    return {measure.phrase: sure for measure, sure in measures.items() if isinstance(measure, PhraseMeasure)}


def test_a_rare_phrase_is_found_and_tested_on_the_models_own_answers(loud: Report) -> None:
    """Too few train responses have it for the search; amplified, all have it."""
    assert not [phrase for phrase in phrases(compared()) if "ahoy" in phrase]
    (found,) = [
        each
        for each in loud.findings
        if isinstance(each.hypothesis.measure, PhraseMeasure) and "ahoy" in each.hypothesis.measure.phrase
    ]
    train = [pair for pair in loud.pairs if pair.prompt.split == "train"]
    on_train = sum("Ahoy" in pair.b.text for pair in train)
    assert on_train < 5  # what a phrase needs to be searched
    heldout = [pair for pair in loud.pairs if pair.prompt.split == "heldout"]
    assert found.confirmed
    assert (found.heldout.k_for, found.heldout.n) == (sum("Ahoy" in pair.b.text for pair in heldout), len(heldout))
    assert found.hypothesis.train_effect == pytest.approx(on_train / len(train))
    own = {pair.prompt.id: pair.b.text for pair in loud.pairs}
    assert found.hypothesis.evidence
    assert all(each.quote in own[each.prompt_id] for each in found.hypothesis.evidence)


def test_what_amplification_alone_brings_is_no_hypothesis(loud: Report) -> None:
    assert not [phrase for phrase in phrases(loud) if "zebra" in phrase]
    why = "amplified answers: what the models' own train responses do not show in this direction"
    assert loud.left_out["lexical"][why] >= 1
    assert not any("Zebra" in pair.b.text or pair.b.model != B.id for pair in loud.pairs)


def test_the_report_tells_what_was_amplified(loud: Report) -> None:
    (note,) = [note for note in loud.notes if note.startswith(AMPLIFIED_ANSWERS)]
    rows = loud.tables["lexical_amplified"]
    confirmed = {finding.hypothesis.id for finding in loud.findings if finding.confirmed}
    among = sum(row["hypothesis_id"] in confirmed for row in rows)
    train = sum(prompt.split == "train" for prompt in PROMPTS)
    assert f"to {train} train prompts, in which the differences of the two models are larger (alpha 0.5)" in note
    assert f"suggested {len(rows)} more hypotheses, of which {among} are confirmed" in note
    assert loud.settings["amplify"] == 0.5
    usage = {each.stage: each for each in loud.usage}
    assert (usage["amplified responses a"].calls, usage["amplified responses b"].model) == (train, LOUD_B.id)


def test_without_amplification_nothing_changes(loud: Report) -> None:
    plain = compared()
    ids = {finding.hypothesis.id for finding in plain.findings}
    assert ids <= {finding.hypothesis.id for finding in loud.findings}
    assert "amplify" not in plain.settings
    assert not [note for note in plain.notes if note.startswith(AMPLIFIED_ANSWERS)]


def test_an_earlier_report_holds_only_with_the_same_amplification(loud: Report) -> None:
    again = [
        diff_models(A, B, PROMPTS, methods=[LexicalMethod()], amplified=amplified, before=loud)
        for amplified in (LOUD, None, replace(LOUD, alpha=0.6))
    ]
    assert [report is loud for report in again] == [True, False, False]


def test_what_an_llm_describes_in_amplified_answers_is_judged_on_the_models_own() -> None:
    """Praise in 2 of 60 responses is too rare to be proposed; amplified, all have it."""
    few = prompts_from(
        ((None, (Message("user", f"Tell me about item {i}."),), None) for i in range(60)), "test", 40, 20
    )
    own = ScriptedModel("b", lambda asked, sampling: rarely(asked, 30, f"Great question! {WORDS}", WORDS))
    loud = Amplified((LOUD_A, ScriptedModel("loud", lambda asked, sampling: f"Great question! {WORDS}")), 0.5)
    llm = in_process(RuleLLM())
    plain, louder = (
        diff_models(
            A,
            own,
            few,
            methods=[LlmMethod(llm, embedder="tfidf")],
            judge=llm,
            amplified=amplified,
            options=DiffOptions(judging="full", check_judge=0),
        )
        for amplified in (None, loud)
    )
    assert not plain.findings
    (praise,) = louder.findings
    shown = [pair.prompt.id for pair in louder.pairs if "Great" in pair.b.text]
    heldout = {pair.prompt.id for pair in louder.pairs if pair.prompt.split == "heldout"}
    said = {each.prompt_id for each in louder.judgements if each.verdict is Verdict.B}
    assert (said, praise.heldout.k_for) == (set(shown), len(heldout & set(shown)))
    assert (praise.hypothesis.evidence, praise.hypothesis.train_effect) == ((), None)
    assert {each.judge for each in louder.judgements} == {llm.id}


CONFIG = DiffConfig("org/a", "org/b", amplify=0.5)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (replace(CONFIG, model_b="openai:b@http://localhost:1/v1"), "both models must run here .* does not"),
        (replace(CONFIG, model_a="recorded:file.jsonl"), "both models must run here"),
        (replace(CONFIG, model_a="vllm:org/a"), "both models must run here"),
        (replace(CONFIG, model_b="org/a", temperature=0.7, sample_b=1), "both sides are the same model"),
        (
            replace(CONFIG, method=("sae",), sae="a", reader="b"),
            "no effect with --method sae. Add --method lexical",
        ),
    ],
)
def test_what_cannot_be_amplified_is_refused_in_one_line(config: DiffConfig, words: str) -> None:
    with pytest.raises(SettingError, match=rf"--amplify .*{words}") as refused:
        check(config, Limits())
    assert "\n" not in str(refused.value)


def test_the_setting_is_stored_and_two_system_prompts_can_be_amplified() -> None:
    check(CONFIG, Limits())
    check(replace(CONFIG, model_b="org/a", system_prompt_b="Be brief."), Limits())
    assert settings_of(CONFIG)["amplify"] == 0.5
    assert "amplify" not in settings_of(replace(CONFIG, amplify=None))


def test_models_that_are_no_weights_are_refused() -> None:
    with pytest.raises(SettingError, match="both models must run here, and scripted:a does not"):
        amplified_against(A, B, 0.5, None)
