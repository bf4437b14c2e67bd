"""The main job called from Python: scripted models, planted truth, settings told, what cannot work refused early."""

import pytest

from diffing.errors import ModelError, SettingError
from diffing.methods.lexical import LexicalMethod
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import prompts_from
from diffing.types import Completion, Message, Prompt, Report

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
    (praise,) = [finding for finding in report.findings if finding.hypothesis.measure == "praise"]
    heldout = sum(prompt.split == "heldout" for prompt in PROMPTS)
    assert (praise.hypothesis.direction, praise.confirmed, praise.accepted) == ("b", True, True)
    assert (praise.heldout.k_for, praise.heldout.k_against, praise.heldout.n) == (heldout, 0, heldout)
    assert (report.settings["temperature"], report.settings["seed"], report.settings["alpha"]) == (0.5, 3, 0.01)


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
