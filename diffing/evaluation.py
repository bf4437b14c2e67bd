"""Turns hypotheses and their verdicts into findings: metrics on train and held-out prompts, and one joint test."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from diffing import metrics
from diffing.estimates import Concentration, Metrics
from diffing.metrics.weights import weights
from diffing.ranking import order_findings
from diffing.scopes import MeasuredScopes, own_concentrations, with_concentrations
from diffing.types import DESCRIBED, Finding, Hypothesis, Judgement, Pair, Rating, Split


def findings_of(
    hypotheses: Sequence[Hypothesis],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    ratings: Mapping[str, Rating],
    alpha: float,
    scopes: MeasuredScopes,
    apart: Sequence[Pair] = (),
) -> tuple[Finding, ...]:
    """Computes metrics per split, confirms by held-out verdicts alone, and finds where what is confirmed lives.

    Two families are tested, each by Benjamini-Hochberg: all hypotheses, with or without a scope, and the scopes found
    for confirmed findings without one. In the first, hypotheses from descriptions are weighed by what these promise
    (`diffing.metrics.weights`). A confirmed hypothesis with a measured scope whose overall twin is confirmed too
    is not among the findings (see `with_concentrations`).

    Args:
        hypotheses: All hypotheses of the run, which are tested together.
        judgements: The verdicts on them.
        pairs: All pairs of the run.
        ratings: Ratings by hypothesis id.
        alpha: The margin of the papers' acceptance criterion.
        scopes: The conditions on prompts, and the hypotheses with a measured scope among `hypotheses`.
        apart: Pairs of prompts that only some hypotheses have verdicts on, beside those of the run.
    """
    verdicts = _by_split(judgements, (*pairs, *apart))
    own = own_concentrations(scopes, pairs)
    train = {each.id: metrics.measure(verdicts(each, "train"), each.direction) for each in hypotheses}
    tested = {each.id: _tested(each, verdicts(each, "heldout"), own) for each in hypotheses}
    run_prompts = {pair.prompt.id for pair in pairs}
    described = [each.id for each in hypotheses if _is_described(verdicts(each, "train"), run_prompts)]
    heldout = metrics.confirm(tested, _weights(described, train, tested))
    findings = [
        Finding(
            hypothesis=hypothesis,
            train=train[hypothesis.id],
            heldout=heldout[hypothesis.id],
            accepted=metrics.accepted(train[hypothesis.id], alpha),
            confirmed=metrics.confirmed(heldout[hypothesis.id]),
            rating=ratings.get(hypothesis.id),
            heldout_in_scope=_in_scope(hypothesis, verdicts(hypothesis, "heldout")),
            concentration=own.get(hypothesis.id),
        )
        for hypothesis in hypotheses
    ]
    return order_findings(with_concentrations(findings, judgements, pairs, scopes.conditions))


def _by_split(
    judgements: Sequence[Judgement], pairs: Sequence[Pair]
) -> Callable[[Hypothesis, Split], Sequence[Judgement]]:
    """Returns a function that returns the verdicts on a hypothesis for the pairs of a split."""
    splits = {pair.prompt.id: pair.prompt.split for pair in pairs}
    by_split: dict[tuple[str, Split], list[Judgement]] = {}
    for judgement in judgements:
        by_split.setdefault((judgement.hypothesis_id, splits[judgement.prompt_id]), []).append(judgement)
    return lambda hypothesis, split: by_split.get((hypothesis.id, split), [])


def _tested(hypothesis: Hypothesis, heldout: Sequence[Judgement], own: Mapping[str, Concentration]) -> Metrics:
    """Metrics on held-out; if a difference is said to be in a measured scope, it must also be greater there."""
    measured = metrics.measure(heldout, hypothesis.direction)
    if hypothesis.id not in own or measured.p is None:
        return measured
    return replace(measured, p=max(measured.p, own[hypothesis.id].p))


def _is_described(train: Sequence[Judgement], run_prompts: Collection[str]) -> bool:
    """Whether train verdicts were taken from descriptions of the run's train pairs.

    Those of prompts that a method chose for itself are no sample of what held-out prompts will show.
    """
    return bool(train) and train[0].judge == DESCRIBED and train[0].prompt_id in run_prompts


def _weights(described: Sequence[str], train: Mapping[str, Metrics], tested: Mapping[str, Metrics]) -> dict[str, float]:
    """The weights of the tested ones among hypotheses from descriptions; all others weigh 1."""
    ids = [each for each in described if tested[each].p is not None]
    counts = [(train[each].k_for, train[each].k_against) for each in ids]
    decided = [tested[each].k_for + tested[each].k_against for each in ids]
    return dict(zip(ids, weights(counts, decided, metrics.FALSE_DISCOVERY_RATE), strict=True)) if ids else {}


def _in_scope(hypothesis: Hypothesis, heldout: Sequence[Judgement]) -> Metrics | None:
    """Metrics over the held-out prompts in the hypothesis's scope, with the sign test alone; None without a scope."""
    if hypothesis.scope is None:
        return None
    return metrics.measure([judgement for judgement in heldout if judgement.in_scope], hypothesis.direction)
