"""Names, kinds, sentences and measures of latents."""

import numpy as np
import pytest

from diffing.errors import ModelError
from diffing.methods.crosscoder.cost import TrainingCost, expected_cost
from diffing.methods.crosscoder.hypotheses import LatentStatements
from diffing.methods.crosscoder.numbering import LatentNumbering
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_screening import ScreenedLatent
from diffing.methods.features.sparse_latents import Latents
from diffing.report.measure_cells import measure_cells, measure_from
from diffing.types import FeatureAbove, FeatureMeasure, LatentMeasure

NUMBERING = LatentNumbering(5, 2)
STATEMENTS = LatentStatements(
    NUMBERING,
    ("exclusive a", "exclusive b", "changed", "shared", "shared", "difference", "difference"),
    np.array([0.5, 0.25, 0.0, 1.5, 0.0, 0.75, 2.0]),
    "0a1b",
)


def feature(index: int, more_in_a: bool = True) -> FeatureEvidence:
    rates = (0.5, 0.25) if more_in_a else (0.25, 0.5)
    return FeatureEvidence(ScreenedLatent(index, *rates, 0.001, 0.01), (), label="apologies")


def latents(**values: float) -> Latents:
    indices = sorted(NUMBERING.index(name[1:] if name.startswith("n") else name) for name in values)
    by_index = {NUMBERING.index(name[1:] if name.startswith("n") else name): value for name, value in values.items()}
    return Latents(np.array(indices, np.int32), np.array([by_index[i] for i in indices], np.float32), 3)


def test_names_tell_both_dictionaries_apart() -> None:
    assert [NUMBERING.name(index) for index in range(7)] == ["0", "1", "2", "3", "4", "d0", "d1"]
    assert [NUMBERING.index(NUMBERING.name(index)) for index in range(7)] == list(range(7))
    for name in ("5", "d2", "-1"):
        with pytest.raises(ValueError, match="expected the name of one of 7 latents"):
            NUMBERING.index(name)


def test_names_of_several_blocks_tell_the_block() -> None:
    numbering = LatentNumbering(5, 2, block=4)
    assert [numbering.name(index) for index in (0, 4, 5)] == ["4.0", "4.4", "4.d0"]
    assert [numbering.index(numbering.name(index)) for index in range(7)] == list(range(7))
    for name in ("3", "d1", "5.1", "4.d2", "4.x"):
        with pytest.raises(ValueError, match="expected the name of one of 7 latents"):
            numbering.index(name)
    measure = FeatureMeasure("crosscoder", (FeatureAbove("4.d1", 0.5), FeatureAbove("4.3", 0.0)), "0a1b")
    kind, measured = measure_cells(measure)
    assert measured == "4.d1 > 0.5, 4.3 > 0.0 of 0a1b"
    assert measure_from(kind, measured) == measure


@pytest.mark.parametrize(
    ("index", "more_in_a", "says"),
    [
        (0, True, 'feature 0 ("apologies"), which <MODEL> alone has, more'),
        (0, False, 'feature 0 ("apologies"), which <OTHER MODEL> alone has, more'),
        (1, False, 'feature 1 ("apologies"), which <MODEL> alone has, more'),
        (2, True, "which both models have but represent differently, more"),
        (3, True, "which both models have, more"),
        (6, True, 'feature d1 ("apologies"), along which the two models differ, more'),
    ],
)
def test_the_sentence_says_whose_a_feature_is(index: int, more_in_a: bool, says: str) -> None:
    hypothesis = STATEMENTS.single_feature(feature(index, more_in_a))
    assert hypothesis.text.startswith("<MODEL>'s responses activate ")
    assert hypothesis.text.endswith(" often than <OTHER MODEL>'s.")
    assert says in hypothesis.text
    assert (hypothesis.direction, hypothesis.train_effect) == ("a" if more_in_a else "b", 0.25)
    measure = FeatureMeasure("crosscoder", (FeatureAbove(NUMBERING.name(index), STATEMENTS.thresholds[index]),), "0a1b")
    assert hypothesis.measure == measure


def test_a_feature_is_active_above_its_threshold_only() -> None:
    is_active = STATEMENTS.is_active(STATEMENTS.single_feature(feature(3)))
    assert is_active(latents(n3=1.75))
    assert not is_active(latents(n3=1.5))
    assert not is_active(latents(n0=9.0, d1=9.0))
    words = STATEMENTS.in_words([3, 6])
    assert words.in_words
    assert words.text == "3 > 1.5, d1 > 2.0 of 0a1b"


def test_hypotheses_of_other_dictionaries_are_refused() -> None:
    from dataclasses import replace

    hypothesis = STATEMENTS.single_feature(feature(3))
    other = replace(hypothesis, measure=replace(STATEMENTS.in_words([3]), dictionary="ff"))
    for each in (other, replace(hypothesis, measure=LatentMeasure((3,)))):
        with pytest.raises(ValueError, match="expected a hypothesis about latents of 0a1b"):
            STATEMENTS.measure(each)


@pytest.mark.parametrize(
    ("parameters", "latents", "rows", "operations", "gigabytes"),
    [
        (2_600_000_000, 2**14, 20_000_000, 1e17, 10),  # the table of the specification: 8e16 + 2e16
        (8_000_000_000, 2**15, 20_000_000, 3.4e17, 29),
        (500_000_000, 2**13, 5_000_000, 5e15, 1.5),
    ],
)
def test_costs_are_those_of_the_table(
    parameters: int, latents: int, rows: int, operations: float, gigabytes: float
) -> None:
    cost = expected_cost((parameters, parameters), 0.5, None)
    assert (cost.latents, cost.rows) == (latents, rows)
    assert cost.operations == pytest.approx(operations, rel=0.4)
    assert cost.memory / 1e9 == pytest.approx(gigabytes, rel=0.4)


def test_a_training_that_takes_days_on_a_cpu_is_refused() -> None:
    TrainingCost((1_000_000, 1_000_000), (128, 128), 512, 350_000).check_cpu()
    with pytest.raises(ModelError, match=r"too many for a CPU \(at most 1e\+15\); a GPU takes about 6 min"):
        TrainingCost((2_600_000_000, 2_600_000_000), (2_304, 2_304), 2**14, 10_000_000).check_cpu()
