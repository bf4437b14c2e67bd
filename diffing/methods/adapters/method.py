"""The adapters method: trains sparse features of what tuning changed in the MLPs, and compares where they are active.

Source: arXiv 2602.20904. Features that are active in more of one model's responses become hypotheses, which are tested
on held-out responses by the features' own activations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diffing.methods.adapters.causal_check import CheckedFeature, check_features
from diffing.methods.adapters.hybrid_opening import BaseAndTuned
from diffing.methods.adapters.hybrid_preparation import AdapterOptions, published_reader, trained_reader
from diffing.methods.adapters.hybrid_reader import HybridReader
from diffing.methods.adapters.hypotheses import FeatureNames, is_active, single_feature
from diffing.methods.adapters.kept_branches import hash_of
from diffing.methods.adapters.raised_tokens import raised_tokens
from diffing.methods.adapters.records import (
    block_rows,
    causal_notes,
    feature_rows,
    internal_features,
    quality_row,
    trust_notes,
)
from diffing.methods.adapters.stages import CHECK, READ, TRAIN
from diffing.methods.adapters.thresholded_reading import ThresholdedReading
from diffing.methods.adapters.trust import measure_trust
from diffing.methods.base import Measurements, MeasuresByValue
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.duplicate_features import without_duplicates
from diffing.methods.features.feature_evidence import FeatureEvidence, collect_evidence
from diffing.methods.features.feature_screening import ScreenedLatent, ScreenOptions, count_latents, screen
from diffing.methods.features.feature_selection import not_followed_up, rate_rows, strongest
from diffing.methods.features.feature_verdicts import measure_features
from diffing.methods.features.property_agreement import with_properties
from diffing.methods.features.read_pairs import ReadPair, read_pairs
from diffing.methods.features.stated_hypotheses import StatedHypotheses, one_each, state_in_words
from diffing.methods.features.thresholds import TRIED, above, choose_thresholds
from diffing.methods.heldout import HeldoutRecords
from diffing.methods.inside.corpus import open_corpora
from diffing.methods.inside.side_models import SideModel
from diffing.models.base import Model
from diffing.types import (
    SIDES,
    Discovery,
    Hypothesis,
    ModelInfo,
    OnProgress,
    Pair,
    Prompt,
    Row,
    Side,
    ignore_progress,
)

_CHECKED = 10
"""The number of confirmed features of each direction that are checked causally."""


@dataclass(frozen=True, slots=True)
class AdaptersOptions:
    """The options of the adapters method, apart from the models."""

    adapters: AdapterOptions = field(default_factory=AdapterOptions)
    """How the branches are made."""
    screen: ScreenOptions = field(default_factory=ScreenOptions)
    """Which features count as different."""
    followed: int = 40
    """The largest number of features that are followed up, half per direction."""
    hypotheses: int = 40
    """The largest number of hypotheses that an LLM states from the features."""
    examples: int = 5
    """The number of responses quoted per hypothesis."""
    corpora: tuple[str, ...] = ()
    """Hub datasets or files with more texts to train on."""


class AdaptersMethod(MeasuresByValue):
    """The measuring method that reads both models' responses with adapters between base and tuned model.

    Args:
        base: Model A, the base.
        tuned: Model B, tuned from it.
        options: The options of the method.
        llm: The LLM that labels features and states hypotheses from several of them; without it, each feature is a
            hypothesis of its own.
        heldout: The held-out prompts, which are left out of corpora.
        folder: Where trainings and what was fetched are kept; None keeps nothing.

    Raises:
        ModelError: The two models cannot have adapters.
    """

    def __init__(
        self,
        base: SideModel,
        tuned: SideModel,
        *,
        options: AdaptersOptions | None = None,
        llm: Model | None = None,
        heldout: Sequence[Prompt] = (),
        folder: Path | None = None,
    ) -> None:
        self._pair = BaseAndTuned(base, tuned)
        self._pair.check()
        self._options = options or AdaptersOptions()
        self._llm = llm
        self._heldout = heldout
        self._folder = folder
        self._state: _FoundByAdapters | None = None

    @property
    def name(self) -> str:
        """`adapters`."""
        return "adapters"

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The hybrid, named after the tuned model, and the LLM if there is one."""
        made = self._options.adapters
        settings = {"base": self._pair.base.id, "published": made.published}
        llm = (ModelInfo(self._llm.id, "labeller"),) if self._llm else ()
        return (ModelInfo(self._pair.tuned.id, "adapters", {k: v for k, v in settings.items() if v}), *llm)

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Trains adapters, reads the train responses with them, and makes hypotheses from the features that differ.

        Tables: `features`, one row per feature that differs; `examples`, passages with the tokens that activate a
            hypothesis's feature; `rates`, how many features have which pair of rates.

        Raises:
            SettingError: There are no texts to train on.
            ModelError: The models cannot be loaded, or published adapters belong to others.
            HubError: The Hub refuses or cannot be reached.
        """
        reader = self._prepare(pairs, on_progress)
        reading = ThresholdedReading(reader, lambda done, total: on_progress(READ, done, total))
        raw, unread = read_pairs(pairs, reading.read)
        total = reader.hybrid.branches.total
        names = FeatureNames(
            reader.hybrid.branches,
            choose_thresholds([(pair.a, pair.b) for pair in raw], total),
            hash_of(reader.hybrid.branches),
        )
        reading.names = names
        both = [ReadPair(pair.pair, above(pair.a, names.thresholds), above(pair.b, names.thresholds)) for pair in raw]
        counted = count_latents([(pair.a, pair.b) for pair in both], total)
        screened = screen(counted, self._options.screen, TRIED)
        different = without_duplicates(screened, [(pair.a, pair.b) for pair in both])
        chosen = strongest(different, self._options.followed)
        evidence = collect_evidence(chosen, both, reading, self._options.examples)
        raised = raised_tokens(reader.hybrid, self._pair.tuned.whole().chat.tokenizer, [one.index for one in chosen])
        stated = self._stated(evidence, both, reading, raised, on_progress)
        internal = internal_features(counted, screened)
        self._state = _FoundByAdapters(reading, names, screened, internal, stated.features, raised)
        return Discovery(
            hypotheses=stated.hypotheses,
            tables={
                "features": self._state.rows({}),
                "examples": tuple(row for feature in stated.features for row in feature.example_rows()),
                "rates": rate_rows(counted),
            },
            left_out={
                **unread,
                **_sinks(reader),
                **not_followed_up(counted, screened, different, chosen),
                **stated.left_out,
            },
            notes=(self._note(len(both), total, len(screened)),),
            usage=stated.usage,
        )

    def _prepare(self, pairs: Sequence[Pair], on_progress: OnProgress) -> HybridReader:
        answered = [pair for pair in pairs if "error" not in (pair.a.finish, pair.b.finish)]
        exchanges = [Exchange(pair.prompt.messages, one.text) for pair in answered for one in (pair.a, pair.b)]
        made = self._options.adapters
        if made.published is not None:
            return published_reader(self._pair, made.published, exchanges, self._folder)
        corpora = open_corpora(self._options.corpora, self._heldout)
        return trained_reader(
            self._pair, made, exchanges, corpora, self._folder, lambda done, steps: on_progress(TRAIN, done, steps)
        )

    def _stated(
        self,
        evidence: Sequence[FeatureEvidence],
        pairs: Sequence[ReadPair],
        reading: ThresholdedReading,
        raised: Mapping[int, tuple[str, ...]],
        on_progress: OnProgress,
    ) -> StatedHypotheses:
        names = reading.names
        assert names is not None
        if self._llm is None:
            stated = one_each(evidence, lambda feature: single_feature(feature, names, raised))
            return with_properties(stated, pairs)
        most = self._options.hypotheses
        return state_in_words(self._llm, evidence, pairs, reading, names.method(), most, on_progress)

    def _note(self, pairs: int, features: int, different: int) -> str:
        made = "published" if self._options.adapters.published else "trained"
        return (
            f"The responses of {pairs} train pairs were read with {made} adapters between {self._pair.base.id} and "
            f"{self._pair.tuned.id}; of their {features} features {different} differ on train."
        )

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Returns the verdicts by hypothesis, then pair, and which responses activate a feature (1) or not (0).

        Raises:
            ValueError: A hypothesis comes from another method.
        """
        if not hypotheses:
            return Measurements([], {})
        found = self._found()
        active = [is_active(found.names.indices(hypothesis)) for hypothesis in hypotheses]
        described = [(each, each.measure, test) for each, test in zip(hypotheses, active, strict=True) if each.measure]
        read = {pair.pair.prompt.id: pair for pair in read_pairs(pairs, found.reading.read_above)[0]}
        return measure_features(described, pairs, read)

    def heldout_records(
        self, confirmed: Sequence[Hypothesis], pairs: Sequence[Pair], on_progress: OnProgress
    ) -> HeldoutRecords:
        """Returns how much of the change the adapters recover on held-out responses, and which features drive it.

        Tables: `features`, with causal columns; `blocks`, with the density and error of each; `quality`, of all.
        """
        found = self._found()
        reader = found.reading.reader
        both, _ = read_pairs(pairs, found.reading.read_above)
        texts = [reader.chat(pair.exchange(side)) for pair in both for side in SIDES]
        chats = [text for text in texts if not isinstance(text, UnreadableResponse) and text.tokens]
        if not chats:
            return HeldoutRecords()
        trust = measure_trust(reader.hybrid, chats)
        active_in = list(_active_in(confirmed, found.names, both))
        seed = self._options.adapters.seed
        checked = check_features(reader, active_in, seed, lambda done, total: on_progress(CHECK, done, total))
        self._release()
        tables = {
            "features": found.rows({one.index: one for one in checked}),
            "blocks": block_rows(trust),
            "quality": (quality_row(trust, found.names.dictionary),),
        }
        return HeldoutRecords(tables, (*trust_notes(trust), *causal_notes(checked, found.names)))

    def _release(self) -> None:
        """Frees the memory of both models; whoever reads another response loads them again."""
        self._found().reading.reader.release()
        self._pair.close()

    def _found(self) -> "_FoundByAdapters":
        if self._state is None:
            raise ValueError("expected hypotheses to be found before they are measured")
        return self._state


@dataclass(frozen=True, slots=True)
class _FoundByAdapters:
    """What was found on train."""

    reading: ThresholdedReading
    names: FeatureNames
    screened: tuple[ScreenedLatent, ...]
    internal: tuple[ScreenedLatent, ...]
    features: tuple[FeatureEvidence, ...]
    raised: Mapping[int, tuple[str, ...]]

    def rows(self, checked: Mapping[int, CheckedFeature]) -> tuple[Row, ...]:
        return feature_rows(self.screened, self.internal, self.features, self.names, self.raised, checked)


def _sinks(reader: HybridReader) -> dict[str, int]:
    return {"positions that are attention sinks": reader.sinks} if reader.sinks else {}


def _active_in(
    confirmed: Sequence[Hypothesis], names: FeatureNames, pairs: Sequence[ReadPair]
) -> Iterator[tuple[int, list[Exchange]]]:
    """The features of the strongest confirmed hypotheses of each direction, with responses in which each is active."""
    seen: dict[Side, list[int]] = {side: [] for side in SIDES}
    for hypothesis in confirmed:
        for index in names.indices(hypothesis):
            own = seen[hypothesis.direction]
            if len(own) < _CHECKED and not any(index in each for each in seen.values()):
                own.append(index)
                values = [(-pair.latents(side).value(index), pair.exchange(side)) for pair in pairs for side in SIDES]
                active = sorted((each for each in values if each[0] < 0), key=lambda each: each[0])
                yield index, [exchange for _, exchange in active]
