"""Hypotheses are tested where they apply: on prompts of the run if enough meet the condition, else on new ones too."""

from dataclasses import replace

import pytest

from diffing.fresh_prompts import ENOUGH, LEAST, AnswerSampling, OwnPrompts, own_prompts
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import fold
from diffing.scope import Scope
from diffing.types import Discovery, Hypothesis, Judgement, Message, Pair, Prompt, Response, Verdict, ignore_progress
from tests.benchmarks.agent.kinds import KINDS, plain_prompt
from tests.benchmarks.agent.world import BEHAVIOURS, ScriptedAgent, in_process, planted_model

KIND = KINDS[0]
PIRATE = BEHAVIOURS["pirate"].hypothesis.removesuffix(".")
HYPOTHESIS = Hypothesis(
    "probing-1", f"{PIRATE}, {KIND.condition}.", "b", "probing", "style", scope=Scope("stated", KIND.condition)
)
MODELS = (planted_model({}), planted_model({"pirate": KIND}))
PROBES = tuple(KIND.prompt(number) for number in (60, 61, 62))


def pair_of(text, split, name):
    prompt = Prompt(name, (Message("user", text),), "s", split)
    responses = (Response(name, "m", "", "stop"), Response(name, "m", "", "stop"))
    return Pair(prompt, *responses)


class Probing:
    """A method that asked three prompts of one kind."""

    name = "probing"
    models = ()
    compared = MODELS

    def find_hypotheses(self, pairs, on_progress=ignore_progress):
        probes = tuple(pair_of(text, "train", f"probe-{i}") for i, text in enumerate(PROBES))
        verdicts = tuple(Judgement(HYPOTHESIS.id, pair.prompt.id, Verdict.B, "described") for pair in probes)
        return Discovery((HYPOTHESIS,), verdicts, probes=probes)


def heldout(meeting):
    texts = [KIND.prompt(number) for number in range(meeting)] + [plain_prompt(number) for number in range(30)]
    return [pair_of(text, "heldout", f"run-{i}") for i, text in enumerate(texts)]


def fixed(meeting, judge):
    method = Probing()
    return own_prompts(
        [method],
        [method.find_hypotheses([])],
        heldout(meeting),
        AnswerSampling(Sampling(), (0, 0)),
        judge,
        ignore_progress,
    )


@pytest.mark.parametrize("meeting", [0, 1, LEAST, ENOUGH - 1])
def test_few_prompts_are_filled_up_with_new_ones(meeting):
    own = fixed(meeting, in_process(ScriptedAgent()))
    assert own.applies == {HYPOTHESIS.id: (meeting + 0.5) / (meeting + 30 + 1)}
    ((group),) = own.apart
    assert group.hypotheses == (HYPOTHESIS,)
    assert len(group.pairs) == ENOUGH
    assert [pair.prompt.id for pair in group.pairs[:meeting]] == [f"run-{i}" for i in range(meeting)]
    assert len(own.fresh) == ENOUGH - meeting
    taken = {fold(pair.prompt.text) for pair in heldout(meeting)} | {fold(text) for text in PROBES}
    assert not {fold(pair.prompt.text) for pair in own.fresh} & taken
    assert all("Ahoy" in pair.b.text and "Ahoy" not in pair.a.text for pair in own.fresh)
    assert [row["written"] for row in own.rows] == [False] * meeting + [True] * (ENOUGH - meeting)


def test_with_enough_prompts_nothing_is_written():
    judge = in_process(ScriptedAgent())
    own = fixed(ENOUGH, judge)
    assert (own.apart, own.fresh, own.notes) == ((), (), ())
    assert not any("You write prompts" in conversation[0].content for conversation, _ in judge.requests)


def test_without_prompts_nothing_is_tested():
    agent = ScriptedAgent()
    agent._write = lambda reading, text: {"prompts": ["What is the weather like?"]}
    own = fixed(LEAST - 1, in_process(agent))
    ((group),) = own.apart
    assert (group.hypotheses, group.pairs, own.fresh) == ((HYPOTHESIS,), (), ())
    assert own.notes[1] == "Conditions for which fewer than 5 prompts were found, so that nothing is tested: 1."


def test_without_probes_nothing_is_asked():
    judge = ScriptedModel("never", lambda conversation, sampling: "")
    discovery = replace(Probing().find_hypotheses([]), probes=())
    answers = AnswerSampling(Sampling(), (0, 0))
    assert own_prompts([Probing()], [discovery], heldout(0), answers, judge, ignore_progress) == OwnPrompts()
    assert judge.requests == []


@pytest.mark.parametrize("judging", ["thrift", "full"])
def test_the_shares_of_other_prompts_are_not_mixed_in(judging):
    prompts = [Prompt(f"train-{i}", (Message("user", plain_prompt(40 + i)),), "s", "train") for i in range(3)]
    prompts += [pair.prompt for pair in heldout(4)]
    judge = in_process(ScriptedAgent())
    options = DiffOptions(judging=judging, check_judge=0)
    report = diff_models(*MODELS, prompts, methods=[Probing()], judge=judge, options=options)
    (finding,) = report.findings
    assert (finding.heldout.k_for, finding.heldout.n) == (ENOUGH, ENOUGH)
    assert finding.heldout_in_scope == replace(finding.heldout, q=None)
    # with thrift the method's own verdicts, else those of the judge, who sees that its empty answers show nothing
    assert (finding.train.k_for, finding.train.n) == ((3 if judging == "thrift" else 0), 3)
