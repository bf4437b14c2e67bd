"""The crosscoder method: trains a sparse dictionary of both models' activations, tests its features on held-out pairs.

Sources: arXiv 2602.11729, 2504.02922 and Lindsey et al. 2024. A feature is one latent; it becomes a hypothesis if it
is active in clearly more responses of one model, whoever's latent it is. That a latent belongs to one model says how
the models store something, not what they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from diffing.methods.base import Measurements, MeasuresByValue
from diffing.methods.crosscoder.causal_check import CausalCheck
from diffing.methods.crosscoder.cost import BYTES_PER_WEIGHT
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions, InsideSide
from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.feature_rows import FeatureRows
from diffing.methods.crosscoder.hypotheses import METHOD, LatentStatements
from diffing.methods.crosscoder.latent_reading import LatentReading
from diffing.methods.crosscoder.null_run import NullFound, run_null
from diffing.methods.crosscoder.published.pair import for_sides
from diffing.methods.crosscoder.published.weights_in_order import OrderedWeights
from diffing.methods.crosscoder.quality import quality
from diffing.methods.crosscoder.screened_features import ScreenedFeatures, screen_features
from diffing.methods.crosscoder.stages import LLM_STAGES
from diffing.methods.crosscoder.steered_rates import Steering
from diffing.methods.crosscoder.train_or_open import ObtainedDictionaries, open_published, train_here
from diffing.methods.crosscoder.training_settings import default_size
from diffing.methods.crosscoder.trust import CrosscoderTrust
from diffing.methods.features.feature_evidence import collect_evidence
from diffing.methods.features.feature_selection import rate_rows
from diffing.methods.features.feature_verdicts import measure_features
from diffing.methods.features.property_agreement import with_properties
from diffing.methods.features.read_pairs import exchanges_of, read_pairs
from diffing.methods.features.stated_hypotheses import StatedHypotheses, one_each, state_in_words
from diffing.methods.features.summarise import FeatureMethod
from diffing.methods.heldout import HeldoutRecords
from diffing.methods.inside.corpus import Corpus, open_corpora
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.side_models import SideModel, open_side
from diffing.methods.inside.texts import TrainingTexts
from diffing.models.base import Model
from diffing.types import (
    SIDES,
    Discovery,
    Hypothesis,
    ModelInfo,
    OnProgress,
    Pair,
    Side,
    ignore_progress,
)


@dataclass(frozen=True)
class _FoundByCrosscoder:
    """What `find_hypotheses` leaves for measuring and for the records after the test."""

    dictionaries: Dictionaries
    reading: LatentReading
    statements: LatentStatements
    rows: FeatureRows
    features: ScreenedFeatures
    stated: StatedHypotheses
    obtained: ObtainedDictionaries
    train: Sequence[Pair]


class CrosscoderMethod(MeasuresByValue):
    """The `MeasuringMethod` that reads both models' activations with dictionaries trained on them.

    Nothing is opened, downloaded or loaded before it is needed.

    Args:
        a: Model A's weights.
        b: Model B's weights.
        folder: Where the states of trainings are kept, so that the same command goes on after an interruption.
        options: The options of the method.
        llm: The LLM that labels features and states hypotheses from several of them; without it, each feature is a
            hypothesis of its own.
    """

    def __init__(
        self,
        a: InsideSide,
        b: InsideSide,
        folder: Path,
        *,
        options: CrosscoderOptions | None = None,
        llm: Model | None = None,
    ) -> None:
        self._weights = (a, b)
        self._folder = folder
        self._options = options or CrosscoderOptions()
        self._llm = llm
        self._state: _FoundByCrosscoder | None = None

    @property
    def name(self) -> str:
        """`crosscoder`."""
        return METHOD

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The weights that are read, the block of each, and the LLM if there is one."""
        read = [
            ModelInfo(side.id, f"inside_{side.side}", {"block": side.layer, "blocks": side.shape.blocks})
            for side in self._pair.sides
        ]
        return (*read, *((ModelInfo(self._llm.id, "labeller"),) if self._llm else ()))

    @property
    def blocks(self) -> tuple[int, int]:
        """The blocks of A and of B that are read, counted from 1."""
        return self._pair.layers

    @property
    def dictionary(self) -> str:
        """The hash of the dictionaries.

        Raises:
            ValueError: There are none yet, because `find_hypotheses` was not called.
        """
        return self._found().dictionaries.hash

    @property
    def latents(self) -> int:
        """The number of latents of all dictionaries.

        Raises:
            ValueError: There are none yet, because `find_hypotheses` was not called.
        """
        return self._found().dictionaries.numbering.total

    def close(self) -> None:
        """Frees the memory of both models, which are loaded again when they are needed."""
        self._pair.close()

    @cached_property
    def _pair(self) -> InsidePair:
        a, b = self._sides
        widths = a.shape.width, b.shape.width
        if self._published:
            return InsidePair(a, b, reserve_bytes=self._published.bytes)
        latents = self._options.latents or default_size(widths)[0]
        return InsidePair(a, b, reserve_bytes=BYTES_PER_WEIGHT * latents * sum(widths))

    @cached_property
    def _sides(self) -> tuple[SideModel, SideModel]:
        a, b = self._weights
        return self._open(a, "a"), self._open(b, "b")

    @cached_property
    def _published(self) -> OrderedWeights | None:
        choice = self._options.published
        return for_sides(choice, self._sides) if choice else None

    def _open(self, weights: InsideSide, side: Side) -> SideModel:
        return open_side(
            weights.weights,
            side,
            depth=self._options.depth,
            options=weights.options,
            system_prompt=weights.system_prompt,
        )

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Trains the dictionaries on the train pairs, or opens a published one; what differs becomes hypotheses.

        Tables: `features`, one row per latent that differs or that one model alone has; `examples`, passages with the
            tokens that activate a latent; `rates`, how many latents have which pair of rates.

        Raises:
            SettingError: A side has no weights, the texts do not suffice, or the state of a training is damaged.
            ModelError: A model cannot be read, does not fit into memory, or the training is too large for a CPU.
            HubError: The Hub refuses or cannot be reached.
        """
        train = exchanges_of([pair for pair in pairs if "error" not in (pair.a.finish, pair.b.finish)])
        texts = TrainingTexts(train, self._corpora, seed=self._options.seed)
        if self._published:
            obtained = open_published(self._pair, texts, self._published, self._options.seed)
        else:
            obtained = train_here(self._pair, texts, self._options, self._folder, on_progress)
        dictionaries = replace(obtained.dictionaries, block=self.blocks[0] if self._options.names_block else None)
        reading = LatentReading(self._pair, dictionaries)
        both, unread = read_pairs(pairs, lambda exchanges: reading.read(exchanges, on_progress))
        features = screen_features(both, dictionaries, self._options)
        reading.thresholds = features.thresholds
        statements = LatentStatements(dictionaries.numbering, features.kinds, features.thresholds, dictionaries.hash)
        stated = self._stated(features, reading, statements, on_progress)
        table = FeatureRows(dictionaries, features.kinds, features.thresholds, features.counted)
        self._state = _FoundByCrosscoder(dictionaries, reading, statements, table, features, stated, obtained, pairs)
        found_rows = table.rows(features.screened, stated.features, features.followable)
        internal = sum(row["shown_in"] == "internal" for row in found_rows)
        return Discovery(
            hypotheses=stated.hypotheses,
            tables={
                "features": found_rows,
                "examples": tuple(row for feature in stated.features for row in feature.example_rows()),
                "rates": rate_rows(features.counted),
            },
            left_out={**unread, **self._pair.left_out, **features.left_out(internal), **stated.left_out},
            notes=(*obtained.notes, self._summary(obtained, features)),
            usage=stated.usage,
        )

    def _stated(
        self, features: ScreenedFeatures, reading: LatentReading, statements: LatentStatements, on_progress: OnProgress
    ) -> StatedHypotheses:
        evidence = collect_evidence(features.chosen, features.active, reading, self._options.examples)
        if self._llm is None:
            return with_properties(one_each(evidence, statements.single_feature), features.active)
        of = FeatureMethod(METHOD, LLM_STAGES, statements.in_words)
        most = self._options.hypotheses
        return state_in_words(self._llm, evidence, features.active, reading, of, most, on_progress)

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Returns the verdicts by hypothesis, then pair, and which responses activate a feature (1) or not (0).

        Raises:
            ValueError: A hypothesis comes from another method or dictionary, or none was found yet.
        """
        if not hypotheses:
            return Measurements([], {})
        found = self._found()
        described = [(each, found.statements.measure(each), found.statements.is_active(each)) for each in hypotheses]
        read = {pair.pair.prompt.id: pair for pair in read_pairs(pairs, found.reading.read)[0]}
        return measure_features(described, pairs, read)

    def heldout_records(
        self, confirmed: Sequence[Hypothesis], pairs: Sequence[Pair], on_progress: OnProgress
    ) -> HeldoutRecords:
        """Measures on held-out responses how well the dictionaries describe them, and what confirmed latents cause.

        Tables: `features` again, with the causal check; `quality`, the figures on which trust rests.
        """
        found = self._found()
        both, _ = read_pairs(pairs, found.reading.read)
        exchanges = [pair.exchange(side) for pair in both for side in SIDES]
        described = quality(found.dictionaries.crosscoder, found.reading.rows(exchanges))
        alignment = self._pair.alignment
        latents = [(index, each.direction) for each in confirmed for index in found.statements.indices(each)]
        check = CausalCheck(self._pair, found.reading, found.dictionaries, found.statements.thresholds)
        causal = check.run(latents, both, on_progress)
        if self._options.steer:
            steering = Steering(
                self._pair, found.reading, found.dictionaries, found.statements.thresholds, self._options.sampling
            )
            causal = steering.add_rates(causal, dict(latents), both[: self._options.steer])
        rows = replace(found.rows, causal=causal)
        null = self._null(found, pairs, on_progress)
        trust = CrosscoderTrust(
            found.dictionaries, described, alignment, found.obtained.trained_rows, null, self.blocks
        )
        self._pair.close()
        return HeldoutRecords(
            tables={
                "features": rows.rows(found.features.screened, found.stated.features, found.features.followable),
                "quality": (trust.row(),),
            },
            notes=tuple(trust.notes()),
        )

    def _null(self, found: _FoundByCrosscoder, pairs: Sequence[Pair], on_progress: OnProgress) -> NullFound | None:
        if found.obtained.null is None:
            return None
        return run_null(self._pair, found.obtained.null, self._options, (found.train, pairs), on_progress)

    def _found(self) -> _FoundByCrosscoder:
        if self._state is None:
            raise ValueError("expected `find_hypotheses` to be called first: it trains the dictionaries")
        return self._state

    @cached_property
    def _corpora(self) -> list[Corpus]:
        return open_corpora(self._options.corpus, self._options.heldout)

    def _summary(self, obtained: ObtainedDictionaries, features: ScreenedFeatures) -> str:
        a, b = self._pair.sides
        own, differ = int(obtained.dictionaries.facts.kept.sum()), len(features.screened)
        return (
            f"{obtained.origin} of {a.id} (after block {a.layer} of {a.shape.blocks}) and {b.id} (after block "
            f"{b.layer} of {b.shape.blocks}); {own} of its latents belong to one model alone. In the responses of "
            f"{features.counted.pairs} train pairs {differ} latents differ in how often they are active."
        )
