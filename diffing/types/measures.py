"""`Measure`: what a method measures in responses to test a hypothesis, such as a counted property or an SAE latent."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class PropertyMeasure:
    """Tests a hypothesis by a measured property of the responses, such as their length in words."""

    name: str
    """The name of the property; measures with the same name measure the same property."""


@dataclass(frozen=True, slots=True)
class PhraseMeasure:
    """Tests a hypothesis by whether a response contains a word or phrase."""

    phrase: str
    """The word or phrase."""


@dataclass(frozen=True, slots=True)
class LatentMeasure:
    """Tests a hypothesis by whether any of some latents of a sparse autoencoder (SAE) is active in a response."""

    indices: tuple[int, ...]
    """The indices of the latents in the autoencoder."""
    in_words: bool = False
    """Whether the hypothesis says in words what the latents stand for; otherwise it only names a latent."""


FeatureKind: TypeAlias = Literal["crosscoder", "adapter"]


@dataclass(frozen=True, slots=True)
class FeatureAbove:
    """A feature of a dictionary that was trained on both models, with the threshold above which it counts as active."""

    name: str
    """Its name: `17` is a crosscoder's latent, `d17` a latent of the dictionary of the differences, and `2.17` feature
    17 of the adapter of block 2. If a run has a crosscoder for each of several blocks, `2.17` and `2.d17` are latents
    of the one after block 2 of model A."""
    above: float
    """It is active in a response if its largest activation there exceeds this."""


@dataclass(frozen=True, slots=True)
class FeatureMeasure:
    """Tests a hypothesis by whether any of some features of a trained dictionary is active in a response."""

    kind: FeatureKind
    """What was trained."""
    features: tuple[FeatureAbove, ...]
    """The features."""
    dictionary: str
    """A hash of the trained dictionary, in hexadecimal digits."""
    in_words: bool = False
    """Whether the hypothesis says in words what the features stand for; otherwise it only names a feature."""

    @property
    def text(self) -> str:
        """The features, their thresholds and the dictionary, such as `17 > 0.83, d4 > 0.2 of 1f0a`."""
        return f"{', '.join(f'{each.name} > {each.above!r}' for each in self.features)} of {self.dictionary}"


Measure: TypeAlias = PropertyMeasure | PhraseMeasure | LatentMeasure | FeatureMeasure
"""How a method measures a hypothesis, instead of having it judged by an LLM."""
