"""Has an LLM label features and state hypotheses from them, or takes each feature as a hypothesis of its own."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from diffing.methods.features.active_tokens import Tracer
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.labelling import label_features
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.summarise import FeatureMethod, summarise
from diffing.models.base import Model
from diffing.types import Evidence, Hypothesis, Measure, OnProgress, Usage


@dataclass(frozen=True, slots=True)
class StatedHypotheses:
    """A method's hypotheses, the features behind them, and what an LLM took to state them."""

    hypotheses: tuple[Hypothesis, ...]
    """The hypotheses."""
    features: tuple[FeatureEvidence, ...]
    """The features that were followed up, with their labels."""
    usage: tuple[Usage, ...] = ()
    """Calls and tokens per stage."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many items were not followed up, by reason."""


def one_each(
    features: Sequence[FeatureEvidence], hypothesis: Callable[[FeatureEvidence], Hypothesis]
) -> StatedHypotheses:
    """Makes one hypothesis of each feature.

    Args:
        features: The features.
        hypothesis: Returns the hypothesis about a feature.
    """
    return StatedHypotheses(tuple(hypothesis(feature) for feature in features), tuple(features))


def single_feature(method: str, text: str, feature: FeatureEvidence, measure: Measure) -> Hypothesis:
    """The hypothesis that one feature is active more often in the responses of its side.

    Args:
        method: The method's name.
        text: The sentence that says so.
        feature: The feature.
        measure: Tests the hypothesis.
    """
    direction = feature.screened.direction
    digest = hashlib.sha256(f"{direction}\0{text}".encode()).hexdigest()[:12]
    return Hypothesis(
        id=f"{method}-{digest}",
        text=text,
        direction=direction,
        method=method,
        category="style",
        evidence=tuple(Evidence(one.prompt_id, one.side, one.quote) for one in feature.examples[:3]),
        measure=measure,
        train_effect=abs(feature.screened.difference),
    )


def state_in_words(
    llm: Model,
    features: Sequence[FeatureEvidence],
    pairs: Sequence[ReadPair],
    tracer: Tracer,
    of: FeatureMethod,
    most: int,
    on_progress: OnProgress,
) -> StatedHypotheses:
    """Has an LLM label the features and state at most `most` hypotheses from them.

    Args:
        llm: The LLM.
        features: The features, the largest difference first.
        pairs: The train pairs.
        tracer: Finds the tokens at which a feature is active.
        of: The method whose features they are.
        most: The largest number of hypotheses, half per direction.
        on_progress: Called after every answer.
    """
    labelled = label_features(llm, features, pairs, tracer, of.stages, on_progress)
    summed = summarise(llm, labelled.features, pairs, most, of, on_progress)
    counts = {
        "features of which no label scored enough": labelled.unlabelled,
        "lists of features whose summary could not be read": summed.unreadable,
    }
    left_out = {reason: count for reason, count in counts.items() if count}
    return StatedHypotheses(summed.hypotheses, labelled.features, (*labelled.usage, *summed.usage), left_out)
