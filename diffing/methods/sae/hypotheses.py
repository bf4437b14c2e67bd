"""Hypotheses about single SAE features, and the measures of hypotheses of the SAE method."""

from collections.abc import Sequence

from diffing.methods.features import stated_hypotheses
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_verdicts import IsActive
from diffing.methods.features.summarise import FeatureMethod
from diffing.methods.sae.stages import LLM_STAGES
from diffing.types import Hypothesis, LatentMeasure

METHOD = "sae"


def latent_measure(hypothesis: Hypothesis) -> LatentMeasure:
    """Returns the measure of a hypothesis of this method.

    Raises:
        ValueError: The hypothesis comes from another method.
    """
    if not isinstance(hypothesis.measure, LatentMeasure):
        raise ValueError(f"expected a hypothesis of the SAE method, got measure {hypothesis.measure!r}")
    return hypothesis.measure


def in_words(indices: Sequence[int]) -> LatentMeasure:
    """Returns the measure of a hypothesis in words that is based on some latents."""
    return LatentMeasure(tuple(indices), in_words=True)


FEATURE_METHOD = FeatureMethod(METHOD, LLM_STAGES, in_words)


def is_active(measure: LatentMeasure) -> IsActive:
    """Returns what tells whether any of a measure's latents is active in a response."""
    return lambda latents: any(latents.value(index) > 0 for index in measure.indices)


def single_feature(feature: FeatureEvidence) -> Hypothesis:
    """Returns the hypothesis that a latent is active more often in the responses of its side."""
    text = f"<MODEL>'s responses activate feature {feature.index} ({feature.words}) more often than <OTHER MODEL>'s."
    return stated_hypotheses.single_feature(METHOD, text, feature, LatentMeasure((feature.index,)))
