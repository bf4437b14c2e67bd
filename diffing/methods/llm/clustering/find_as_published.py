"""Finds hypotheses as the paper does with which the LLM method is compared (arXiv 2602.10371): describe, cluster.

Both halves of every difference are clustered by PCA, UMAP and HDBSCAN, each cluster that one side owns becomes a
hypothesis, and the judge decides on train pairs as on held-out pairs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from diffing.methods.llm.clustering.partition import Labels, cluster_vectors, scaled_size
from diffing.methods.llm.clustering.published_clustering import (
    LEAST_SHARE,
    DifferenceHalf,
    HalfCluster,
    clusters_of,
    hypotheses_of,
    mirrored,
    sentences_of,
    state_clusters,
)
from diffing.methods.llm.clustering.published_description import TwoSided, describe_as_published
from diffing.methods.llm.describe import PairDescriptions
from diffing.methods.llm.embedders import Embedder
from diffing.methods.llm.llm_results import nothing_described
from diffing.methods.llm.report_tables import rows_of_differences
from diffing.models.base import Model
from diffing.types import Discovery, Hypothesis, OnProgress, Pair, Row

SMALLEST_CLUSTER = 10
"""The paper's smallest cluster, in sentences; see `scaled_size` for small inputs."""
_STATED = "stated"
_UNCLEAR = f"clusters of which neither model owns {LEAST_SHARE:.0%} of the sentences"
_MIRROR = "clusters that only repeat another one from the other side"
_UNREADABLE = "clusters whose hypothesis could not be read"


def find_as_published(
    differ: Model, pairs: Sequence[Pair], embedder: Embedder, *, seed: int, on_progress: OnProgress
) -> Discovery:
    """Describes every pair, clusters the sentences, and states the clusters.

    Args:
        differ: The LLM.
        pairs: Train pairs.
        embedder: Of the sentences.
        seed: Of the order in which responses are shown, and of the clustering.
        on_progress: Told of every answer.
    """
    published = describe_as_published(differ, pairs, seed=seed, on_progress=on_progress)
    described = PairDescriptions(published.readings, published.usage)
    if not published.two_sided:
        return nothing_described(described)
    sentences = sentences_of(published.two_sided)
    vectors = embedder.embed([sentence.text for sentence in sentences])
    labels = cluster_vectors(vectors, way="paper", min_cluster_size=SMALLEST_CLUSTER, seed=seed)
    clusters = clusters_of(sentences, vectors, labels)
    clear = [each for each in clusters if each.share >= LEAST_SHARE]
    mirrors = mirrored(clear, sentences)
    to_state = [each for each in clear if each.number not in mirrors]
    stated = state_clusters(differ, to_state, sentences, vectors, on_progress=on_progress)
    by_cluster = hypotheses_of(to_state, stated, sentences, published.two_sided, len(pairs))
    hypotheses = {hypothesis.id: hypothesis for hypothesis in by_cluster.values()}
    clusters_table = _rows_of_clusters(clusters, mirrors, by_cluster)
    outcomes = Counter(str(row["outcome"]) for row in clusters_table)
    left_out = {
        **described.left_out,
        "sentences in no cluster": int((labels < 0).sum()),
        **{outcome: outcomes[outcome] for outcome in (_UNCLEAR, _MIRROR, _UNREADABLE)},
        "hypotheses in the words of another one": len(by_cluster) - len(hypotheses),
    }
    return Discovery(
        hypotheses=tuple(hypotheses.values()),
        tables={
            "differences": _rows_of_differences(published.two_sided, sentences, clusters, by_cluster),
            "sentences": _rows_of_sentences(published.two_sided, sentences, labels),
            "clusters": clusters_table,
        },
        left_out={reason: count for reason, count in left_out.items() if count},
        notes=(_note(labels, embedder.name),),
        usage=(described.usage, stated.usage),
    )


def _rows_of_differences(
    two_sided: Sequence[TwoSided],
    sentences: Sequence[DifferenceHalf],
    clusters: Sequence[HalfCluster],
    by_cluster: Mapping[int, Hypothesis],
) -> tuple[Row, ...]:
    """One row per difference, with the hypothesis of the sentence about its owner."""
    carrying: dict[str, list[int]] = {}
    for cluster in clusters:
        hypothesis = by_cluster.get(cluster.number)
        if hypothesis:
            has = [sentences[i].difference for i in cluster.members if sentences[i].half == "has"]
            carrying.setdefault(hypothesis.id, []).extend(has)
    return rows_of_differences([each.difference for each in two_sided], carrying)


def _rows_of_sentences(
    two_sided: Sequence[TwoSided], sentences: Sequence[DifferenceHalf], labels: Labels
) -> tuple[Row, ...]:
    """One row per sentence, with its cluster; -1 stands for no cluster."""
    return tuple(
        {
            "prompt_id": two_sided[sentence.difference].difference.prompt_id,
            "owner": sentence.owner,
            "half": sentence.half,
            "sentence": sentence.text,
            "cluster": int(label),
        }
        for sentence, label in zip(sentences, labels, strict=True)
    )


def _rows_of_clusters(
    clusters: Sequence[HalfCluster], mirrors: Set[int], by_cluster: Mapping[int, Hypothesis]
) -> tuple[Row, ...]:
    """One row per cluster, with its hypothesis or the reason why it has none."""
    rows: list[Row] = []
    for cluster in clusters:
        hypothesis = by_cluster.get(cluster.number)
        if hypothesis is not None:
            outcome = _STATED
        elif cluster.share < LEAST_SHARE:
            outcome = _UNCLEAR
        else:
            outcome = _MIRROR if cluster.number in mirrors else _UNREADABLE
        rows.append(
            {
                "cluster": cluster.number,
                "sentences": len(cluster.members),
                "direction": cluster.direction,
                "share": cluster.share,
                "outcome": outcome,
                "hypothesis_id": hypothesis.id if hypothesis else None,
                "hypothesis": hypothesis.text if hypothesis else None,
            }
        )
    return tuple(rows)


def _note(labels: Labels, embedder: str) -> str:
    """How the sentences were grouped."""
    size, means = scaled_size(len(labels), SMALLEST_CLUSTER), f"{embedder}, PCA, UMAP and HDBSCAN"
    clusters, noise = int(labels.max(initial=-1)) + 1, int((labels < 0).sum())
    if not clusters:
        return (
            f"None of the {len(labels)} sentences about differences recur: no {size} of them say the same ({means}). "
            "So the method llm has no hypotheses."
        )
    return (
        f"{len(labels)} sentences about differences gave {clusters} clusters of at least {size} ({means}); "
        f"{noise} of them {'is' if noise == 1 else 'are'} in none."
    )
