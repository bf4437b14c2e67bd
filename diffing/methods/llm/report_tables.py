"""Builds the tables of method llm for the report, its counts of what was left out, and its notes."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from diffing.methods.llm.cluster import Labels
from diffing.methods.llm.describe import Described, Difference
from diffing.methods.llm.state import LEAST_SHARE, Cluster
from diffing.types import Hypothesis, Row

_STATED = "stated"
_UNCLEAR = f"clusters of which neither model owns {LEAST_SHARE:.0%} of the sentences"
_MIRROR = "clusters that only repeat another one from the other side"
_UNREADABLE = "clusters whose hypothesis could not be read"


def rows_of_differences(differences: Sequence[Difference], labels: Labels) -> tuple[Row, ...]:
    """One row per difference, with the clusters of its two sentences; -1 is none."""
    return tuple(
        {
            "prompt_id": difference.prompt_id,
            "owner": difference.owner,
            "has": difference.has,
            "lacks": difference.lacks,
            "category": difference.category,
            "label": difference.label,
            "general": difference.general,
            "impact": difference.impact,
            "serves": difference.serves,
            "error": difference.error,
            "unexpected": difference.unexpected,
            "quote_a": difference.quote_a,
            "quote_b": difference.quote_b,
            "cluster": int(labels[2 * i]),
            "cluster_of_lacks": int(labels[2 * i + 1]),
        }
        for i, difference in enumerate(differences)
    )


def rows_of_clusters(
    clusters: Sequence[Cluster], mirrors: Set[int], by_cluster: Mapping[int, Hypothesis]
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


def left_out(
    described: Described, labels: Labels | None = None, clusters: Sequence[Row] = (), same_text: int = 0
) -> dict[str, int]:
    """What was not followed up, by reason; reasons without a case are not named."""
    outcomes = Counter(str(row["outcome"]) for row in clusters)
    counts = {
        "pairs whose description could not be read": described.unreadable_pairs,
        "differences that could not be read": described.unreadable_differences,
        "details of differences that were none of those offered": described.details_not_offered,
        "quotes that do not occur in the response": described.quotes_not_found,
        "sentences in no cluster": 0 if labels is None else int((labels < 0).sum()),
        **{outcome: outcomes[outcome] for outcome in (_UNCLEAR, _MIRROR, _UNREADABLE)},
        "hypotheses in the words of another one": same_text,
    }
    return {reason: count for reason, count in counts.items() if count}


def note_on_nothing(unreadable: int, pairs: int) -> str:
    """Why there is nothing to cluster."""
    if pairs and unreadable == pairs:
        return (
            f"None of the {pairs} descriptions could be read, so the method llm found nothing. The LLM may be too "
            "small for the task, or does not answer in JSON."
        )
    return f"The LLM named no difference in {pairs - unreadable} pairs, so the method llm has no hypotheses."


def note_on_clusters(labels: Labels, size: int, means: str) -> str:
    """How the sentences were grouped."""
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
