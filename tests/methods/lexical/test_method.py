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
    SIDES,
    Discovery,
    Finish,
    Hypothesis,
    Judgement,
    Message,
    Pair,
    PhraseMeasure,
    Prompt,
    PropertyMeasure,
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
        *("words", "sentences", "sentence_length", "word_length", "offers", "exclamation_marks", "first_person"),
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


def test_what_is_not_chosen_can_be_measured_in_either_direction() -> None:
    pairs = [pair(i, "Good!", "Good.") for i in range(30)]
    method = LexicalMethod()
    found = method.find_hypotheses(pairs)
    of_properties = [one for one in found.hypotheses if isinstance(one.measure, PropertyMeasure)]
    every = sorted((measured_by(one.measure), one.direction) for one in (*of_properties, *found.candidates))
    assert every == sorted((one.name, side) for one in PROPERTIES for side in SIDES)
    against = next(one for one in found.candidates if one.measure == of_properties[0].measure)
    verdicts = [[one.verdict for one in method.measure([each], pairs)] for each in (of_properties[0], against)]
    assert verdicts[0] == verdicts[1] == [Verdict.A] * 30


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


def test_what_a_longer_response_does_late_counts_in_full() -> None:
    """B asks a question after the words that A has as well, in 74 of 100 pairs."""
    early = "Use a pan and some oil"
    asks = f"{early} until it browns. Shall I go on? Just tell me."
    pairs = [pair(i, f"{early}.", asks if i % 50 < 37 else f"{early}.") for i in range(300)]
    found, heldout = run(pairs)
    questions = by_measure(found, "question_marks")
    assert (questions.direction, questions.train_effect) == ("b", 0.74)
    assert metrics.confirmed(heldout["question_marks"])
    assert heldout["question_marks"].net_difference.value == 0.74


def test_more_in_all_but_not_per_word_is_no_difference() -> None:
    """B has twice the words and twice the numbers, or more words and the same numbers."""
    twice = "The answer is 42. The answer is 42."
    for b in (twice, "Sure thing! The answer is 42."):
        found, _ = run([pair(i, "The answer is 42.", b) for i in range(90)])
        assert "numbers" not in {measured_by(one.measure) for one in found.hypotheses}
        row = next(row for row in found.tables["properties"] if row["property"] == "numbers")
        assert (row["share_a_more"], row["share_b_more"]) == (0, 0)


def test_both_splits_are_tested_by_one_rule() -> None:
    """A asks where B does not in a third of the pairs; in the others B asks more in all, but less per word."""
    a_only, b_in_all = ("Why? It is.", "It is."), ("Why? It is.", f"Why? Who? {'It is so. ' * 20}")
    pairs = [pair(i, *(a_only if i % 9 < 3 else b_in_all)) for i in range(90)]
    asks = PropertyMeasure("question_marks")
    for direction in SIDES:
        hypothesis = Hypothesis("x", "<MODEL> asks more questions", direction, "lexical", "style", measure=asks)
        measured = metrics.measure(LexicalMethod().measure([hypothesis], pairs), direction)
        assert (measured.k_for, measured.k_against) == ((30, 0) if direction == "a" else (0, 30))
        assert (measured.p or 0) > 0.99
    found, _ = run(pairs)
    assert "question_marks" not in {measured_by(one.measure) for one in found.hypotheses}


@pytest.mark.parametrize("lengths", [(120, 30), (30, 120), (60, 60)])
@pytest.mark.parametrize("filler", [1, 40], ids=["dense", "sparse"])
def test_length_alone_confirms_no_counted_sign_and_no_phrase(lengths: tuple[int, int], filler: int) -> None:
    """Both sides draw their words alike, one of them four times as many: words and sentences differ, nothing else."""
    words = "may you! 5 very because however i'm I please why? TRULY bax dux fex".split() + ["so", "it", "the"] * filler
    wrong: list[str] = []
    for seed in range(2):
        draw = random.Random(seed)
        texts = [[" ".join(draw.choices(words, k=draw.randint(1, 2 * size))) for size in lengths] for _ in range(90)]
        _, heldout = run([pair(i, *text) for i, text in enumerate(texts)])
        wrong += [name for name, metric in heldout.items() if metrics.confirmed(metric)]
    own = {"words", "sentences", "sentence_length", "looping", "open_end", "ends_with_question"}
    assert set(wrong) <= own


def test_length_alone_is_no_other_difference() -> None:
    """Both draw their words alike, A twice as many, so that A has more of everything that is counted."""
    words = "may you! 5 very (as said) filler filler filler because however i'm I please".split()
    confirmed: list[str] = []
    for seed in range(5):
        draw = random.Random(seed)
        pairs = [pair(i, " ".join(draw.choices(words, k=80)), " ".join(draw.choices(words, k=40))) for i in range(150)]
        _, heldout = run(pairs)
        confirmed += [name for name, metric in heldout.items() if metrics.confirmed(metric)]
    others = [name for name in confirmed if name not in ("words", "sentences", "sentence_length")]
    assert others == []


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
