"""Makes findings of hypotheses and verdicts: metrics on train and held-out prompts, and one test of all together."""

from collections.abc import Mapping, Sequence

from diffing import metrics
from diffing.estimates import Metrics
from diffing.report import order_findings
from diffing.types import Finding, Hypothesis, Judgement, Pair, Rating


def findings_of(
    hypotheses: Sequence[Hypothesis],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    ratings: Mapping[str, Rating],
    alpha: float,
) -> tuple[Finding, ...]:
    """Computes metrics per split, and confirms by held-out verdicts alone.

    Args:
        hypotheses: All hypotheses of the run, which are tested together.
        judgements: The verdicts on them.
        pairs: All pairs of the run.
        ratings: Ratings by hypothesis id.
        alpha: The margin of the papers' acceptance criterion.
    """
    splits = {pair.prompt.id: pair.prompt.split for pair in pairs}
    by_split: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in judgements:
        by_split.setdefault((judgement.hypothesis_id, splits[judgement.prompt_id]), []).append(judgement)

    def on(split: str, hypothesis: Hypothesis) -> Metrics:
        return metrics.measure(by_split.get((hypothesis.id, split), []), hypothesis.direction)

    def in_scope(hypothesis: Hypothesis) -> Metrics | None:
        """Over the held-out prompts in its scope; no test of its own, since the verdicts for a side are the same."""
        if hypothesis.scope is None:
            return None
        inside = [judgement for judgement in by_split.get((hypothesis.id, "heldout"), []) if judgement.in_scope]
        return metrics.measure(inside, hypothesis.direction)

    train = {hypothesis.id: on("train", hypothesis) for hypothesis in hypotheses}
    heldout = metrics.confirm({hypothesis.id: on("heldout", hypothesis) for hypothesis in hypotheses})
    return order_findings(
        Finding(
            hypothesis=hypothesis,
            train=train[hypothesis.id],
            heldout=heldout[hypothesis.id],
            accepted=metrics.accepted(train[hypothesis.id], alpha),
            confirmed=metrics.confirmed(heldout[hypothesis.id]),
            rating=ratings.get(hypothesis.id),
            heldout_in_scope=in_scope(hypothesis),
        )
        for hypothesis in hypotheses
    )
