"""Judging with thrift: asks less, changes no verdict, and bad judges make it confirm nothing that is not there."""

import json
import random
from dataclasses import replace

import pytest

from diffing import metrics
from diffing.judge import Judging, judge, judge_in_stages
from diffing.judge.schedule import FUTILE
from diffing.models.scripted import ScriptedModel
from diffing.pipeline import DiffOptions, diff_models
from diffing.types import Completion, Discovery, Hypothesis, Judgement, Message, Pair, Prompt, Response, Verdict
from tests.servers.rules import label_of, numbered, read


def pairs_of(train, heldout, seed=0):
    """Each response says which of twelve traits it has: t0 is always b's, t1 in 3 of 10 cases, the rest by a coin."""
    made = []
    for split, count in (("train", train), ("heldout", heldout)):
        for i in range(count):
            rng = random.Random(f"{seed} {split} {i}")
            has = {"a": [], "b": ["t0"] + ["t1"] * (rng.random() < 0.3)}
            for trait in range(2, 12):
                has[rng.choice("ab")].append(f"t{trait}")
            prompt = Prompt(f"{split}-{i}", (Message("user", f"Item {i} of {split}?"),), "test", split)
            a, b = (Response(prompt.id, side, " ".join(["said", *has[side]]), "stop") for side in "ab")
            made.append(Pair(prompt, a, b))
    return made


HYPOTHESES = [Hypothesis(f"h{i}", f"<MODEL> shows t{i}.", "b", "llm", "style") for i in range(12)]
PAIRS = pairs_of(240, 200)


def fits(statement, one, two):
    """Which of two responses has the trait that a statement names."""
    trait = statement.split()[-1].rstrip(".")
    has = [trait in response.split() for response in (one, two)]
    return label_of(has)


def judge_with(answer):
    """A judge that answers `answer(statement, one, two, coin)`; the coin is the same for a question asked again."""

    def reply(conversation, sampling):
        asked = read(conversation[-1].content)
        if asked.task != "judge":
            return "{}"
        listed, _, one, two = asked.blocks
        statements = numbered(listed)
        # of what is asked, not of the fence around it
        coin = random.Random("\0".join(asked.blocks))
        verdicts = [
            {"statement": i, "fits": answer(statement, one, two, coin)} for i, statement in enumerate(statements, 1)
        ]
        return json.dumps({"verdicts": verdicts})

    return ScriptedModel("judge", reply)


def fair():
    return judge_with(lambda statement, one, two, coin: fits(statement, one, two))


def costing(model, read, written):
    """The same judge, with the same number of tokens in every call."""

    def reply(conversation, sampling):
        text = model.generate([conversation], sampling)[0].text
        return Completion(text, "stop", prompt_tokens=read, completion_tokens=written)

    return ScriptedModel("judge", reply)


TENS = Judging(batch=10)
"""Ten hypotheses per question, so that two of the twelve make a second one."""


def test_thrift_asks_less_and_changes_no_verdict():
    model = fair()
    thrifty = judge_in_stages(model, HYPOTHESES, PAIRS, TENS, family=12)
    full = judge(fair(), HYPOTHESES, PAIRS, TENS)
    assert len(model.requests) == thrifty.usage.calls < 0.6 * full.usage.calls
    verdicts = {(j.hypothesis_id, j.prompt_id): j.verdict for j in full.judgements}
    assert all(verdicts[j.hypothesis_id, j.prompt_id] is j.verdict for j in thrifty.judgements)
    # each once, in the order of hypotheses and pairs
    keys = [(j.hypothesis_id, j.prompt_id) for j in thrifty.judgements]
    asked = set(keys)
    assert keys == [key for key in verdicts if key in asked]


def test_clear_ones_get_few_heldout_prompts_and_null_ones_none():
    told = []
    model, one_each = fair(), Judging(batch=1)
    thrifty = judge_in_stages(
        model, HYPOTHESES, PAIRS, one_each, family=12, on_progress=lambda *args: told.append(args)
    )

    def judged(name, split):
        return sum(j.hypothesis_id == name and j.prompt_id.startswith(split) for j in thrifty.judgements)

    assert (judged("h0", "train"), judged("h0", "heldout")) == (50, 150)
    assert judged("h1", "heldout") == 200
    dropped = [f"h{i}" for i in range(2, 12) if judged(f"h{i}", "heldout") == 0]
    assert len(dropped) >= 4
    assert thrifty.left_out == {FUTILE: len(dropped)}
    assert f"{thrifty.usage.calls} of 5280 questions" in thrifty.notes[0]
    assert f"{len(dropped)} of 12 judged hypotheses were not tested" in thrifty.notes[0]
    # progress goes up to the number of questions, and never promises less than it does
    done = [args[1] for args in told]
    assert done == sorted(done)
    assert done[-1] == thrifty.usage.calls
    assert all(total >= count for _, count, total in told)
    assert told[0][2] == 5280


def test_futile_ones_are_tested_where_a_question_has_room_for_them():
    """Ten of twelve fill one question for each held-out prompt; the two that promise least are left out."""
    alone = judge_in_stages(fair(), HYPOTHESES, PAIRS, Judging(batch=1), family=12)
    packed = judge_in_stages(fair(), HYPOTHESES, PAIRS, Judging(batch=10), family=12)
    tested, among_ten = (
        {j.hypothesis_id for j in judged.judgements if j.prompt_id.startswith("heldout")} for judged in (alone, packed)
    )
    assert tested < among_ten
    assert len(among_ten) == 10
    assert sum(question.pair.prompt.split == "heldout" for question, _ in packed.answered) == 200


def test_verdicts_of_the_method_are_not_judged_again_and_what_that_saved_is_told():
    """Of two hypotheses one comes with verdicts: both share the held-out questions, and one is judged on train."""
    known = [Judgement("h0", pair.prompt.id, Verdict.B, "described") for pair in PAIRS[:240]]
    model = costing(fair(), 1000, 20)
    judged = judge_in_stages(model, HYPOTHESES[:2], PAIRS, Judging(batch=2), family=2, known=known)
    by_split = {name: [j.prompt_id[:5] for j in judged.judgements if j.hypothesis_id == name] for name in ("h0", "h1")}
    assert by_split["h0"] == ["heldo"] * 200
    assert by_split["h1"] == ["train"] * 50 + ["heldo"] * 200
    assert judged.usage.calls == 50 + 200
    assert judged.notes[0] == (
        "Judging asked 250 of 440 questions, which saved 190 calls and about 190,000 tokens. The verdicts of 1 of the "
        "hypotheses on train prompts come from the method that proposed them; the judge saw these hypotheses with "
        "held-out prompts alone. All 2 were tested on 200 of the 200 held-out prompts. Figures on train prompts prove "
        "nothing: they rest on the prompts judged until then. --judging full judges everything."
    )


@pytest.mark.parametrize("train", [50, 60])
def test_few_prompts_with_verdicts_of_the_method_take_heldout_questions_alone(train):
    made = pairs_of(train, 40)
    known = [
        Judgement(each.id, pair.prompt.id, Verdict.B if pair.prompt.id in ("train-1", "train-2") else Verdict.NOT_SHOWN,
                  "described")
        for each in HYPOTHESES[:2] for pair in made[:train]
    ]  # fmt: skip
    judged = judge_in_stages(fair(), HYPOTHESES[:2], made, family=2, known=known)
    assert {j.prompt_id[:5] for j in judged.judgements} == {"heldo"}
    assert (judged.usage.calls, len(judged.judgements)) == (40, 80)
    assert f"Judging asked 40 of {train + 40} questions, which saved {train} calls. The verdicts on" in judged.notes[0]


def test_where_all_are_tested_the_note_speaks_of_none_without_hope():
    judged = judge_in_stages(fair(), HYPOTHESES[:1], PAIRS, family=1)
    assert "not tested" not in judged.notes[0]
    assert "All 1 were tested on 150 of the 200 held-out prompts, a number planned from" in judged.notes[0]


def test_the_first_prompts_do_not_depend_on_the_order_given():
    shuffled = random.Random(1).sample(PAIRS, len(PAIRS))
    keys = [
        {(j.hypothesis_id, j.prompt_id) for j in judge_in_stages(fair(), HYPOTHESES, each, family=12).judgements}
        for each in (PAIRS, shuffled)
    ]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("pairs", [pairs_of(50, 20), PAIRS[:240]], ids=["few train prompts", "nothing held out"])
def test_where_there_is_nothing_to_save_everything_is_judged(pairs):
    assert judge_in_stages(fair(), HYPOTHESES, pairs, family=12) == judge(fair(), HYPOTHESES, pairs)


def test_both_orders_in_stages():
    judged = judge_in_stages(fair(), HYPOTHESES[:2], PAIRS, Judging(both_orders=True), family=2)
    assert judged.consistency.value == 1.0
    assert judged.usage.calls == 2 * len({(j.prompt_id) for j in judged.judgements})


class Given:
    """A method that states what it is told to."""

    name = "llm"
    models = ()

    def find_hypotheses(self, pairs, on_progress):
        return Discovery(tuple(HYPOTHESES))


@pytest.mark.parametrize("judging", ["thrift", "full"])
def test_what_train_dropped_is_in_no_family(judging):
    by_prompt = {pair.prompt.text: pair for pair in PAIRS}

    def side(name):
        return ScriptedModel(name, lambda chat, sampling: by_prompt[chat[-1].content].response(name).text)

    a, b = side("a"), side("b")
    prompts = [pair.prompt for pair in PAIRS]
    options = DiffOptions(judging=judging, judge_batch=10)
    report = diff_models(a, b, prompts, methods=[Given()], judge=fair(), options=options)
    found = {finding.hypothesis.id: finding for finding in report.findings}
    assert {name for name, each in found.items() if each.confirmed} == {"h0", "h1"}
    tested = [each for each in found.values() if each.heldout.n]
    assert all((each.heldout.p is None) == (each.heldout.q is None) == (each.heldout.n == 0) for each in found.values())
    qs = metrics.benjamini_hochberg([each.heldout.p for each in tested])
    assert [each.heldout.q for each in tested] == qs
    assert report.settings["judging"] == judging
    if judging == "full":
        assert len(tested) == 12
        assert "judge" not in report.left_out
    else:
        assert report.left_out["judge"] == {FUTILE: 12 - len(tested)}
        assert any("--judging full judges everything" in note for note in report.notes)


def prefers_first(statement, one, two, coin):
    """In 70 % of the statements the response shown first, whatever they say."""
    return "1" if coin.random() < 0.7 else fits(statement, one, two)


def errs(statement, one, two, coin):
    return coin.choice(["1", "2", "NOT SHOWN"]) if coin.random() < 0.15 else fits(statement, one, two)


@pytest.mark.parametrize("answer", [prefers_first, errs])
def test_bad_judges_confirm_no_null(answer):
    """Ten nulls in each of 16 runs: at most 5 % of the runs may confirm anything; 2 of 16 happen by chance, not 4."""
    alarms = 0
    # half of them predict either side, so that a place that always wins would confirm one half
    nulls = [replace(each, direction="ab"[i % 2]) for i, each in enumerate(HYPOTHESES[2:])]
    for seed in range(16):
        made = pairs_of(60, 40, seed)
        judged = judge_in_stages(judge_with(answer), nulls, made, Judging(seed=seed), family=10)
        splits = {pair.prompt.id: pair.prompt.split for pair in made}
        heldout = {
            each.id: metrics.measure(
                [j for j in judged.judgements if j.hypothesis_id == each.id and splits[j.prompt_id] == "heldout"],
                each.direction,
            )
            for each in nulls
        }
        alarms += any(metrics.confirmed(each) for each in metrics.confirm(heldout).values())
        if answer is prefers_first:
            assert judged.first_place.value > 0.75
    assert alarms <= 2
