"""Without an LLM, a feature's category is that of a measured property that decides as it does."""

import numpy as np
import pytest

from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_screening import ScreenedLatent
from diffing.methods.features.property_agreement import agreement, with_properties
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.sparse_latents import Latents
from diffing.methods.features.stated_hypotheses import StatedHypotheses, one_each, single_feature
from diffing.types import Completion, FeatureAbove, FeatureMeasure, Message, Pair, Prompt

REFUSAL, ANSWER = "I'm sorry, but I can't help with that.", "Take two eggs and whisk them in a bowl."


def latents(active: bool) -> Latents:
    return Latents(np.array([3] if active else [], np.int32), np.ones(int(active), np.float32), 3)


def read(number: int, *, refuses: bool, active: bool) -> ReadPair:
    """A pair in which A may refuse, and in which a feature may be active in A's response."""
    prompt = Prompt(f"p{number}", (Message("user", f"Question {number}?"),), "test", "train")
    pair = Pair(prompt, Completion(REFUSAL if refuses else ANSWER, "stop"), Completion(ANSWER, "stop"))
    return ReadPair(pair, latents(active), latents(False))


def stated() -> StatedHypotheses:
    evidence = FeatureEvidence(ScreenedLatent(3, 0.5, 0.0, 0.001, 0.01), ())
    measure = FeatureMeasure("crosscoder", (FeatureAbove("3", 0.0),), "0a")
    return one_each([evidence], lambda feature: single_feature("crosscoder", "<MODEL> does.", feature, measure))


@pytest.mark.parametrize(
    ("both", "alone", "property_", "category"),
    [(9, 1, "refusals", "safety and alignment"), (7, 3, None, "style")],
)
def test_a_feature_that_decides_as_refusals_do_is_about_safety(
    both: int, alone: int, property_: str | None, category: str
) -> None:
    """A refuses in `both` pairs in which the feature is active; in `alone` others only the feature is."""
    pairs = [read(n, refuses=n < both, active=True) for n in range(both + alone)]
    pairs += [read(n, refuses=False, active=False) for n in range(20, 40)]
    found = with_properties(stated(), pairs)
    assert [each.category for each in found.hypotheses] == [category]
    assert (found.features[0].agrees_with is None) == (property_ is None)
    assert [each.text for each in found.hypotheses] == ["<MODEL> does."]


def test_agreement_counts_the_pairs_that_either_decides() -> None:
    features = np.array([[1, 1, -1, 0, 0]], np.int8)
    properties = np.array([[1, 1, -1, 0, 0], [1, 0, -1, 0, 1], [-1, -1, 1, 0, 0], [0, 0, 0, 0, 0]], np.int8)
    assert agreement(features, properties).tolist() == [[1.0, 0.5, 0.0, 0.0]]
    assert agreement(np.zeros((1, 5), np.int8), properties[3:]).tolist() == [[0.0]]


def test_without_features_nothing_is_measured() -> None:
    nothing = StatedHypotheses((), ())
    assert with_properties(nothing, []) == nothing
