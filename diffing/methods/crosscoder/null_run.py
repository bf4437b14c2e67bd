"""Runs the null comparison of a crosscoder: what it finds between model A and itself, or between two samples of A."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.latent_reading import LatentReading
from diffing.methods.crosscoder.screened_features import ScreenedFeatures, screen_features
from diffing.methods.crosscoder.stages import NULL_RESPONSES
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.feature_screening import count_latents
from diffing.methods.features.read_pairs import ReadPair, read_pairs
from diffing.methods.features.sparse_latents import Latents
from diffing.methods.features.thresholds import above
from diffing.methods.inside.pair_reading import AlignedRows, InsidePair
from diffing.metrics import FALSE_DISCOVERY_RATE, benjamini_hochberg, sign_test
from diffing.models.base import Sampling
from diffing.models.system_prompt import with_system_message
from diffing.types import OnProgress, Pair, other_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class NullFound:
    """What the null run found."""

    kept: int
    """How many latents are called exclusive."""
    tested: int | None = None
    """How many features are followed up as they differ on train between two samples of A; None without a second one."""
    confirmed: int | None = None
    """How many of these held-out prompts confirm."""


def run_null(
    pair: InsidePair,
    dictionaries: Dictionaries,
    options: CrosscoderOptions,
    pairs: tuple[Sequence[Pair], Sequence[Pair]],
    on_progress: OnProgress,
) -> NullFound:
    """Compares the responses of A with a second sample of them, as the method compares those of A and B.

    Args:
        pair: Both models.
        dictionaries: Those of A against itself.
        options: The options of the method; without a sampling of the second sample, only the kept latents are counted.
        pairs: The train and the held-out pairs.
        on_progress: Told how many responses of the second sample are there.

    Raises:
        ModelError: A cannot be loaded whole, or cannot answer.
        HubError: Its weights cannot be downloaded.
    """
    kept = int(dictionaries.facts.kept.sum())
    if options.null_sampling is None:
        return NullFound(kept)
    everything = _two_samples(pair, [*pairs[0], *pairs[1]], options.null_sampling, on_progress)
    train, heldout = everything[: len(pairs[0])], everything[len(pairs[0]) :]
    reading = LatentReading(_ReadByA(pair), dictionaries)
    features = screen_features(read_pairs(train, reading.read)[0], dictionaries, options)
    tested = read_pairs(heldout, reading.read)[0]
    return NullFound(kept, len(features.chosen), _confirmed(features, tested, dictionaries.numbering.total))


def _two_samples(pair: InsidePair, pairs: Sequence[Pair], sampling: Sampling, on_progress: OnProgress) -> list[Pair]:
    """Returns the pairs with a new response of A in place of B's."""
    side = pair.sides[0]
    side.whole()  # its upper blocks may be missing
    asked = [each.prompt.messages for each in pairs]
    if side.system_prompt:
        asked = [with_system_message(each, side.system_prompt) for each in asked]
    done = iter(range(1, len(asked) + 1))
    completions = side.model.generate(
        asked, sampling, on_completion=lambda _, __: on_progress(NULL_RESPONSES, next(done), len(asked))
    )
    return [
        replace(each, b=replace(each.a, text=one.text, finish=one.finish))
        for each, one in zip(pairs, completions, strict=True)
    ]


def _confirmed(features: ScreenedFeatures, pairs: Sequence[ReadPair], latents: int) -> int:
    """Counts the features that differ on held-out pairs as on train: one-sided sign tests, Benjamini-Hochberg."""
    counted = count_latents([_above(each, features.thresholds) for each in pairs], latents)
    only = {"a": counted.only_a, "b": counted.only_b}
    ps = [
        sign_test(int(only[one.direction][one.index]), int(only[other_side(one.direction)][one.index]))
        for one in features.chosen
    ]
    return sum(q <= FALSE_DISCOVERY_RATE for q in benjamini_hochberg(ps))


def _above(pair: ReadPair, thresholds: "NDArray[np.float64]") -> tuple[Latents, Latents]:
    return above(pair.a, thresholds), above(pair.b, thresholds)


@dataclass(frozen=True, slots=True)
class _ReadByA:
    """What model A reads, taken for what both models read."""

    pair: InsidePair

    def read(self, exchanges: Sequence[Exchange]) -> Iterator[AlignedRows | UnreadableResponse]:
        """Reads exchanges; see `InsidePair.read`."""
        for rows in self.pair.read(exchanges):
            yield rows if isinstance(rows, UnreadableResponse) else replace(rows, b=rows.a)
