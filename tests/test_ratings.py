"""Ratings of several raters: means of what can be read."""

from diffing.models.scripted import ScriptedModel
from diffing.ratings import rate
from diffing.types import Estimate, Hypothesis
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM, in_process, read

HYPOTHESES = [
    Hypothesis("h1", PRAISE.hypothesis, "b", "llm", "style"),
    Hypothesis("h2", REFUSAL.hypothesis, "a", "llm", "safety and alignment"),
]


def rater(name, reply):
    return ScriptedModel(name, lambda conversation, sampling: reply(read(conversation[-1].content).task))


def test_two_questions_per_rater_and_hypothesis():
    by_rules = in_process(RuleLLM())
    strict = rater("strict", lambda task: '{"rating": "1"}' if task == "abstraction" else 'Let me see: {"rating": 5}')
    rated = rate([by_rules, strict], HYPOTHESES)
    assert rated.ratings["h1"].interestingness == Estimate(value=3.5, low=2, high=5, n=2)
    assert rated.ratings["h2"].interestingness == Estimate(value=4.5, low=4, high=5, n=2)
    assert rated.ratings["h1"].abstraction == Estimate(value=2.0, low=1, high=3, n=2)
    assert rated.ratings["h1"].replies == (("scripted:rules", 2, 3), ("scripted:strict", 5, 1))
    assert [(usage.stage, usage.model, usage.calls) for usage in rated.usage] == [
        ("rate interestingness", "scripted:rules", 2),
        ("rate abstraction", "scripted:rules", 2),
        ("rate interestingness", "scripted:strict", 2),
        ("rate abstraction", "scripted:strict", 2),
    ]


def test_what_cannot_be_read_is_left_out_of_the_mean():
    for wrong in ("", "0", '{"rating": 0}', '{"rating": 6}', '{"rating": 3.5}', '{"rating": null}', '{"rating": true}'):
        broken = rater("broken", lambda task, wrong=wrong: wrong if task == "abstraction" else '{"rating": 4}')
        rated = rate([broken, rater("fine", lambda task: '{"rating": 2}')], HYPOTHESES[:1])
        assert rated.ratings["h1"].abstraction == Estimate(value=2.0, low=2, high=2, n=1)
        assert rated.ratings["h1"].replies[0] == ("scripted:broken", 4, None)
        assert rated.usage[1].unreadable == 1


def test_nobody_can_be_read():
    rated = rate([rater("broken", lambda task: "?")], HYPOTHESES)
    assert rated.ratings["h1"].interestingness == Estimate(value=None, low=None, high=None, n=0)


def test_no_raters():
    rated = rate([], HYPOTHESES)
    assert rated.ratings["h2"].abstraction.value is None
    assert rated.usage == ()
