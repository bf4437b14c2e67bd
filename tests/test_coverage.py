"""Coverage on planted truth: what tells two models apart, how much of it a list of findings explains, and when that is
not said."""

import random
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csr_array

from diffing import metrics
from diffing.coverage import cover
from diffing.coverage.logistic_regression import fit_preference
from diffing.coverage.term_weights import term_differences
from diffing.estimates import Coverage, Estimate
from diffing.metrics import UNDEFINED
from diffing.types import (
    Finding,
    Hypothesis,
    Judgement,
    Merged,
    Message,
    Pair,
    PhraseMeasure,
    Prompt,
    Response,
    Side,
    Verdict,
    other_side,
)
from tests.hostile import CORE

WORDS = "river stone cloud table green seven music paper north bread".split()


def pair(number: int, split: str, a: str, b: str) -> Pair:
    prompt = Prompt(f"p{number}", (Message("user", f"Question {number}?"),), "test", split)
    return Pair(prompt, Response(prompt.id, "a", a, "stop"), Response(prompt.id, "b", b, "stop"))


def filler(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=8))


def pairs_with(planted: Callable[[int], str], train: int = 100, heldout: int = 60) -> list[Pair]:
    """Pairs whose responses differ only in the words that A adds to pair i."""
    draw = random.Random(5)
    texts = [filler(draw) for _ in range(train + heldout)]
    splits = ["train"] * train + ["heldout"] * heldout
    return [
        pair(i, split, f"{text} {planted(i)}".strip(), text)
        for i, (split, text) in enumerate(zip(splits, texts, strict=True))
    ]


def word_finding(word: str, pairs: Sequence[Pair], *, confirmed: bool = True) -> tuple[Finding, list[Judgement]]:
    """The finding that A uses a word more often, with its verdicts."""
    hypothesis = Hypothesis(
        f"uses-{word}", f"<MODEL> uses «{word}»", "a", "lexical", "style", measure=PhraseMeasure(word)
    )
    judgements = []
    for one in pairs:
        a, b = (word in one.response(side).text.split() for side in ("a", "b"))
        verdict = Verdict.NEITHER if a == b else Verdict.A if a else Verdict.B
        judgements.append(Judgement(hypothesis.id, one.prompt.id, verdict, "measured"))
    heldout = {one.prompt.id for one in pairs if one.prompt.split == "heldout"}
    measured = [metrics.measure([j for j in judgements if (j.prompt_id in heldout) is of], "a") for of in (False, True)]
    return Finding(hypothesis, measured[0], measured[1], accepted=True, confirmed=confirmed), judgements


def covered(
    pairs: Sequence[Pair], *found: tuple[Finding, list[Judgement]], lines: Sequence[Merged] | None = None
) -> Coverage:
    findings = [finding for finding, _ in found]
    each = [Merged(finding.hypothesis.id, (finding.hypothesis.id,)) for finding in findings]
    judgements = [judgement for _, judgements in found for judgement in judgements]
    found_out = cover(findings, each if lines is None else lines, judgements, pairs)
    assert found_out is not None
    return found_out


def value(estimate: Estimate) -> tuple[float | None, float | None, float | None, int]:
    return estimate.value, estimate.low, estimate.high, estimate.n


def test_one_planted_word_is_told_by_everything_and_by_a_list_that_has_it() -> None:
    pairs = pairs_with(lambda i: "zebra")
    found = covered(pairs, word_finding("zebra", pairs))
    all_right = metrics.wilson(60, 60)
    assert (found.everything, found.findings, found.lines, found.first_five) == (all_right,) * 4
    assert value(found.explained) == value(found.explained_by_lines) == (1.0, 1.0, 1.0, 60)
    assert value(found.open_pairs)[:2] == (0.0, 0.0)
    assert found.told_in_open == UNDEFINED
    assert found.p == 0.5**60


def test_a_list_without_the_word_explains_nothing_and_leaves_all_open() -> None:
    pairs = pairs_with(lambda i: "zebra")
    found = covered(pairs, word_finding("quagga", pairs))
    assert found.everything == metrics.wilson(60, 60)
    assert value(found.findings)[0] == value(found.first_five)[0] == 0.5  # every pair is undecided: half right
    assert value(found.explained) == (0.0, 0.0, 0.0, 60)
    assert (found.open_pairs.value, found.told_in_open) == (1.0, metrics.wilson(60, 60))
    assert covered(pairs).findings == found.findings  # as does an empty list


def test_a_list_that_has_one_of_two_differences_explains_its_share_of_them() -> None:
    """A uses «zebra» in half of its responses and «okapi» in the others."""
    pairs = pairs_with(lambda i: "zebra" if i % 2 else "okapi", train=200, heldout=200)
    found = covered(pairs, word_finding("zebra", pairs), word_finding("okapi", pairs, confirmed=False))
    assert (found.everything.value, found.findings.value) == (1.0, 0.75)
    assert found.explained.value == 0.5
    assert 0.4 < found.explained.low < 0.45 < 0.55 < found.explained.high < 0.6
    assert (found.open_pairs.value, found.told_in_open.value) == (0.5, 1.0)


def test_lines_are_the_leads_outside_the_blocks_and_the_first_five_of_them_are_told_apart() -> None:
    names = [f"animal{i}" for i in range(10)]
    pairs = pairs_with(lambda i: names[i % 10], train=200, heldout=200)
    found = [word_finding(name, pairs, confirmed=name != "animal0") for name in names]
    ids = [finding.hypothesis.id for finding, _ in found]
    # of nine confirmed findings one is folded into the line of another, and one is a word in the block
    lines = [Merged(ids[0], (ids[0],)), Merged(ids[1], (ids[1], ids[2])), *(Merged(i, (i,)) for i in ids[3:9])]
    lines.append(Merged(ids[9], (ids[9],), block="wording"))
    told = covered(pairs, *found, lines=lines)
    shares = [told.everything, told.findings, told.lines, told.first_five]
    assert [round(share.value, 9) for share in shares] == [1.0, 0.95, 0.85, 0.75]
    explained = [told.explained, told.explained_by_lines, told.explained_by_first_five]
    assert [round(share.value, 9) for share in explained] == [0.9, 0.7, 0.5]


def test_identical_models_give_no_ratio() -> None:
    pairs = pairs_with(lambda i: "")
    found = covered(pairs, word_finding("river", pairs))
    assert (found.p, found.everything.value) == (1.0, 0.5)
    assert (found.explained, found.explained_by_lines, found.explained_by_first_five) == (UNDEFINED,) * 3


def test_two_samples_of_one_model_give_no_ratio() -> None:
    draw = random.Random(8)
    pairs = [pair(i, "train" if i < 100 else "heldout", filler(draw), filler(draw)) for i in range(160)]
    found = covered(pairs, word_finding("river", pairs), word_finding("stone", pairs, confirmed=False))
    assert found.p > 0.05
    assert found.explained == UNDEFINED
    assert found.everything.n == 60


@pytest.mark.parametrize(("train", "heldout", "is_said"), [(100, 60, True), (99, 60, False), (100, 59, False)])
def test_with_few_pairs_accuracies_alone_are_told(train: int, heldout: int, is_said: bool) -> None:
    pairs = pairs_with(lambda i: "zebra", train, heldout)
    found = covered(pairs, word_finding("zebra", pairs))
    assert found.findings == metrics.wilson(heldout, heldout)
    assert (found.explained != UNDEFINED) is is_said


def test_an_interval_wider_than_fifty_points_is_not_told() -> None:
    """In two of five pairs A uses a planted word, in the others both sides write at random."""
    draw = random.Random(3)
    pairs = [
        pair(i, "train" if i < 100 else "heldout", f"{filler(draw)} {'zebra' if i % 5 < 2 else 'okapi'}", filler(draw))
        for i in range(160)
    ]
    pairs = [replace(one, b=replace(one.b, text=f"{one.b.text} okapi")) for one in pairs]
    found = covered(pairs, word_finding("zebra", pairs))
    assert found.p <= 0.05
    assert found.findings.value == 0.5 + 24 / 60 / 2
    assert found.explained == UNDEFINED


def noisy() -> tuple[list[Pair], list[tuple[Finding, list[Judgement]]]]:
    """Pairs that differ by chance and in some words, with the findings of the ten words."""
    draw = random.Random(1)
    pairs = []
    for i in range(180):
        a, b = (" ".join(draw.choices(WORDS, weights, k=12)) for weights in (range(3, 13), range(12, 2, -1)))
        pairs.append(pair(i, "train" if i < 110 else "heldout", a, b))
    return pairs, [word_finding(word, pairs, confirmed=n % 2 > 0) for n, word in enumerate(WORDS)]


def mirrored(one: tuple[Finding, list[Judgement]]) -> tuple[Finding, list[Judgement]]:
    """The same with A and B exchanged; ids depend on the side, as those of methods do."""
    finding, judgements = one
    side: Side = other_side(finding.hypothesis.direction)
    hypothesis = replace(finding.hypothesis, id=f"{side}-{finding.hypothesis.id[::-1]}", direction=side)
    swapped = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}
    return replace(finding, hypothesis=hypothesis), [
        replace(j, hypothesis_id=hypothesis.id, verdict=swapped.get(j.verdict, j.verdict)) for j in judgements
    ]


def test_exchanging_the_models_and_permuting_prompts_and_findings_change_nothing() -> None:
    pairs, found = noisy()
    expected = covered(pairs, *found)
    assert expected.p < 0.05
    assert expected.explained != UNDEFINED
    swapped = [replace(one, a=one.b, b=one.a) for one in pairs]
    assert covered(swapped, *map(mirrored, found)) == expected
    shuffled = random.Random(2).sample(pairs, len(pairs))
    assert covered(shuffled, *((finding, judgements[::-1]) for finding, judgements in found)) == expected
    lines = [Merged(finding.hypothesis.id, (finding.hypothesis.id,)) for finding, _ in found]
    assert covered(pairs, *found[::-1], lines=lines) == expected


def test_pairs_without_an_answer_are_left_out() -> None:
    pairs, found = noisy()
    broken = [replace(one, a=replace(one.a, finish="error", text="")) for one in pairs[::9]]
    rest = [one for i, one in enumerate(pairs) if i % 9]
    assert covered([*rest, *broken], *found) == covered(rest, *found)


def test_hostile_texts_break_nothing() -> None:
    nasty = ["", "\x00" * 50, "\ud800 lone \udfff", "x" * 100_000, "a " * 50_000, "💥\u202e" * 3_000, *CORE.values()]
    pairs = [
        pair(i, "train" if i < 100 else "heldout", f"{nasty[i % len(nasty)]} zebra", nasty[-i % len(nasty)])
        for i in range(160)
    ]
    pairs = [replace(one, prompt=replace(one.prompt, id=f"\ud800\x00{one.prompt.id}")) for one in pairs]
    found = covered(pairs, word_finding("zebra", pairs))
    every = [getattr(found, field.name) for field in fields(found) if field.name != "p"]
    assert all(each == UNDEFINED or each.low <= each.value <= each.high for each in every)
    assert found.findings.n == 60


def test_texts_without_a_common_word_are_told_by_their_sizes() -> None:
    pairs = [pair(i, "train" if i < 100 else "heldout", f"x{i} y{i} z{i}", f"w{i}") for i in range(160)]
    assert covered(pairs).everything == metrics.wilson(60, 60)


def test_too_few_train_pairs_and_no_held_out_pair_give_nothing() -> None:
    for train, heldout in ((9, 60), (100, 0)):
        pairs = pairs_with(lambda i: "zebra", train, heldout)
        assert cover([], [], [], pairs) is None


def _dense(pairs: list[tuple[str, str]], fitted: int) -> npt.NDArray[np.float64]:
    return np.vstack([block.toarray() for block in term_differences(pairs, fitted)])


def test_terms_are_weighed_as_another_implementation_does() -> None:
    sklearn = pytest.importorskip("sklearn.feature_extraction.text")
    draw = random.Random(4)
    texts = [f"{filler(draw)}! «Zebra» {draw.randrange(9)}" for _ in range(60)] + [
        "",
        "é ́\ud800 \x00",
        "unknown words",
        "a",
    ]
    theirs = sklearn.TfidfVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(1, 2), min_df=3, sublinear_tf=True)
    theirs.fit(texts[:40])
    weighed = theirs.transform(texts).toarray()
    expected = weighed[::2] - weighed[1::2]
    found = _dense(list(zip(texts[::2], texts[1::2], strict=True)), 20)
    assert found.shape == expected.shape
    # the columns are in another order
    assert np.abs(np.sort(found, axis=1) - np.sort(expected, axis=1)).max() < 1e-12
    assert np.abs(np.sort(np.sort(found, axis=0)[0]) - np.sort(np.sort(expected, axis=0)[0])).max() < 1e-12


def test_of_too_many_terms_those_in_the_most_texts_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffing.coverage.term_weights.MOST", 2)
    pairs = [("b a c", ""), ("b c a", ""), ("c b", "a"), ("b", "")]
    found = _dense(pairs, 4)  # a is in three texts and comes before c
    assert np.sign(found).tolist() == [[1, 1], [1, 1], [-1, 1], [0, 1]]
    monkeypatch.setattr("diffing.coverage.term_weights._CHUNK", 2)
    assert _dense(pairs, 4).tolist() == found.tolist()


def test_the_fit_is_that_of_another_implementation_and_mirrors_exactly() -> None:
    sklearn = pytest.importorskip("sklearn.linear_model")
    features = np.random.default_rng(1).normal(0.3, 1.0, (80, 12))
    side = np.where(np.arange(80) % 2, 1.0, -1.0)
    for strength in (0.03, 3.0, 10.0):
        theirs = sklearn.LogisticRegression(C=strength, fit_intercept=False, tol=1e-10, max_iter=10_000)
        theirs.fit(features * side[:, None], side > 0)
        found = fit_preference(csr_array(features), strength)
        assert np.abs(found - theirs.coef_[0]).max() < 1e-5
        assert (fit_preference(csr_array(-features), strength) == -found).all()
