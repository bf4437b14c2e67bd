"""Verdicts go to the right side whatever the order shown, and what cannot be read is nobody's."""

import json
import random

import pytest

from diffing import metrics
from diffing.judge import Judging, judge
from diffing.models.scripted import ScriptedModel
from diffing.types import Hypothesis, Verdict
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM, in_process, numbered, planted_pairs, read

PAIRS = planted_pairs(10, 10)
PRAISES = Hypothesis("h-praise", PRAISE.hypothesis, "b", "llm", "style")
REFUSES = Hypothesis("h-refusal", REFUSAL.hypothesis, "a", "llm", "safety and alignment")
A, B, SAME, NOT_SHOWN, NEITHER, UNREADABLE = (
    Verdict.A, Verdict.B, Verdict.SAME, Verdict.NOT_SHOWN, Verdict.NEITHER, Verdict.UNREADABLE
)  # fmt: skip


def judge_by(reply):
    """A judge whose reply is made from the statements and the two responses."""

    def answer(conversation, sampling):
        listed, _, one, two = read(conversation[-1].content).blocks
        made = reply(numbered(listed), one, two)
        return made if isinstance(made, str) else json.dumps(made)

    return ScriptedModel("judge", answer)


def rules(**options):
    return in_process(RuleLLM(**options))


def labels(*fits):
    return {"verdicts": [{"statement": i, "fits": label} for i, label in enumerate(fits, start=1)]}


@pytest.mark.parametrize("seed", range(4))
def test_verdicts_do_not_depend_on_the_order_shown(seed):
    judged = judge(rules(), [PRAISES, REFUSES], PAIRS, Judging(seed=seed))
    praise = [SAME, B, B, B, B, B, NOT_SHOWN, NOT_SHOWN, NOT_SHOWN, A]
    refusal = [NOT_SHOWN, NOT_SHOWN, NOT_SHOWN, NOT_SHOWN, B, NOT_SHOWN, A, A, A, NOT_SHOWN]
    assert [j.verdict for j in judged.judgements] == [*praise, *praise, *refusal, *refusal]
    # hypotheses outermost, pairs as given
    assert [j.prompt_id for j in judged.judgements] == [pair.prompt.id for pair in PAIRS] * 2
    assert [j.hypothesis_id for j in judged.judgements] == ["h-praise"] * 20 + ["h-refusal"] * 20
    assert {j.shown_first for j in judged.judgements} == {"a", "b"}
    assert {j.reply for j in judged.judgements} == {"1", "2", "SAME", "NOT SHOWN"}
    assert {j.judge for j in judged.judgements} == {"scripted:rules"}


def test_the_direction_is_not_told_and_changes_no_verdict():
    turned = [
        Hypothesis(h.id, h.text, "a" if h.direction == "b" else "b", "llm", h.category) for h in (PRAISES, REFUSES)
    ]
    assert judge(rules(), turned, PAIRS).judgements == judge(rules(), [PRAISES, REFUSES], PAIRS).judgements


def test_the_order_is_a_fair_coin_of_pair_and_batch():
    hypotheses = [Hypothesis(f"h{i}", f"<MODEL> is {i}.", "a", "llm", "style") for i in range(25)]
    pairs = planted_pairs(400, 0)
    model = judge_by(lambda statements, one, two: labels(*["NOT SHOWN"] * len(statements)))
    judged = judge(model, hypotheses, pairs, Judging(batch=10))
    assert judged.usage.calls == 400 * 3
    first = {(j.hypothesis_id, j.prompt_id): j.shown_first for j in judged.judgements}
    share = sum(side == "a" for side in first.values()) / len(first)
    assert 0.45 < share < 0.55
    for pair in pairs:
        assert len({first[f"h{i}", pair.prompt.id] for i in range(10)}) == 1
    same = sum(first["h0", pair.prompt.id] == first["h10", pair.prompt.id] for pair in pairs)
    assert 160 < same < 240


def test_statements_keep_their_number_in_any_batch():
    """Statement i fits the response shown first where i is odd; every verdict goes to its own hypothesis."""
    hypotheses = [Hypothesis(f"h{i}", f"<MODEL> is {i}.", "a", "llm", "style") for i in range(23)]

    def by_number(statements, one, two):
        return labels(*("1" if int(s.split()[-1][:-1]) % 2 else "2" for s in statements))

    for batch in (1, 7, 10, 23):
        judged = judge(judge_by(by_number), hypotheses, PAIRS[:3], Judging(batch=batch))
        for j in judged.judgements:
            assert (j.verdict.side == j.shown_first) == (int(j.hypothesis_id[1:]) % 2 == 1)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (labels("1", "3"), UNREADABLE),
        (labels("1", None), UNREADABLE),
        (labels("1"), UNREADABLE),
        (labels("1", "both"), UNREADABLE),
        (labels("1", ""), UNREADABLE),
        ({"verdicts": [*labels("1", "2")["verdicts"], {"statement": 2, "fits": "1"}]}, UNREADABLE),
        (labels("1", "N/A"), UNREADABLE),
        ({"verdicts": [*labels("1", "SAME")["verdicts"], {"statement": 3, "fits": "1"}, "x"]}, SAME),
        ({"verdicts": [{"statement": "2", "fits": "not shown"}, {"statement": "1", "fits": 1}]}, NOT_SHOWN),
    ],
)
def test_one_statement_may_be_unreadable_alone(reply, verdict):
    model = judge_by(lambda statements, one, two: reply)
    judged = judge(model, [PRAISES, REFUSES], PAIRS[:1])
    first, second = judged.judgements
    assert first.verdict.side == first.shown_first
    assert second.verdict == verdict
    assert judged.usage.unreadable == (verdict == UNREADABLE)
    assert len(model.requests) == (3 if verdict == UNREADABLE else 1)


def test_a_missing_statement_is_asked_again_and_the_rest_is_kept():
    replies = iter([labels("1"), labels("2", "1"), labels("2", "2")])
    judged = judge(judge_by(lambda statements, one, two: next(replies)), [PRAISES, REFUSES], PAIRS[:1])
    first, second = judged.judgements
    assert first.verdict.side == second.verdict.side == first.shown_first
    assert judged.usage.calls == 2


@pytest.mark.parametrize("text", ["", "I cannot judge that.", '{"verdicts": [{"statement": 1, "fi', "null", "[]"])
def test_an_unreadable_reply_is_nobodys(text):
    judged = judge(judge_by(lambda statements, one, two: text), [PRAISES, REFUSES], PAIRS[:2])
    assert [j.verdict for j in judged.judgements] == [UNREADABLE] * 4
    assert judged.usage.unreadable == 4
    assert judged.first_place.value is None
    assert metrics.measure(judged.judgements[:2], "b").n == 0
    if text:
        assert all(text[:20] in (j.reply or "") or j.reply for j in judged.judgements)


def test_both_orders():
    """A judge that looks is consistent; one that likes the first place is found out and decides nothing."""
    looking = judge(rules(), [PRAISES, REFUSES], PAIRS, Judging(both_orders=True))
    assert looking.judgements[1].verdict == B
    assert looking.judgements[1].reply in ("1 | 2", "2 | 1")
    assert [j.verdict for j in looking.judgements] == [
        j.verdict for j in judge(rules(), [PRAISES, REFUSES], PAIRS).judgements
    ]
    assert (looking.consistency.value, looking.consistency.n) == (1.0, 40)
    assert looking.first_place.value == 0.5
    assert looking.usage.calls == 40
    assert looking.notes == (
        "Asked in both orders, the judge scripted:rules gave the same verdict in 100% of 40 cases; the others count "
        "for neither side.",
    )
    blind = judge(rules(prefers_first=lambda request: True), [PRAISES, REFUSES], PAIRS, Judging(both_orders=True))
    assert {j.verdict for j in blind.judgements} == {NEITHER}
    assert blind.consistency.value == 0.0
    assert blind.first_place.value == 1.0
    assert "100% of its decided verdicts" in blind.notes[0]


def test_both_orders_need_both():
    def only_when_a_is_first(statements, one, two):
        return labels("1") if one == PAIRS[1].a.text else "no"

    judged = judge(judge_by(only_when_a_is_first), [PRAISES], PAIRS[1:2], Judging(both_orders=True))
    assert judged.judgements[0].verdict == UNREADABLE
    assert judged.consistency.n == 0


def test_preference_for_the_second_place_is_told():
    judged = judge(judge_by(lambda statements, one, two: labels("2")), [PRAISES], PAIRS)
    assert judged.first_place.value == 0
    assert "prefers the response shown second: 100%" in judged.notes[0]


def test_the_interval_allows_for_verdicts_that_share_their_order():
    """A judge that gives all ten verdicts of a reply to one response, drawn fairly, is not accused of a preference.

    With verdicts counted as independent it would be in half of the runs; 5 % is what an interval of 95 % promises.
    """
    hypotheses = [Hypothesis(f"h{i}", f"<MODEL> is {i}.", "a", "llm", "style") for i in range(10)]
    pairs = planted_pairs(40, 0)
    accused = 0
    for run in range(25):
        generator = random.Random(run)
        model = judge_by(lambda statements, one, two, g=generator: labels(*[g.choice("12")] * len(statements)))
        accused += bool(judge(model, hypotheses, pairs).notes)
    assert accused <= 4


def test_nothing_to_judge():
    for hypotheses, pairs in (((), PAIRS), ([PRAISES], ())):
        judged = judge(rules(), hypotheses, pairs)
        assert judged.judgements == ()
        assert judged.usage.calls == 0
        assert [note for note in judged.notes if "both orders" not in note] == []
