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
from diffing.types import Discovery, Hypothesis, Message, Pair, Prompt, Response
from tests.servers.rules import read


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
    return "N/A" if has[0] == has[1] else "1" if has[0] else "2"


def judge_with(answer):
    """A judge that answers `answer(statement, one, two, coin)`; the coin is the same for a question asked again."""

    def reply(conversation, sampling):
        asked = read(conversation[-1].content)
        if asked.task != "judge":
            return "{}"
        _, one, two, *statements = asked.blocks
        # of what is asked, not of the fence around it
        coin = random.Random("\0".join(asked.blocks))
        verdicts = [
            {"statement": i, "fits": answer(statement, one, two, coin)} for i, statement in enumerate(statements, 1)
        ]
        return json.dumps({"verdicts": verdicts})

    return ScriptedModel("judge", reply)


def fair():
    return judge_with(lambda statement, one, two, coin: fits(statement, one, two))


def test_thrift_asks_less_and_changes_no_verdict():
    model = fair()
    thrifty = judge_in_stages(model, HYPOTHESES, PAIRS, family=12)
    full = judge(fair(), HYPOTHESES, PAIRS)
    assert len(model.requests) == thrifty.usage.calls < 0.6 * full.usage.calls
    verdicts = {(j.hypothesis_id, j.prompt_id): j.verdict for j in full.judgements}
    assert all(verdicts[j.hypothesis_id, j.prompt_id] is j.verdict for j in thrifty.judgements)
    # each once, in the order of hypotheses and pairs
    keys = [(j.hypothesis_id, j.prompt_id) for j in thrifty.judgements]
    assert keys == [key for key in verdicts if key in set(keys)]


def test_clear_ones_get_few_heldout_prompts_and_null_ones_none():
    told = []
    thrifty = judge_in_stages(fair(), HYPOTHESES, PAIRS, family=12, on_progress=lambda *args: told.append(args))

    def judged(name, split):
        return sum(j.hypothesis_id == name and j.prompt_id.startswith(split) for j in thrifty.judgements)

    assert (judged("h0", "train"), judged("h0", "heldout")) == (50, 150)
    assert judged("h1", "heldout") == 200
    dropped = [f"h{i}" for i in range(2, 12) if judged(f"h{i}", "heldout") == 0]
    assert len(dropped) >= 7
    assert thrifty.left_out == {FUTILE: len(dropped)}
    assert f"{thrifty.usage.calls} of 880 questions" in thrifty.notes[0]
    assert f"{len(dropped)} of 12 judged hypotheses were not tested" in thrifty.notes[0]
    # progress goes up to the number of questions, and never promises less than it does
    done = [args[1] for args in told]
    assert done == sorted(done)
    assert done[-1] == thrifty.usage.calls
    assert all(total >= count for _, count, total in told)
    assert told[0][2] == 880


def test_where_all_are_tested_the_note_speaks_of_none_without_hope():
    judged = judge_in_stages(fair(), HYPOTHESES[:1], PAIRS, family=1)
    assert "not tested" not in judged.notes[0]
    assert "All 1 were tested on 150 of the 200 held-out prompts" in judged.notes[0]


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
    options = DiffOptions(judging=judging)
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
    return coin.choice(["1", "2", "N/A"]) if coin.random() < 0.15 else fits(statement, one, two)


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
