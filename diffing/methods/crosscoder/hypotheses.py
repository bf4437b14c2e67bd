"""Words hypotheses about single latents of a crosscoder, and says what each hypothesis of the method measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.kinds import LatentClass, owner
from diffing.methods.crosscoder.numbering import LatentNumbering
from diffing.methods.features import stated_hypotheses
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_verdicts import IsActive
from diffing.types import FeatureAbove, FeatureMeasure, Hypothesis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METHOD = "crosscoder"
_WHOSE = {
    "difference": "along which the two models differ",
    "changed": "which both models have but represent differently",
    "shared": "which both models have",
}


@dataclass(frozen=True, slots=True)
class LatentStatements:
    """Makes hypotheses and measures from latents."""

    numbering: LatentNumbering
    """The latents' names."""
    kinds: tuple[LatentClass, ...]
    """The kind of every latent."""
    thresholds: "NDArray[np.float64]"
    """The threshold of every latent."""
    dictionary: str
    """The hash of the dictionaries."""

    def single_feature(self, feature: FeatureEvidence) -> Hypothesis:
        """Returns the hypothesis that a latent is active more often in the responses of its side."""
        name, whose = self.numbering.name(feature.index), self._whose(feature)
        text = (
            f"<MODEL>'s responses activate feature {name} ({feature.words}), {whose}, more often than <OTHER MODEL>'s."
        )
        return stated_hypotheses.single_feature(METHOD, text, feature, self._measure([feature.index], in_words=False))

    def in_words(self, indices: Sequence[int]) -> FeatureMeasure:
        """Returns the measure of a hypothesis in words that is based on some latents."""
        return self._measure(indices, in_words=True)

    def indices(self, hypothesis: Hypothesis) -> tuple[int, ...]:
        """Returns the numbers of the latents by which a hypothesis of this method is measured.

        Raises:
            ValueError: The hypothesis comes from another method, or from another dictionary.
        """
        return tuple(self.numbering.index(each.name) for each in self.measure(hypothesis).features)

    def is_active(self, hypothesis: Hypothesis) -> IsActive:
        """Returns what tells whether any of a hypothesis's latents exceeds its threshold in a response.

        Raises:
            ValueError: The hypothesis comes from another method, or from another dictionary.
        """
        above = [(self.numbering.index(each.name), each.above) for each in self.measure(hypothesis).features]
        return lambda latents: any(latents.value(index) > threshold for index, threshold in above)

    def measure(self, hypothesis: Hypothesis) -> FeatureMeasure:
        """Returns the measure of a hypothesis of this method.

        Raises:
            ValueError: The hypothesis comes from another method, or from another dictionary.
        """
        measure = hypothesis.measure
        if not isinstance(measure, FeatureMeasure) or measure.dictionary != self.dictionary:
            raise ValueError(f"expected a hypothesis about latents of {self.dictionary}, got measure {measure!r}")
        return measure

    def _measure(self, indices: Sequence[int], *, in_words: bool) -> FeatureMeasure:
        features = tuple(FeatureAbove(self.numbering.name(i), float(self.thresholds[i])) for i in indices)
        return FeatureMeasure("crosscoder", features, self.dictionary, in_words)

    def _whose(self, feature: FeatureEvidence) -> str:
        kind = self.kinds[feature.index]
        side = owner(kind)
        if side is None:
            return _WHOSE[kind]
        return f"which {'<MODEL>' if side == feature.screened.direction else '<OTHER MODEL>'} alone has"
