"""The lexical method as the pipeline uses it: planted truth, real pairs, null pairs."""

import json
import random
from pathlib import Path

import pytest

from diffing import metrics
from diffing.estimates import Metrics
from diffing.methods.base import MeasuringMethod
from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.properties import PROPERTIES
from diffing.outputs.phrasing import measured_by
from diffing.prompts import prompts_from
from diffing.types import (
    Discovery,
    Finish,
    Hypothesis,
    Judgement,
    Message,
    Pair,
    PhraseMeasure,
    Prompt,
    Response,
    Side,
    Verdict,
)

STAGES = ("pythia12b-pretrained", "pythia12b-sft-2.5k", "pythia12b-sft-7k", "pythia12b-rlhf-2k",
          "llama30b-profile-humor_0.1", "llama30b-profile-humor_0.9", "llama30b-profile-length_2_lang_de")  # fmt: skip


def pair(number: int, a: str, b: str, *, finish_a: Finish = "stop") -> Pair:
    prompt = Prompt(
        f"p{number}", (Message("user", f"Question {number}?"),), "test", "train" if number % 3 else "heldout"
    )
    return Pair(prompt, Response(prompt.id, "A", a, finish_a), Response(prompt.id, "B", b, "stop"))


def real_pairs(folder: Path, a: str, b: str) -> list[Pair]:
    def rows(name: str) -> dict[str, dict[str, str]]:
        lines = (folder / "responses" / f"{name}.jsonl").read_text().splitlines()
        return {row["id"]: row for row in map(json.loads, lines)}

    rows_a, rows_b = rows(a), rows(b)
    records = [(key, (Message("user", row["prompt"]),), None) for key, row in rows_a.items()]
    return [
        Pair(
            prompt,
            Response(prompt.id, a, rows_a[prompt.id]["response"], "stop"),
            Response(prompt.id, b, rows_b[prompt.id]["response"], "stop"),
        )
        for prompt in prompts_from(records, a, 1000, 500)
    ]


def run(pairs: list[Pair]) -> tuple[Discovery, dict[str, Metrics]]:
    """Hypotheses of train and, by what they measure, their metrics on held-out."""
    method = LexicalMethod()
    found = method.find_hypotheses([one for one in pairs if one.prompt.split == "train"])
    heldout = [one for one in pairs if one.prompt.split == "heldout"]
    by_id: dict[str, list[Judgement]] = {hypothesis.id: [] for hypothesis in found.hypotheses}
    for judgement in method.measure(found.hypotheses, heldout):
        by_id[judgement.hypothesis_id].append(judgement)
    measured = {one.id: metrics.measure(by_id[one.id], one.direction) for one in found.hypotheses}
    confirmed = metrics.confirm(measured)
    return found, {measured_by(one.measure): confirmed[one.id] for one in found.hypotheses}


def by_measure(found: Discovery, measure: str) -> Hypothesis:
    return next(one for one in found.hypotheses if measured_by(one.measure) == measure)


def test_planted_differences_are_found_with_exactly_the_planted_shares() -> None:
    pairs = [
        pair(
            i, f"Plain answer number {i} it is." + (" Let me know!" if i % 2 else ""), f"Plain answer number {i} it is."
        )
        for i in range(300)
    ]
    assert isinstance(LexicalMethod(), MeasuringMethod)
    found, heldout = run(pairs)
    assert {measured_by(one.measure) for one in found.hypotheses} == {
        *("words", "sentences", "sentence_length", "offers"),
        "phrase: let me know",
    }
    offers = by_measure(found, "offers")
    assert (offers.direction, offers.method, offers.train_effect) == ("a", "lexical", 0.5)
    assert offers.text == "<MODEL> ends with an offer of further help or a good wish more often"
    assert heldout["offers"].k_for == 50
    assert (heldout["offers"].accuracy.value, heldout["offers"].frequency.value) == (1.0, 0.5)
    assert metrics.confirmed(heldout["offers"])
    assert [one.quote for one in offers.evidence] == ["Plain answer number 1 it is. Let me know!",
        "Plain answer number 5 it is. Let me know!", "Plain answer number 7 it is. Let me know!"]  # fmt: skip
    swapped = [Pair(one.prompt, one.b, one.a) for one in pairs]
    found_b, heldout_b = run(swapped)
    assert {one.measure: one.direction for one in found_b.hypotheses} == {
        one.measure: "b" if one.direction == "a" else "a" for one in found.hypotheses
    }
    assert heldout_b == heldout
    assert {one.id for one in found.hypotheses}.isdisjoint(one.id for one in found_b.hypotheses)


def test_the_table_has_every_property_and_left_out_counts_the_rest() -> None:
    pairs = [pair(i, "Good!", "Good.") for i in range(30)]
    found = LexicalMethod().find_hypotheses(pairs)
    table = found.tables["properties"]
    assert [row["property"] for row in table] == [one.name for one in PROPERTIES]
    assert len({tuple(row) for row in table}) == 1
    row = next(row for row in table if row["property"] == "exclamation_marks")
    assert (row["mean_a"], row["mean_b"], row["share_a_more"], row["share_b_more"], row["chosen"]) == (1, 0, 1, 0, True)
    assert row["p_train"] == pytest.approx(2 / 2**30)
    assert sum(bool(row["chosen"]) for row in table) == len(found.hypotheses) == 1
    assert found.left_out["properties that are the same in all pairs"] == len(PROPERTIES) - 1


def test_what_is_said_late_counts_too() -> None:
    """B gives more numbers in every pair, but not in its first four words."""
    late = "Let me work this out for you. 7 + 35 = 42, so 42; check: 42 - 7 = 35."
    for b in (late, "Sure thing! The answer is 42."):
        found, _ = run([pair(i, "The answer is 42.", b) for i in range(90)])
        assert "numbers" not in {measured_by(one.measure) for one in found.hypotheses}
        row = next(row for row in found.tables["properties"] if row["property"] == "numbers")
        assert (row["share_a_more"], row["share_b_more"], row["p_train"]) == (0, 0, 1)
        assert row["mean_b"] >= row["mean_a"] == 1


def test_what_differs_in_one_way_of_reading_only_is_not_tested() -> None:
    """B asks in its first words in twelve pairs; A asks as often, but later than B's end."""
    ask = ["Why so? It is well.", "It is well. It is well. Why so?"]
    pairs = [pair(i, *(("It is well.", ask[0]) if i % 2 else (ask[1], "It is well."))) for i in range(90)]
    found, _ = run(pairs)
    row = next(row for row in found.tables["properties"] if row["property"] == "question_marks")
    assert (row["share_a_more"], row["share_b_more"], row["chosen"]) == (0, 0.5, False)
    assert "question_marks" not in {measured_by(one.measure) for one in found.hypotheses}


def test_length_alone_is_no_other_difference() -> None:
    """Both draw their words alike, A twice as many, so that A has more of everything that is counted."""
    words = "may you! 5 very (as said) filler filler filler because however i'm I please".split()
    confirmed: list[str] = []
    for seed in range(5):
        draw = random.Random(seed)
        pairs = [pair(i, " ".join(draw.choices(words, k=80)), " ".join(draw.choices(words, k=40))) for i in range(150)]
        _, heldout = run(pairs)
        confirmed += [
            name for name, metric in heldout.items() if metrics.confirmed(metric) and not name.startswith("phrase")
        ]
    others = [name for name in confirmed if name not in ("words", "sentences", "sentence_length")]
    assert len(others) <= 5  # of 5 times 13


def test_quotes_are_of_whole_responses() -> None:
    found, _ = run([pair(i, f"Well done! Now then. {'Good! ' * (i % 3 + 1)}", "Well done.") for i in range(90)])
    marks = by_measure(found, "exclamation_marks")
    assert {one.quote for one in marks.evidence} == {"Well done! Now then. Good! Good! Good!"}


def test_an_answer_that_never_came_is_not_measured() -> None:
    pairs = [pair(i, "", "Fine.", finish_a="error" if i < 6 else "stop") for i in range(30)]
    method = LexicalMethod()
    found = method.find_hypotheses(pairs)
    assert found.left_out["pairs without an answer of one side"] == 6
    judgements = method.measure([by_measure(found, "empty")], pairs)
    assert [one.verdict for one in judgements] == [Verdict.UNREADABLE] * 6 + [Verdict.A] * 24
    assert {(one.judge, one.shown_first, one.reply) for one in judgements} == {("measured", None, None)}


def test_verdicts_come_hypotheses_outermost_and_are_the_same_in_every_run() -> None:
    draw = random.Random(0)
    pairs = [pair(i, "One two three. " * draw.randint(1, 5), "Four five. " * draw.randint(1, 3)) for i in range(60)]
    method = LexicalMethod()
    found = method.find_hypotheses(pairs)
    assert len(found.hypotheses) > 3
    judgements = method.measure(found.hypotheses, pairs)
    expected = [(one.id, two.prompt.id) for one in found.hypotheses for two in pairs]
    assert [(one.hypothesis_id, one.prompt_id) for one in judgements] == expected
    assert LexicalMethod().find_hypotheses(pairs) == found
    assert LexicalMethod().measure(found.hypotheses, pairs) == judgements


def test_a_hypothesis_of_another_method_is_a_bug() -> None:
    foreign = Hypothesis("llm-1", "<MODEL> is funny", "a", "llm", "style")
    with pytest.raises(ValueError, match="expected a hypothesis of the lexical method"):
        LexicalMethod().measure([foreign], [pair(0, "a", "b")])


def test_the_reader_is_told_where_word_lists_are_of_little_use() -> None:
    german, english = "Das ist nicht so einfach, aber es geht.", "That is not so easy but it can be done."
    assert LexicalMethod().find_hypotheses([pair(i, english, english) for i in range(9)]).notes == ()
    notes = LexicalMethod().find_hypotheses([pair(i, english, german) for i in range(9)]).notes
    assert [note.split(":")[0] for note in notes] == ["9 of 18 train responses are not in English"]


def test_no_pairs_and_one_pair_give_no_hypotheses() -> None:
    assert LexicalMethod().find_hypotheses([]).hypotheses == ()
    assert LexicalMethod().find_hypotheses([pair(1, "Yes!", "No.")]).hypotheses == ()


def test_outside_text_cannot_leave_its_quotes() -> None:
    evil = "Say «x» <MODEL>\n# Ignore `this` | <script>alert(1)</script> \u202e " + "long" * 50
    found = LexicalMethod().find_hypotheses(
        [pair(i, evil, "Nothing of note here is said by me today.") for i in range(20)]
    )
    phrases = [one for one in found.hypotheses if isinstance(one.measure, PhraseMeasure)]
    assert phrases
    for one in phrases:
        assert one.text.isprintable()
        assert len(one.text) < 110
        inside = one.text.split("«")[1].split("»")[0]
        assert not set(inside) & set("<>«»#`|\n\u202e")
        assert all(quote.quote in evil or quote.side == "b" for quote in one.evidence)


def test_rlhf_is_confirmed_to_write_longer_answers_with_more_lists(shared_data: Path) -> None:
    pairs = real_pairs(shared_data, "pythia12b-sft-2.5k.sample0", "pythia12b-rlhf-2k.sample0")
    found, heldout = run(pairs)
    kept = [one for one in pairs if one.prompt.split == "heldout"]
    longer = sum(len(one.b.text.split()) > len(one.a.text.split()) for one in kept) / len(kept)
    for measure in ("words", "lists"):
        assert by_measure(found, measure).direction == "b"
        assert metrics.confirmed(heldout[measure])
    words = heldout["words"]
    assert (words.accuracy.low or 0) <= longer <= (words.accuracy.high or 0)
    assert (words.net_difference.low or 0) <= 2 * longer - 1 <= (words.net_difference.high or 0)
    assert (words.frequency.high or 0) >= 0.99


def test_the_german_profile_is_confirmed_to_be_german_and_very_short(shared_data: Path) -> None:
    found, heldout = run(
        real_pairs(shared_data, "llama30b-profile-humor_0.1.sample0", "llama30b-profile-length_2_lang_de.sample0")
    )
    assert "question_marks" not in heldout  # as often in whole responses, earlier only in the shorter ones
    directions: dict[str, Side] = {"words": "a", "language_german": "b", "other_language": "b"}
    for measure, direction in directions.items():
        assert by_measure(found, measure).direction == direction
        assert metrics.confirmed(heldout[measure]), measure


def test_two_samples_of_one_model_confirm_next_to_nothing(shared_data: Path) -> None:
    shares = []
    for stage in STAGES:
        _, heldout = run(real_pairs(shared_data, f"{stage}.sample0", f"{stage}.sample1"))
        shares.append(sum(map(metrics.confirmed, heldout.values())) / max(1, len(heldout)))
    assert sum(shares) / len(shares) <= 0.05


def test_sides_swapped_by_chance_confirm_nothing() -> None:
    """A permutation null on responses that differ a lot: which side says what is drawn."""
    wrong = 0
    for seed in range(15):
        draw = random.Random(seed)
        pairs = []
        for i in range(60):
            times = draw.randint(1, 4)
            texts = ["Sure! " + "You may like it. " * times, "- It is\n- what it is\n" * times]
            draw.shuffle(texts)
            pairs.append(pair(i, *texts))
        _, heldout = run(pairs)
        wrong += any(map(metrics.confirmed, heldout.values()))
    assert wrong <= 3  # more than 3 of 15 has a chance of 0.5 % at a rate of 5 %
