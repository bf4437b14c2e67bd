"""The SAE method: counts a reader model's sparse features in both models' responses; differences become hypotheses.

Source: arXiv 2512.10092. Without an LLM each feature is a hypothesis of its own, tested on held-out responses by its
own activation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from diffing.methods.base import Measurements, MeasuresByValue
from diffing.methods.features.duplicate_features import without_duplicates
from diffing.methods.features.feature_evidence import FeatureEvidence, collect_evidence
from diffing.methods.features.feature_screening import (
    LatentCounts,
    ScreenedLatent,
    ScreenOptions,
    count_latents,
    screen,
)
from diffing.methods.features.feature_selection import not_followed_up, rate_rows, strongest
from diffing.methods.features.feature_verdicts import measure_features
from diffing.methods.features.read_pairs import ReadPair, exchanges_of, read_pairs
from diffing.methods.features.stated_hypotheses import StatedHypotheses, one_each, state_in_words
from diffing.methods.sae.activation_cache import CachedReading, TextStore
from diffing.methods.sae.hypotheses import FEATURE_METHOD, is_active, latent_measure, single_feature
from diffing.methods.sae.presets import PRESETS
from diffing.methods.sae.reader_loading import UnloadedSaeReader, open_sae
from diffing.methods.sae.sae_files import FolderSae, feature_url
from diffing.models.base import Model
from diffing.models.local.spec import LocalOptions
from diffing.models.process_group import ProcessGroup
from diffing.types import (
    Discovery,
    Hypothesis,
    ModelInfo,
    OnProgress,
    Pair,
    Row,
    ignore_progress,
)

__all__ = ["PRESETS", "SaeMethod", "SaeOptions", "ScreenOptions"]


@dataclass(frozen=True, slots=True)
class SaeOptions:
    """The options of the SAE method, apart from the reader and the SAE."""

    screen: ScreenOptions = field(default_factory=ScreenOptions)
    """Which latents count as different."""
    features: int = 200
    """The largest number of features that are followed up, half per direction. Without an LLM each becomes a
    hypothesis; an LLM takes up to 21 calls for each."""
    hypotheses: int = 40
    """The largest number of hypotheses that an LLM states from the features, half per direction, as in the paper."""
    examples: int = 5
    """The number of responses quoted per hypothesis."""
    neuronpedia: bool = True
    """Whether to fetch published labels from Neuronpedia, if the SAE has pages there."""
    reader: LocalOptions = field(default_factory=LocalOptions)
    """How the reader is loaded."""


class SaeMethod(MeasuresByValue):
    """The `MeasuringMethod` that reads both models' responses with a reader model and an SAE.

    Nothing is opened, downloaded or loaded before it is needed.

    Args:
        reader: The name of a preset (`PRESETS`), or a model as `org/name[@revision]` or folder; None takes the model
            that the SAE was trained on.
        sae: `release/sae_id` in the registry of sae-lens, or a folder saved by sae-lens; None takes the preset's SAE.
        options: The options of the method.
        llm: The LLM that labels features and states hypotheses from several of them; without it, each feature is a
            hypothesis of its own.
        store: A persistent cache of latents, so that nothing is read twice; None keeps them only for this run.
        group: The processes that share the reading; None for a single one.
    """

    def __init__(
        self,
        reader: str | None = None,
        *,
        sae: str | None = None,
        options: SaeOptions | None = None,
        llm: Model | None = None,
        store: TextStore | None = None,
        group: ProcessGroup | None = None,
    ) -> None:
        self._reader = reader
        self._sae = sae
        self._options = options or SaeOptions()
        self._llm = llm
        self._store = store
        self._group = group

    @property
    def name(self) -> str:
        """`sae`."""
        return "sae"

    @cached_property
    def _opened(self) -> UnloadedSaeReader:
        return open_sae(self._reader, self._sae, self._options.reader)

    @cached_property
    def _reading(self) -> CachedReading:
        return CachedReading(self._opened, self._store)

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The reader, with the SAE among its settings, and the LLM if there is one."""
        reader, sae, dtype = self._opened.identity
        settings = {"sae": sae, "hook": self._opened.facts.hook, "dtype": dtype}
        llm = (ModelInfo(self._llm.id, "labeller"),) if self._llm else ()
        return (ModelInfo(reader, "reader", settings), *llm)

    def read_share(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> None:
        """Reads this process's share of the responses and takes over the rest; does nothing in a single process."""
        if self._group is None:
            return
        answered = [pair for pair in pairs if "error" not in (pair.a.finish, pair.b.finish)]
        for split in ("train", "heldout"):  # one after the other, as a single process reads them
            part = [pair for pair in answered if pair.prompt.split == split]
            self._reading.read_share(exchanges_of(part), self._group, on_progress)

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Counts every latent on the train pairs, lists those that differ, and makes hypotheses from the strongest.

        Tables: `features`, one row per latent that differs; `examples`, passages with the tokens that activate a
            hypothesis's latent; `rates`, how many latents have which pair of rates.

        Raises:
            SettingError: There is no reader or SAE of that name.
            ModelError: They do not fit together, do not fit into memory, or cannot be loaded.
            HubError: The Hub refuses or cannot be reached.
        """
        both, unread = self._read(pairs, on_progress)
        counted = count_latents([(pair.a, pair.b) for pair in both], self._reading.d_sae)
        screened = screen(counted, self._options.screen)
        different = (
            screened
            if self._options.screen.mode == "paper"
            else without_duplicates(screened, [(p.a, p.b) for p in both])
        )
        chosen = strongest(different, self._options.features)
        features = self._published(collect_evidence(chosen, both, self._reading, self._options.examples))
        stated = self._state(features, both, on_progress)
        return Discovery(
            hypotheses=stated.hypotheses,
            tables=self._tables(screened, stated.features, counted),
            left_out={**unread, **not_followed_up(counted, screened, different, chosen), **stated.left_out},
            notes=self._notes(counted, screened),
            usage=stated.usage,
        )

    def _published(self, features: Sequence[FeatureEvidence]) -> list[FeatureEvidence]:
        from diffing.methods.sae.published_labels import labels_of_folder, labels_of_neuronpedia

        indices = [feature.index for feature in features]
        public, sae = self._opened.facts.neuronpedia, self._opened.sae
        if isinstance(sae, FolderSae):
            labels = labels_of_folder(sae.path, indices)
        elif public and self._options.neuronpedia:
            labels = labels_of_neuronpedia(public, indices, self._store)
        else:
            return list(features)
        return [
            replace(one, label=labels[one.index].label, label_source=labels[one.index].source)
            if one.index in labels
            else one
            for one in features
        ]

    def _state(
        self, features: Sequence[FeatureEvidence], pairs: Sequence[ReadPair], on_progress: OnProgress
    ) -> StatedHypotheses:
        if self._llm is None:
            return one_each(features, single_feature)
        most = self._options.hypotheses
        return state_in_words(self._llm, features, pairs, self._reading, FEATURE_METHOD, most, on_progress)

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Returns the verdicts by hypothesis, then pair, and which responses activate a feature (1) or not (0).

        If one of the hypothesis's features is active in only one side's response, that side is the verdict. If a
        response is missing or cannot be read, the verdict is UNREADABLE.

        Raises:
            ValueError: A hypothesis comes from another method.
        """
        if not hypotheses:
            return Measurements([], {})
        read = {pair.pair.prompt.id: pair for pair in self._read(pairs, ignore_progress)[0]}
        measures = [latent_measure(hypothesis) for hypothesis in hypotheses]
        described = [(each, measure, is_active(measure)) for each, measure in zip(hypotheses, measures, strict=True)]
        return measure_features(described, pairs, read)

    def _read(self, pairs: Sequence[Pair], on_progress: OnProgress) -> tuple[list[ReadPair], Mapping[str, int]]:
        """Returns the pairs of which both responses could be read, and counts why the others could not."""
        return read_pairs(pairs, lambda exchanges: self._reading.read(exchanges, on_progress))

    def _tables(
        self, screened: Sequence[ScreenedLatent], features: Sequence[FeatureEvidence], counted: LatentCounts
    ) -> dict[str, tuple[Row, ...]]:
        shown = {feature.index: feature for feature in features}
        public = self._opened.facts.neuronpedia
        rows = [
            shown.get(one.index, FeatureEvidence(one, ())).row(feature_url(public, one.index), one.index in shown)
            for one in screened
        ]
        return {
            "features": tuple(rows),
            "examples": tuple(row for feature in features for row in feature.example_rows()),
            "rates": rate_rows(counted),
        }

    def _notes(self, counted: LatentCounts, screened: Sequence[ScreenedLatent]) -> tuple[str, ...]:
        reader, sae, _ = self._opened.identity
        options = self._options.screen
        rule = f"the rates differ by more than {options.margin:g}"
        if options.mode == "fdr":
            rule += f" and the paired test is significant at a false discovery rate of {options.false_discovery_rate:g}"
        return (
            f"{reader} read the responses of {counted.pairs} train pairs with the SAE {sae}; of its "
            f"{len(counted.a)} features {len(screened)} differ on train ({rule}).",
        )
