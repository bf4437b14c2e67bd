"""Scores a run against the behaviours planted in it: which of them each method found, its other claims, its calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.bench.planted.matching import (
    SIGN_P,
    How,
    PlantedTarget,
    Verdicts,
    is_scope_of,
    named_by,
    tracks,
    verdicts_by_hypothesis,
)
from diffing.bench.planted.matching_judge import ask_matches
from diffing.estimates import Estimate, Metrics
from diffing.methods.base import MeasuringMethod, Method
from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.plan import method_plans
from diffing.metrics import concentrated, sign_test
from diffing.models.base import Model
from diffing.report.sae_tables import METHODS
from diffing.scopes import meets
from diffing.stages import JUDGE
from diffing.types import (
    FeatureMeasure,
    Finding,
    Hypothesis,
    Judgement,
    LatentMeasure,
    OnProgress,
    Pair,
    PropertyMeasure,
    Report,
    ignore_progress,
)


@dataclass(frozen=True, slots=True)
class Detection:
    """Whether one method found one planted behaviour."""

    target: PlantedTarget
    """The planted behaviour."""
    method: str
    """The method."""
    by: How | None
    """What shows that a confirmed finding names the behaviour; None if no finding does."""
    scorable: bool
    """Whether the behaviour shows at all and could be recognised; otherwise it is neither found nor missed."""
    text: str
    """The strongest confirmed finding that names the behaviour; empty if there is none."""
    trigger_named: bool | None
    """Whether the scope of such a finding is the trigger; None if there is no trigger, or nothing was found."""
    where_applies: Estimate | None
    """The net difference, where it applies, of the strongest finding whose scope is the trigger; None without one."""
    shown_heldout: int
    """The number of held-out pairs on which the behaviour shows, on which the test is based."""


@dataclass(frozen=True, slots=True)
class MethodClaims:
    """The confirmed findings of one method in one run, and how many of them are true."""

    method: str
    """The method."""
    confirmed: int
    """The number of confirmed findings."""
    planted: int
    """How many of these name a planted behaviour, or have verdicts that fall on its pairs."""
    measured: int
    """How many of the others are supported by an independent measurement."""
    calls: int
    """The number of calls to LLMs that the method needed."""


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """The scores of one run with planted behaviours."""

    prompts: int
    """The number of prompts, train and held-out."""
    found: tuple[Detection, ...]
    """One entry per target and method."""
    claims: tuple[MethodClaims, ...]
    """One entry per method."""
    compared: tuple[tuple[bool, bool], ...]
    """The answers by measurement and by the LLM to each question that both answered."""


def score(
    report: Report,
    targets: Sequence[PlantedTarget],
    methods: Sequence[Method],
    *,
    judge: Model | None = None,
    fresh: Sequence[Pair] = (),
    on_progress: OnProgress = ignore_progress,
) -> ScoredRun:
    """Scores a run.

    Args:
        report: The report of the run.
        targets: The planted behaviours.
        methods: The methods of the run.
        judge: An LLM that decides whether a sentence names a behaviour, if no measurement of the finding tells.
        fresh: New responses of both models to the same prompts: a true measured finding must hold in them as well.
        on_progress: Called after every answer of the judge.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    run = _RunVerdicts(report, targets)
    named = {(target.plant.id, f.hypothesis.id): run.named(target, f) for target in targets for f in run.confirmed}
    compared: list[tuple[bool, bool]] = []
    if judge is not None:
        cases = [(target, f) for target in targets for f in run.confirmed if _is_sentence(f)]
        for (target, f), says in zip(cases, ask_matches(judge, cases, on_progress)[0], strict=True):
            key = (target.plant.id, f.hypothesis.id)
            is_measured = named[key] is not None or not run.tracks(target, f)  # otherwise it may be a consequence
            if says is not None and target.plant.behaviour.measurable and is_measured:
                compared.append((named[key] is not None, says))
            named[key] = run.named(target, f, says)
    return ScoredRun(
        prompts=len(report.pairs),
        found=tuple(_found(run, target, m.name, named, judge is not None) for target in targets for m in methods),
        claims=tuple(_claims(run, method, named, fresh) for method in methods),
        compared=tuple(compared),
    )


class _RunVerdicts:
    """The confirmed findings of a report, with their verdicts and the targets that these match."""

    def __init__(self, report: Report, targets: Sequence[PlantedTarget]) -> None:
        self.report = report
        self.targets = targets
        self.confirmed = [finding for finding in report.findings if finding.confirmed]
        self._heldout = {pair.prompt.id for pair in report.pairs if pair.prompt.split == "heldout"}
        self._verdicts = verdicts_by_hypothesis(report.judgements)
        self._tokens = {method: _strongest_tokens(report, method) for method in METHODS}
        self._in_scope: dict[str, dict[str, bool]] = {}
        for one in report.judgements:
            self._in_scope.setdefault(one.hypothesis_id, {})[one.prompt_id] = one.in_scope

    def verdicts(self, finding: Finding) -> Verdicts:
        return self._verdicts.get(finding.hypothesis.id, {})

    def heldout(self, finding: Finding) -> Verdicts:
        return {key: verdict for key, verdict in self.verdicts(finding).items() if key in self._heldout}

    def named(self, target: PlantedTarget, finding: Finding, says: bool | None = None) -> How | None:
        verdicts, heldout = self.verdicts(finding), self.heldout(finding)
        tokens = self._tokens.get(finding.hypothesis.method, {})
        return named_by(target, finding, verdicts, heldout, self.targets, tokens=tokens, says=says)

    def has_trigger_as_scope(self, target: PlantedTarget, finding: Finding) -> bool:
        """Compares the trigger with the finding's scope, stated or measured, on held-out prompts.

        On train prompts nobody may have decided what is in a stated scope.
        """
        in_scope = {key: v for key, v in self._in_scope.get(finding.hypothesis.id, {}).items() if key in self._heldout}
        prompts = [pair.prompt for pair in self.report.pairs if pair.prompt.id in in_scope]
        place = concentrated(finding)
        if place is not None and place.scope.rule is not None:
            inside = [prompt.id for prompt in prompts if meets(place.scope.rule, prompt)]
        elif finding.hypothesis.scope is not None:
            inside = [prompt_id for prompt_id, is_inside in in_scope.items() if is_inside]
        else:
            return False
        return is_scope_of(target.plant.trigger, prompts, inside)

    def tracks(self, target: PlantedTarget, finding: Finding) -> bool:
        return tracks(target, finding.hypothesis.direction, self.verdicts(finding), self.heldout(finding))

    def shown_heldout(self, target: PlantedTarget) -> int:
        return len(target.shown & self._heldout)

    def of(self, method: str) -> list[Finding]:
        return [finding for finding in self.confirmed if finding.hypothesis.method == method]


def _strongest_tokens(report: Report, method: str) -> dict[str, str]:
    """The tokens at which each feature of a method is strongest, by the feature's name."""
    rows = report.tables.get(f"{method}_features", ())
    return {str(row.get("name") or row["index"]): str(row["top_tokens"] or "") for row in rows}


def _in_scope(finding: Finding) -> Metrics | None:
    """The metrics of a finding on the held-out prompts in its scope, stated or measured."""
    place = concentrated(finding)
    return finding.heldout_in_scope if place is None else place.inside


Named = Mapping[tuple[str, str], How | None]


def _found(run: _RunVerdicts, target: PlantedTarget, method: str, named: Named, judged: bool) -> Detection:
    naming = [f for f in run.of(method) if named[target.plant.id, f.hypothesis.id]]
    by_trigger = target.plant.trigger.kind != "always" and bool(naming)
    scoped = [f for f in naming if by_trigger and run.has_trigger_as_scope(target, f)]
    within = _in_scope(scoped[0]) if scoped else None
    return Detection(
        target=target,
        method=method,
        by=named[target.plant.id, naming[0].hypothesis.id] if naming else None,
        scorable=bool(target.shown) and (bool(naming) or target.plant.behaviour.measurable or judged),
        text=naming[0].hypothesis.text if naming else "",
        trigger_named=bool(scoped) if by_trigger else None,
        where_applies=within.net_difference if within else None,
        shown_heldout=run.shown_heldout(target),
    )


def _claims(run: _RunVerdicts, method: Method, named: Named, fresh: Sequence[Pair]) -> MethodClaims:
    confirmed = run.of(method.name)
    planted = [
        f
        for f in confirmed
        if any(named[target.plant.id, f.hypothesis.id] or run.tracks(target, f) for target in run.targets)
    ]
    others = [f for f in confirmed if f not in planted]
    return MethodClaims(
        method=method.name,
        confirmed=len(confirmed),
        planted=len(planted),
        measured=sum(_borne_out(others, method, run.report.pairs, fresh)),
        calls=sum(usage.calls for usage in run.report.usage if _belongs(usage.stage, method.name)),
    )


def _borne_out(findings: Sequence[Finding], method: Method, pairs: Sequence[Pair], fresh: Sequence[Pair]) -> list[bool]:
    """Tells for each finding whether an independent measurement supports it.

    A measured finding must hold in new responses. A judged finding must hold in a measurement on the held-out pairs.
    """
    hypotheses = [finding.hypothesis for finding in findings]
    if isinstance(method, MeasuringMethod):
        return _significant(hypotheses, method.measure, fresh)
    heldout = [pair for pair in pairs if pair.prompt.split == "heldout"]
    measurable = [replace(h, measure=PropertyMeasure(h.speaks_of)) for h in hypotheses if h.speaks_of in BY_NAME]
    borne_out = iter(_significant(measurable, LexicalMethod().measure, heldout))
    return [next(borne_out) if h.speaks_of in BY_NAME else False for h in hypotheses]


def _significant(
    hypotheses: Sequence[Hypothesis],
    measure: Callable[[Sequence[Hypothesis], Sequence[Pair]], list[Judgement]],
    pairs: Sequence[Pair],
) -> list[bool]:
    """Tells for each hypothesis whether the sign test on these pairs is significant for its side."""
    verdicts = verdicts_by_hypothesis(measure(hypotheses, pairs)) if pairs else {}
    significant = []
    for hypothesis in hypotheses:
        sides = [verdict.side for verdict in verdicts.get(hypothesis.id, {}).values() if verdict.side]
        ahead = sides.count(hypothesis.direction)
        significant.append(bool(sides) and sign_test(ahead, len(sides) - ahead) <= SIGN_P)
    return significant


def _is_sentence(finding: Finding) -> bool:
    """Tells whether a finding says in words what a model does, unlike one that only names a feature."""
    measure = finding.hypothesis.measure
    return not isinstance(measure, LatentMeasure | FeatureMeasure) or measure.in_words


def _belongs(stage: str, method: str) -> bool:
    plan = method_plans()[method]
    return stage in plan.stages or (plan.judged and stage == JUDGE)
