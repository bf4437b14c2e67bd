"""Has each method propose hypotheses from train pairs, and measure those that it tests itself on all pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from diffing import metrics
from diffing.estimates import Metrics
from diffing.fresh_prompts import OwnPrompts
from diffing.methods.base import AmplifiedSearchMethod, MeasuringMethod, Method, measurements
from diffing.methods.heldout import HeldoutMethod
from diffing.pipeline.model_comparison import ModelComparison
from diffing.ranking import order_findings
from diffing.scopes import MeasuredScopes, find_scoped
from diffing.types import Discovery, Finding, Hypothesis, Judgement, Measure, OnHypotheses, OnProgress, Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AMPLIFIED_TABLE = "amplified"
"""The table of a method's hypotheses that only amplified answers suggested."""


@dataclass(frozen=True, slots=True)
class RunDiscoveries:
    """What the methods of a run propose, and what the measuring ones measured."""

    discoveries: Sequence[Discovery]
    """By method: its hypotheses, also those within a part of the prompts, and its records."""
    judgements: Sequence[Judgement]
    """The measured verdicts, on all pairs."""
    values: Mapping[Measure, "NDArray[np.float64]"]
    """What was measured in the responses of side a and side b; shape (2, pairs)."""
    scopes: MeasuredScopes
    """The hypotheses within a part of the prompts that were measured."""
    own: OwnPrompts = field(default_factory=OwnPrompts)
    """The prompts that only some of the hypotheses have verdicts on."""

    @property
    def hypotheses(self) -> list[Hypothesis]:
        """The hypotheses of all methods."""
        return [hypothesis for discovery in self.discoveries for hypothesis in discovery.hypotheses]

    @property
    def by_amplified(self) -> frozenset[str]:
        """The ids of the hypotheses that only amplified answers suggested."""
        tables = (discovery.tables.get(AMPLIFIED_TABLE, ()) for discovery in self.discoveries)
        return frozenset(str(row["hypothesis_id"]) for rows in tables for row in rows)


def discover(run: ModelComparison, on_hypotheses: OnHypotheses) -> RunDiscoveries:
    """Finds each method's hypotheses from train pairs, and measures what the measuring methods test.

    Args:
        run: The responses and the methods.
        on_hypotheses: Called with the hypotheses of each method before they are tested.
    """
    methods, train = run.helpers.methods, run.train
    discoveries: list[Discovery] = []
    judgements: list[Judgement] = []
    values: dict[Measure, NDArray[np.float64]] = {}
    for method in methods:
        discovery = find(method, run, run.on_progress)
        discoveries.append(discovery)
        if isinstance(method, MeasuringMethod):
            measured = measurements(method, discovery.hypotheses, run.pairs)
            judgements += measured.judgements
            values |= measured.values
            on_hypotheses(_with_train_metrics(discovery.hypotheses, measured.judgements, train))
        else:
            on_hypotheses([(hypothesis, None) for hypothesis in discovery.hypotheses])
    scopes = find_scoped(methods, discoveries, judgements, run.pairs)
    if scopes.hypotheses:
        on_hypotheses(_with_train_metrics(scopes.hypotheses, scopes.judgements, train))
    extended = [
        replace(discovery, hypotheses=(*discovery.hypotheses, *scopes.of_method(method.name)))
        for method, discovery in zip(methods, discoveries, strict=True)
    ]
    return RunDiscoveries(extended, [*judgements, *scopes.judgements], values, scopes)


def find(method: Method, run: ModelComparison, on_progress: OnProgress) -> Discovery:
    """A method's hypotheses from train pairs, with those that only amplified answers suggest.

    Args:
        method: The method.
        run: The responses.
        on_progress: Called with the progress of the search.
    """
    found = method.find_hypotheses(run.train, on_progress)
    if run.amplified is None or not isinstance(method, AmplifiedSearchMethod):
        return found
    louder = method.find_in_amplified(run.amplified.pairs, run.train, on_progress)
    known = {hypothesis.id for hypothesis in found.hypotheses}
    more = tuple(hypothesis for hypothesis in louder.hypotheses if hypothesis.id not in known)
    chosen = {hypothesis.id for hypothesis in more}
    rows = tuple({"hypothesis_id": each.id, "direction": each.direction, "hypothesis": each.text} for each in more)
    return replace(
        found,
        hypotheses=(*found.hypotheses, *more),
        tables={**found.tables, AMPLIFIED_TABLE: rows} if rows else found.tables,
        left_out={**found.left_out, **{f"amplified answers: {why}": count for why, count in louder.left_out.items()}},
        usage=(*found.usage, *louder.usage),
        candidates=tuple(candidate for candidate in found.candidates if candidate.id not in chosen),
    )


def with_heldout_records(run: ModelComparison, found: RunDiscoveries, findings: Sequence[Finding]) -> RunDiscoveries:
    """Adds to each method's records what it knows only from held-out pairs.

    Args:
        run: The responses and the methods.
        found: What the methods proposed.
        findings: The tested hypotheses.
    """
    confirmed = [finding.hypothesis for finding in order_findings(findings) if finding.confirmed]
    completed = []
    for method, discovery in zip(run.helpers.methods, found.discoveries, strict=True):
        if isinstance(method, HeldoutMethod):
            own = [hypothesis for hypothesis in confirmed if hypothesis.method == method.name]
            records = method.heldout_records(own, run.heldout, run.on_progress)
            tables, notes = {**discovery.tables, **records.tables}, (*discovery.notes, *records.notes)
            discovery = replace(discovery, tables=tables, notes=notes)
        completed.append(discovery)
    return replace(found, discoveries=completed)


def _with_train_metrics(
    hypotheses: Sequence[Hypothesis], measured: Sequence[Judgement], train: Sequence[Pair]
) -> list[tuple[Hypothesis, Metrics | None]]:
    """Adds their metrics on train to hypotheses that were measured."""
    train_ids = {pair.prompt.id for pair in train}
    on_train: dict[str, list[Judgement]] = {hypothesis.id: [] for hypothesis in hypotheses}
    for judgement in measured:
        if judgement.prompt_id in train_ids:
            on_train[judgement.hypothesis_id].append(judgement)
    return [(each, metrics.measure(on_train[each.id], each.direction)) for each in hypotheses]
