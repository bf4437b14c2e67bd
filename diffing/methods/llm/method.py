"""Method llm: an LLM describes the differences of single pairs; what recurs becomes a hypothesis.

After *Simple LLM Baselines are Competitive for Model Diffing*, arXiv 2602.10371. Looks at train pairs only and tests
nothing: verdicts are the judge's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from diffing.errors import SettingError
from diffing.methods.llm import report_tables
from diffing.methods.llm.cluster import Way, check_installed, cluster_vectors, scaled_size
from diffing.methods.llm.describe import Described, describe_pairs
from diffing.methods.llm.embed import Embedder, load_embedder
from diffing.methods.llm.state import LEAST_SHARE, clusters_of, hypotheses_of, mirrored, sentences_of, state_clusters
from diffing.models.base import Model
from diffing.types import Discovery, ModelInfo, OnProgress, Pair, Scalar, ignore_progress

__all__ = ["Embedder", "LlmMethod"]

_WAYS: Mapping[str, Way] = {"auto": "average", "average": "average", "paper": "paper"}
_NAMES: Mapping[Way, str] = {"average": "average linkage", "paper": "PCA, UMAP and HDBSCAN"}


@dataclass(frozen=True, slots=True)
class LlmMethod:
    """Finds hypotheses by asking an LLM."""

    differ: Model
    """The LLM that describes pairs and states hypotheses."""
    embedder: str | Embedder = "auto"
    """`auto`, `tfidf`, a folder, a Hub id (see `load_embedder`), or an embedder."""
    clustering: str = "auto"
    """`auto` (average linkage), or `paper` for PCA, UMAP and HDBSCAN as published."""
    min_cluster_size: int = 10
    """Sentences that must say the same; fewer for small inputs (see `scaled_size`)."""
    seed: int = 0
    """Of the order in which responses are shown, of the embedder and of the clustering."""

    def __post_init__(self) -> None:
        if self.clustering not in _WAYS:
            raise SettingError(f"Clustering {self.clustering!r}: expected one of {', '.join(_WAYS)}. Give one of these")
        if self.min_cluster_size < 2:
            raise SettingError(
                f"A cluster of at least {self.min_cluster_size} sentences: expected 2 or more. Give more"
            )

    @property
    def name(self) -> Literal["llm"]:
        """See `Method.name`."""
        return "llm"

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """See `Method.models`."""
        embedder = self.embedder if isinstance(self.embedder, str) else self.embedder.name
        settings: dict[str, Scalar] = {
            "embedder": embedder,
            "clustering": _WAYS[self.clustering],
            "min_cluster_size": self.min_cluster_size,
            "seed": self.seed,
        }
        return (ModelInfo(self.differ.id, "differ", settings),)

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Describes every pair, clusters the sentences, states the clusters.

        Raises:
            ModelError: The LLM or a named embedder cannot be used at all.
            HubError: A named embedder cannot be had from the Hub.
            MissingExtraError: The libraries of the extra `llm` are not installed.
            LimitError: A hard limit of calls or dollars was reached.
        """
        # first of all, so that a wrong name or a missing library is found before a call is paid
        check_installed(_WAYS[self.clustering])
        embedder, note = self._embedder()
        described = describe_pairs(self.differ, pairs, seed=self.seed, on_progress=on_progress)
        notes = () if note is None else (note,)
        if not described.differences:
            nothing = report_tables.note_on_nothing(described.unreadable_pairs, len(pairs))
            left_out = report_tables.left_out(described)
            return Discovery((), left_out=left_out, notes=(*notes, nothing), usage=(described.usage,))
        found = self._cluster_and_state(described, embedder, len(pairs), on_progress)
        return replace(found, notes=(*notes, *found.notes))

    def _embedder(self) -> tuple[Embedder, str | None]:
        return load_embedder(self.embedder, self.seed) if isinstance(self.embedder, str) else (self.embedder, None)

    def _cluster_and_state(
        self, described: Described, embedder: Embedder, pairs: int, on_progress: OnProgress
    ) -> Discovery:
        way = _WAYS[self.clustering]
        sentences = sentences_of(described.differences)
        vectors = embedder.embed([sentence.text for sentence in sentences])
        labels = cluster_vectors(vectors, way=way, min_cluster_size=self.min_cluster_size, seed=self.seed)
        clusters = clusters_of(sentences, vectors, labels)
        clear = [each for each in clusters if each.share >= LEAST_SHARE]
        mirrors = mirrored(clear, sentences)
        to_state = [each for each in clear if each.number not in mirrors]
        stated = state_clusters(self.differ, to_state, sentences, vectors, on_progress=on_progress)
        by_cluster = hypotheses_of(to_state, stated, sentences, described.differences, pairs)
        hypotheses = {hypothesis.id: hypothesis for hypothesis in by_cluster.values()}
        rows = report_tables.rows_of_clusters(clusters, mirrors, by_cluster)
        size = scaled_size(len(sentences), self.min_cluster_size)
        return Discovery(
            hypotheses=tuple(hypotheses.values()),
            tables={"differences": report_tables.rows_of_differences(described.differences, labels), "clusters": rows},
            left_out=report_tables.left_out(described, labels, rows, len(by_cluster) - len(hypotheses)),
            notes=(report_tables.note_on_clusters(labels, size, f"{embedder.name}, {_NAMES[way]}"),),
            usage=(described.usage, stated.usage),
        )
