"""Words hypotheses about features of adapters, such as that one is active more often, and says what each measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.adapters.branches import AdapterBranches, feature_name
from diffing.methods.adapters.stages import LLM_STAGES
from diffing.methods.features import stated_hypotheses
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_verdicts import IsActive
from diffing.methods.features.summarise import FeatureMethod
from diffing.types import FeatureAbove, FeatureKind, FeatureMeasure, Hypothesis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD = "adapters"
_KIND: FeatureKind = "adapter"


@dataclass(frozen=True, slots=True, eq=False)
class FeatureNames:
    """What a hypothesis needs to know about features: their names, thresholds and the adapters that they belong to."""

    branches: AdapterBranches
    """The trained branches."""
    thresholds: "NDArray[np.float64]"
    """For each feature the largest activation that does not yet count as active in a response."""
    dictionary: str
    """A hash of the branches."""

    def name(self, index: int) -> str:
        """The name of a feature, such as `2.17`."""
        return feature_name(self.branches, index)

    def measure(self, indices: Sequence[int], in_words: bool = False) -> FeatureMeasure:
        """The measure of a hypothesis about some features."""
        features = tuple(FeatureAbove(self.name(index), float(self.thresholds[index])) for index in indices)
        return FeatureMeasure(_KIND, features, self.dictionary, in_words)

    def indices(self, hypothesis: Hypothesis) -> tuple[int, ...]:
        """The features that a hypothesis of this method is about.

        Raises:
            ValueError: The hypothesis comes from another method, or is about other adapters.
        """
        measure = hypothesis.measure
        if not isinstance(measure, FeatureMeasure) or (measure.kind, measure.dictionary) != (_KIND, self.dictionary):
            raise ValueError(f"expected a hypothesis about the adapters {self.dictionary}, got measure {measure!r}")
        places = (feature.name.split(".") for feature in measure.features)
        return tuple(int(block) * self.branches.features + int(number) for block, number in places)

    def method(self) -> FeatureMethod:
        """What hypotheses in words need."""
        return FeatureMethod(METHOD, LLM_STAGES, lambda indices: self.measure(indices, in_words=True))


def is_active(indices: Sequence[int]) -> IsActive:
    """Returns what tells whether any of some features is active in a response; thresholds are applied already."""
    return lambda latents: any(latents.value(index) > 0 for index in indices)


def single_feature(feature: FeatureEvidence, names: FeatureNames, raised: Mapping[int, tuple[str, ...]]) -> Hypothesis:
    """Returns the hypothesis that a feature is active in more of the responses of its side.

    Args:
        feature: The feature.
        names: The names of all features.
        raised: By feature, the tokens that it makes more probable.
    """
    likelier = ", ".join(f'"{token}"' for token in raised.get(feature.index, ()))
    words = f"{feature.words}; makes {likelier} more probable" if likelier else feature.words
    name = names.name(feature.index)
    text = f"<MODEL>'s responses activate adapter feature {name} ({words}) more often than <OTHER MODEL>'s."
    return stated_hypotheses.single_feature(METHOD, text, feature, names.measure((feature.index,)))
