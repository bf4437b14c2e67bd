"""The SAE method: a reader's sparse features are counted in both sides' responses; those that differ become hypotheses.

Source: arXiv 2512.10092. Without an LLM each feature is a hypothesis of its own, tested on held-out responses by its
own activation.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from diffing.methods.sae.activation_cache import CachedReading, Exchange, TextStore
from diffing.methods.sae.coactivation import distinct
from diffing.methods.sae.feature_evidence import Feature, ReadPair, measured_features, show
from diffing.methods.sae.feature_screening import Screened, ScreenOptions, Tally, screen, tally
from diffing.methods.sae.latent_rows import Latents
from diffing.methods.sae.loading import Opened, open_sae
from diffing.methods.sae.presets import PRESETS
from diffing.methods.sae.reader_tokens import Refused
from diffing.methods.sae.sae_files import FolderSae, feature_url
from diffing.models.base import Model
from diffing.models.local.spec import LocalOptions
from diffing.types import (
    Discovery,
    Hypothesis,
    Judgement,
    ModelInfo,
    OnProgress,
    Pair,
    Row,
    Side,
    Usage,
    Verdict,
    ignore_progress,
)

__all__ = ["PRESETS", "SaeMethod", "SaeOptions", "ScreenOptions"]

JUDGE = "measured"
"""`Judgement.judge` of all verdicts of this method."""


@dataclass(frozen=True, slots=True)
class SaeOptions:
    """What decides the result beside reader and SAE."""

    screen: ScreenOptions = field(default_factory=ScreenOptions)
    """Which latents are followed up."""
    features: int = 200
    """Features shown, at most; half per direction. Without an LLM each is a hypothesis; an LLM makes up to 21 calls for
    each."""
    hypotheses: int = 40
    """Hypotheses that an LLM states from them, at most; half per direction (the paper's number)."""
    examples: int = 5
    """Responses shown per hypothesis."""
    neuronpedia: bool = True
    """Ask Neuronpedia for published labels where the SAE has pages there."""
    reader: LocalOptions = field(default_factory=LocalOptions)
    """How the reader is loaded."""


class SaeMethod:
    """Reads both sides' responses with a reader and its SAE. A `MeasuringMethod`.

    Nothing is opened, downloaded or loaded before it is needed.

    Args:
        reader: A preset's name (`PRESETS`), or a model as `org/name[@revision]` or folder; None is the model the SAE
            was trained on.
        sae: `release/sae_id` of sae-lens' registry or a folder saved by sae-lens; None takes the preset's.
        options: What decides the result.
        llm: Labels features and states hypotheses from several; None leaves each feature a hypothesis of its own.
        store: Where latents are kept, so that nothing is read twice; None keeps them for this run.
    """

    def __init__(
        self,
        reader: str | None = None,
        *,
        sae: str | None = None,
        options: SaeOptions | None = None,
        llm: Model | None = None,
        store: TextStore | None = None,
    ) -> None:
        self._reader = reader
        self._sae = sae
        self._options = options or SaeOptions()
        self._llm = llm
        self._store = store

    @property
    def name(self) -> str:
        """`sae`."""
        return "sae"

    @cached_property
    def _opened(self) -> Opened:
        return open_sae(self._reader, self._sae, self._options.reader)

    @cached_property
    def _reading(self) -> CachedReading:
        return CachedReading(self._opened, self._store)

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The reader, with its SAE among the settings, and the LLM."""
        reader, sae, dtype = self._opened.identity
        settings = {"sae": sae, "hook": self._opened.facts.hook, "dtype": dtype}
        llm = (ModelInfo(self._llm.id, "labeller"),) if self._llm else ()
        return (ModelInfo(reader, "reader", settings), *llm)

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Counts every latent on the train pairs; those that differ are shown, the strongest become hypotheses.

        Tables: `features`, one row per latent that differs; `examples`, passages with the tokens that activate a
            hypothesis's latent; `rates`, how many latents have which pair of rates.

        Raises:
            SettingError: Reader or SAE name nothing.
            ModelError: They do not fit together, into memory, or cannot be loaded.
            HubError: The Hub refuses or cannot be reached.
        """
        both, unread = self._read(pairs, on_progress)
        counted = tally([(pair.a, pair.b) for pair in both], self._reading.d_sae)
        screened = screen(counted, self._options.screen)
        different = screened if self._options.screen.mode == "paper" else distinct(screened, [(p.a, p.b) for p in both])
        chosen = _strongest(different, self._options.features)
        features = self._published(show(chosen, both, self._reading, self._options.examples))
        stated = self._state(features, both, on_progress)
        return Discovery(
            hypotheses=stated.hypotheses,
            tables=self._tables(screened, stated.features, counted),
            left_out={**unread, **_left_out(counted, screened, different, chosen), **stated.left_out},
            notes=self._notes(counted, screened),
            usage=stated.usage,
        )

    def _published(self, features: Sequence[Feature]) -> list[Feature]:
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

    def _state(self, features: Sequence[Feature], pairs: Sequence[ReadPair], on_progress: OnProgress) -> "_Stated":
        if self._llm is None:
            return _Stated(tuple(feature.hypothesis() for feature in features), tuple(features))
        from diffing.methods.sae.labelling import label_features
        from diffing.methods.sae.summarise import summarise

        labelled = label_features(self._llm, features, pairs, self._reading, on_progress)
        summed = summarise(self._llm, labelled.features, pairs, self._options.hypotheses, on_progress)
        counts = {
            "features of which no label scored enough": labelled.unlabelled,
            "lists of features whose summary could not be read": summed.unreadable,
        }
        left_out = {reason: count for reason, count in counts.items() if count}
        return _Stated(summed.hypotheses, labelled.features, (*labelled.usage, *summed.usage), left_out)

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """One verdict for every hypothesis of this method and every pair, hypotheses outermost.

        Where any of its features is active in one side's response alone, that side is the verdict. Where a response is
        missing or cannot be read the pair is UNREADABLE.

        Raises:
            ValueError: A hypothesis is not this method's.
        """
        if not hypotheses:
            return []
        read = {pair.pair.prompt.id: pair for pair in self._read(pairs, ignore_progress)[0]}
        return [
            Judgement(hypothesis.id, pair.prompt.id, _verdict(features, read.get(pair.prompt.id)), JUDGE)
            for hypothesis in hypotheses
            for features in (measured_features(hypothesis),)
            for pair in pairs
        ]

    def _read(self, pairs: Sequence[Pair], on_progress: OnProgress) -> tuple[list[ReadPair], Mapping[str, int]]:
        """The pairs of which both responses could be read, and why the others could not."""
        answered = [pair for pair in pairs if "error" not in (pair.a.finish, pair.b.finish)]
        exchanges = [
            Exchange(pair.prompt.messages, response.text) for pair in answered for response in (pair.a, pair.b)
        ]
        rows = self._reading.read(exchanges, on_progress)
        both: list[ReadPair] = []
        unread: Counter[str] = Counter()
        for pair, a, b in zip(answered, rows[::2], rows[1::2], strict=True):
            if isinstance(a, Latents) and isinstance(b, Latents):
                both.append(ReadPair(pair, a, b))
            else:
                refused = a if isinstance(a, Refused) else b
                unread[f"pairs that cannot be read: {refused.reason}"] += 1  # type: ignore[union-attr]
        if len(answered) < len(pairs):
            unread["pairs without an answer of one side"] = len(pairs) - len(answered)
        return both, dict(unread)

    def _tables(
        self, screened: Sequence[Screened], features: Sequence[Feature], counted: Tally
    ) -> dict[str, tuple[Row, ...]]:
        shown = {feature.index: feature for feature in features}
        public = self._opened.facts.neuronpedia
        rows = [
            shown.get(one.index, Feature(one, ())).row(feature_url(public, one.index), one.index in shown)
            for one in screened
        ]
        return {
            "features": tuple(rows),
            "examples": tuple(row for feature in features for row in feature.example_rows()),
            "rates": _rates(counted),
        }

    def _notes(self, counted: Tally, screened: Sequence[Screened]) -> tuple[str, ...]:
        reader, sae, _ = self._opened.identity
        options = self._options.screen
        rule = f"the rates differ by more than {options.margin:g}"
        if options.mode == "fdr":
            rule += f" and the paired test is significant at a false discovery rate of {options.false_discovery_rate:g}"
        return (
            f"{reader} read the responses of {counted.pairs} train pairs with the SAE {sae}; of its "
            f"{len(counted.a)} features {len(screened)} differ on train ({rule}).",
        )


@dataclass(frozen=True, slots=True)
class _Stated:
    """Hypotheses, and the features they rest on."""

    hypotheses: tuple[Hypothesis, ...]
    features: tuple[Feature, ...]
    usage: tuple[Usage, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


def _verdict(features: Sequence[int], pair: ReadPair | None) -> Verdict:
    if pair is None:
        return Verdict.UNREADABLE
    a, b = (any(latents.value(feature) > 0 for feature in features) for latents in (pair.a, pair.b))
    if a == b:
        return Verdict.NEITHER
    return Verdict.A if a else Verdict.B


def _strongest(screened: Sequence[Screened], most: int) -> list[Screened]:
    """The strongest of each direction; they come sorted."""
    sides: tuple[Side, Side] = ("a", "b")
    chosen = {one.index for side in sides for one in [s for s in screened if s.direction == side][: most // 2]}
    return [one for one in screened if one.index in chosen]


def _left_out(
    counted: Tally, screened: Sequence[Screened], different: Sequence[Screened], chosen: Sequence[Screened]
) -> dict[str, int]:
    silent = int(((counted.a + counted.b) == 0).sum())
    counts = {
        "features active in no response": silent,
        "features that do not differ on train": len(counted.a) - silent - len(screened),
        "features active in the same responses as a stronger one": len(screened) - len(different),
        "features that differ less than those that are shown": len(different) - len(chosen),
    }
    return {reason: count for reason, count in counts.items() if count}


def _rates(counted: Tally) -> tuple[Row, ...]:
    """How many latents have which rates, for a scatter of all; latents that are never active are left out."""
    together = Counter(zip(counted.a.tolist(), counted.b.tolist(), strict=True))
    return tuple(
        {"rate_a": a / counted.pairs, "rate_b": b / counted.pairs, "features": number}
        for (a, b), number in sorted(together.items())
        if a or b
    )
