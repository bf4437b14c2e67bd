"""Makes findings of hypotheses and verdicts: metrics on train and held-out prompts, and one test of all together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from diffing import metrics
from diffing.estimates import Metrics
from diffing.ranking import order_findings
from diffing.scopes import MeasuredScopes, own_concentrations, with_concentrations
from diffing.types import Finding, Hypothesis, Judgement, Pair, Rating


def findings_of(
    hypotheses: Sequence[Hypothesis],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    ratings: Mapping[str, Rating],
    alpha: float,
    scopes: MeasuredScopes,
    own: Sequence[Pair] = (),
) -> tuple[Finding, ...]:
    """Computes metrics per split, confirms by held-out verdicts alone, and finds where what is confirmed lives.

    Two families are tested, each by Benjamini-Hochberg: all hypotheses, with or without a scope, and the scopes found
    for confirmed findings without one. A confirmed hypothesis with a measured scope whose overall twin is confirmed too
    is not among the findings (see `with_concentrations`).

    Args:
        hypotheses: All hypotheses of the run, which are tested together.
        judgements: The verdicts on them.
        pairs: All pairs of the run.
        ratings: Ratings by hypothesis id.
        alpha: The margin of the papers' acceptance criterion.
        scopes: The conditions on prompts, and the hypotheses with a measured scope among `hypotheses`.
        own: Pairs of prompts that only some hypotheses have verdicts on, beside those of the run.
    """
    splits = {pair.prompt.id: pair.prompt.split for pair in (*pairs, *own)}
    by_split: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in judgements:
        by_split.setdefault((judgement.hypothesis_id, splits[judgement.prompt_id]), []).append(judgement)
    within = own_concentrations(scopes, pairs)

    def on(split: str, hypothesis: Hypothesis) -> Metrics:
        return metrics.measure(by_split.get((hypothesis.id, split), []), hypothesis.direction)

    def tested(hypothesis: Hypothesis) -> Metrics:
        """On held-out; where a difference is said to be in a measured scope, it must also be greater there."""
        measured = on("heldout", hypothesis)
        if hypothesis.id not in within or measured.p is None:
            return measured
        return replace(measured, p=max(measured.p, within[hypothesis.id].p))

    def in_scope(hypothesis: Hypothesis) -> Metrics | None:
        """Over the held-out prompts in its scope, with the sign test alone."""
        if hypothesis.scope is None:
            return None
        inside = [judgement for judgement in by_split.get((hypothesis.id, "heldout"), []) if judgement.in_scope]
        return metrics.measure(inside, hypothesis.direction)

    train = {hypothesis.id: on("train", hypothesis) for hypothesis in hypotheses}
    heldout = metrics.confirm({hypothesis.id: tested(hypothesis) for hypothesis in hypotheses})
    findings = [
        Finding(
            hypothesis=hypothesis,
            train=train[hypothesis.id],
            heldout=heldout[hypothesis.id],
            accepted=metrics.accepted(train[hypothesis.id], alpha),
            confirmed=metrics.confirmed(heldout[hypothesis.id]),
            rating=ratings.get(hypothesis.id),
            heldout_in_scope=in_scope(hypothesis),
            concentration=within.get(hypothesis.id),
        )
        for hypothesis in hypotheses
    ]
    return order_findings(with_concentrations(findings, judgements, pairs, scopes.conditions))
