"""Has the model that has a latent answer prompts again without it, to see whether the behaviour becomes rarer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.feature_rows import CausalRow
from diffing.methods.crosscoder.latent_reading import LatentReading
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.steering import answer_without
from diffing.models.base import Sampling
from diffing.types import Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Steering:
    """Answers prompts with the direction of a latent projected out of its owner, and reads the answers as they are."""

    pair: InsidePair
    """Both models."""
    reading: LatentReading
    """Reads the answers with the untouched models."""
    dictionaries: Dictionaries
    """The dictionaries."""
    thresholds: "NDArray[np.float64]"
    """The threshold of every latent."""
    sampling: Sampling
    """How the prompts are answered."""

    def add_rates(
        self, checked: Mapping[int, CausalRow], directions: Mapping[int, Side], pairs: Sequence[ReadPair]
    ) -> dict[int, CausalRow]:
        """Adds to the results of the causal check how often each latent is active before and after.

        Args:
            checked: The results of the causal check, by latent.
            directions: The direction of each latent's hypothesis.
            pairs: The held-out pairs whose prompts are answered anew.
        """
        owners = {index: self.dictionaries.owner(index, directions[index]) for index in checked}
        ordered = sorted(owners, key=lambda index: owners[index])  # so that each model is loaded once
        answers = {index: self._answers(index, owners[index], pairs) for index in ordered}
        return {
            index: replace(row, rates=self._rates(index, owners[index], pairs, answers[index]))
            for index, row in checked.items()
        }

    def _answers(self, index: int, owner: Side, pairs: Sequence[ReadPair]) -> list[Exchange]:
        side = self.pair.sides[0 if owner == "a" else 1]
        asked = [pair.pair.prompt.messages for pair in pairs]
        answers = answer_without(side, self.dictionaries.direction(index, owner), asked, self.sampling)
        return [Exchange(messages, each.text) for messages, each in zip(asked, answers, strict=True)]

    def _rates(
        self, index: int, owner: Side, pairs: Sequence[ReadPair], answers: Sequence[Exchange]
    ) -> tuple[float, float] | None:
        """The rates over the prompts whose new answer can be read; None without any."""
        above = float(self.thresholds[index])
        both = [
            (pair.latents(owner).value(index) > above, read.value(index) > above)
            for pair, read in zip(pairs, self.reading.read(answers), strict=True)
            if not isinstance(read, UnreadableResponse)
        ]
        if not both:
            return None
        before, after = (sum(each) / len(both) for each in zip(*both, strict=True))
        return before, after
