"""Selects the latents whose activity differs between the responses of both models, and those that are followed up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.kinds import LatentClass, can_be_followed, kinds_of, rank
from diffing.methods.features.duplicate_features import without_duplicates
from diffing.methods.features.feature_screening import LatentCounts, ScreenedLatent, count_latents, screen
from diffing.methods.features.feature_selection import not_followed_up, strongest
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.thresholds import TRIED, above, choose_thresholds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ScreenedFeatures:
    """What train pairs say of all latents."""

    thresholds: "NDArray[np.float64]"
    """The threshold of every latent."""
    kinds: tuple[LatentClass, ...]
    """The kind of every latent."""
    followable: "NDArray[np.bool_]"
    """Whether each latent is alive and not dense."""
    active: Sequence[ReadPair]
    """The train pairs with the latents that exceed their thresholds."""
    counted: LatentCounts
    """In how many train pairs each latent does."""
    screened: Sequence[ScreenedLatent]
    """The latents whose rates differ, the largest difference first."""
    different: Sequence[ScreenedLatent]
    """One of all followable ones that are active in the same responses; what only one model has comes first."""
    chosen: Sequence[ScreenedLatent]
    """Those that are followed up."""

    def left_out(self, internal: int) -> dict[str, int]:
        """Counts the features that do not become hypotheses, by reason.

        Args:
            internal: How many are one model's own without a difference in responses.
        """
        ranked = sum(bool(self.followable[one.index]) for one in self.screened)
        counts = not_followed_up(self.counted, self.screened, self.different, self.chosen)
        same = "features active in the same responses as a stronger one"
        own: Mapping[str, int] = {
            same: ranked - len(self.different),
            "features that differ, but are active nearly everywhere or too rarely elsewhere": len(self.screened)
            - ranked,
            "features that one model alone has, without a difference in responses": internal,
        }
        return {reason: count for reason, count in {**counts, **own}.items() if count}


def screen_features(
    pairs: Sequence[ReadPair], dictionaries: Dictionaries, options: CrosscoderOptions
) -> ScreenedFeatures:
    """Chooses thresholds on train pairs, and the latents that differ above these.

    Args:
        pairs: The train pairs, with the largest activation of every latent.
        dictionaries: The dictionaries.
        options: The options of the method.
    """
    number = dictionaries.numbering.total
    thresholds = choose_thresholds([(pair.a, pair.b) for pair in pairs], number)
    active = [replace(pair, a=above(pair.a, thresholds), b=above(pair.b, thresholds)) for pair in pairs]
    counted = count_latents([(pair.a, pair.b) for pair in active], number)
    screened = screen(counted, options.screen, TRIED)
    kinds, followable = kinds_of(dictionaries), can_be_followed(dictionaries)
    ranked = sorted((one for one in screened if followable[one.index]), key=lambda one: rank(kinds[one.index]))
    different = without_duplicates(ranked, [(pair.a, pair.b) for pair in active])
    return ScreenedFeatures(
        thresholds=thresholds,
        kinds=kinds,
        followable=followable,
        active=active,
        counted=counted,
        screened=screened,
        different=different,
        chosen=strongest(different, options.features),
    )
