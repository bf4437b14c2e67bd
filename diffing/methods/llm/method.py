"""The LLM method: an LLM describes the differences of single pairs, and proposes as hypotheses what recurs.

After *Simple LLM Baselines are Competitive for Model Diffing*, arXiv 2602.10371, whose own way is `clustering="paper"`.
Looks at train pairs only and tests nothing: verdicts on held-out pairs are the judge's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from diffing.errors import SettingError
from diffing.methods.llm.clustering.find_as_published import find_as_published
from diffing.methods.llm.clustering.partition import Algorithm, check_installed
from diffing.methods.llm.clustering.similar import SimilarWay, similar_differences
from diffing.methods.llm.clustering.state import state_clusters
from diffing.methods.llm.describe import describe_pairs
from diffing.methods.llm.embedders import Embedder, Vectors, load_embedder
from diffing.methods.llm.join import join
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.llm_results import DiscoverySteps, discovery_of, least_pairs, nothing_described, split_by_pairs
from diffing.methods.llm.propose import ProposedHypotheses, propose
from diffing.methods.llm.settings import Clustering
from diffing.methods.llm.sharpen import sharpen
from diffing.models.base import Model
from diffing.types import Discovery, ModelInfo, OnProgress, Pair, Scalar, ignore_progress

__all__ = ["Embedder", "LlmMethod"]

_NEEDS: Mapping[Clustering, Algorithm] = {
    "propose": "average",
    "average": "average",
    "signed": "paper",
    "paper": "paper",
}


@dataclass(frozen=True, slots=True)
class LlmMethod:
    """Finds hypotheses by asking an LLM."""

    differ: Model
    """The LLM that describes pairs and proposes hypotheses."""
    embedder: str | Embedder = "auto"
    """`auto`, `tfidf`, a folder, a Hub id (see `load_embedder`), or an embedder."""
    clustering: Clustering = "propose"
    """`propose`: the LLM reads all differences and says what recurs. For comparison: `average` and `signed` cluster the
    differences and ask about each cluster, and `paper` does as published."""
    seed: int = 0
    """The seed that decides the order of the responses, the letters of the models, the embedder and the clustering."""

    def __post_init__(self) -> None:
        if self.clustering not in get_args(Clustering):
            ways = ", ".join(get_args(Clustering))
            raise SettingError(f"Clustering {self.clustering!r}: expected one of {ways}. Give one of these")

    @property
    def name(self) -> Literal["llm"]:
        """See `Method.name`."""
        return "llm"

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """See `Method.models`."""
        embedder = self.embedder if isinstance(self.embedder, str) else self.embedder.name
        settings: dict[str, Scalar] = {"embedder": embedder, "clustering": self.clustering, "seed": self.seed}
        return (ModelInfo(self.differ.id, "differ", settings),)

    def reseeded(self, by: int) -> "LlmMethod":
        """See `SeededMethod.reseeded`."""
        return replace(self, seed=self.seed + by)

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Describes every pair, and proposes, joins and sharpens hypotheses.

        Raises:
            ModelError: The LLM or a named embedder cannot be used at all.
            HubError: A named embedder cannot be had from the Hub.
            MissingExtraError: The libraries of the extra `llm` are not installed.
            LimitError: A hard limit of calls or dollars was reached.
        """
        # first of all, so that a wrong name or a missing library is found before a call is paid
        check_installed(_NEEDS[self.clustering])
        embedder, note = self._embedder()
        if self.clustering == "paper":
            found = find_as_published(self.differ, pairs, embedder, seed=self.seed, on_progress=on_progress)
        else:
            found = self._find(pairs, embedder, on_progress)
        return found if note is None else replace(found, notes=(note, *found.notes))

    def find_in_amplified(
        self, amplified: Sequence[Pair], pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress
    ) -> Discovery:
        """Describes the amplified pairs as well; the judge then decides on the models' own answers, also on train.

        Raises:
            DiffingError: As `find_hypotheses`.
        """
        found = self.find_hypotheses(amplified, on_progress)
        bare = tuple(replace(hypothesis, evidence=(), train_effect=None) for hypothesis in found.hypotheses)
        return Discovery(bare, left_out=found.left_out, usage=found.usage)

    def _embedder(self) -> tuple[Embedder, str | None]:
        return load_embedder(self.embedder, self.seed) if isinstance(self.embedder, str) else (self.embedder, None)

    def _find(self, pairs: Sequence[Pair], embedder: Embedder, on_progress: OnProgress) -> Discovery:
        described = describe_pairs(self.differ, pairs, seed=self.seed, on_progress=on_progress)
        differences = described.differences
        if not differences:
            return nothing_described(described)
        listing = DifferenceListing.of(pairs, differences, self.seed)
        vectors = embedder.embed([difference.behaviour for difference in differences])
        proposed = self._propose(listing, vectors, on_progress)
        joined = join(self.differ, proposed.proposals, listing, embedder.embed, on_progress=on_progress)
        enough, rare = split_by_pairs(joined.proposals, listing)
        sharpened = sharpen(self.differ, enough, listing, vectors, on_progress=on_progress)
        steps = DiscoverySteps(described, proposed, joined, rare, sharpened)
        return discovery_of(pairs, listing, steps, f"{self.clustering}, {embedder.name}")

    def _propose(self, listing: DifferenceListing, vectors: Vectors, on_progress: OnProgress) -> ProposedHypotheses:
        if self.clustering == "propose":
            return propose(self.differ, listing, vectors, on_progress=on_progress)
        way: SimilarWay = "signed" if self.clustering == "signed" else "average"
        clusters = similar_differences(
            listing.differences, vectors, way=way, least_pairs=least_pairs(len(listing.beginnings)), seed=self.seed
        )
        return state_clusters(self.differ, clusters, listing, vectors, on_progress=on_progress)
