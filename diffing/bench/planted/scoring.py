"""Scores a run against what was planted in it: for each method, what it found, what it claimed, and what that took."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.bench.planted.asking import ask_names
from diffing.bench.planted.matching import (
    SIGN_P,
    How,
    Target,
    Verdicts,
    named_by,
    tracks,
    verdicts_by_hypothesis,
)
from diffing.methods.base import MeasuringMethod, Method, method_plans
from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.properties import BY_NAME
from diffing.metrics import sign_test
from diffing.models.base import Model
from diffing.stages import JUDGE
from diffing.types import (
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
class Found:
    """Whether one method found one planted behaviour."""

    target: Target
    """What was planted."""
    method: str
    """Who looked for it."""
    by: How | None
    """How a confirmed finding names it; None where none does."""
    told: bool
    """Whether it shows at all and it could be told; where not, it counts neither as found nor as missed."""
    text: str
    """The confirmed finding that names it, the strongest; empty where none does."""
    trigger_named: bool | None
    """Whether a finding that names it says when it shows; None where it always does, or was not found."""
    shown_heldout: int
    """Held-out pairs on which it shows: what the test has to go by."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What one method claimed in one run."""

    method: str
    """Whose claims."""
    confirmed: int
    """Confirmed findings."""
    planted: int
    """How many of these name something planted, or have verdicts that fall on it."""
    measured: int
    """How many of the others are borne out by a measurement that had no part in confirming them."""
    calls: int
    """Calls to LLMs that the method needed."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One run, scored."""

    prompts: int
    """Prompts asked, train and held-out."""
    found: tuple[Found, ...]
    """Per target and method."""
    claims: tuple[Claims, ...]
    """Per method."""
    compared: tuple[tuple[bool, bool], ...]
    """Per question put to the LLM that a rule answers as well: the rule's answer and the LLM's."""


def score(
    report: Report,
    targets: Sequence[Target],
    methods: Sequence[Method],
    *,
    judge: Model | None = None,
    fresh: Sequence[Pair] = (),
    on_progress: OnProgress = ignore_progress,
) -> Scored:
    """Scores a run.

    Args:
        report: What the run found.
        targets: What was planted.
        methods: Those of the run.
        judge: Says whether a finding names a behaviour that no rule recognises.
        fresh: Responses of both models drawn anew on the same prompts: a measured finding that is true shows again.
        on_progress: Told of every answer of the judge.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    run = _Run(report, targets)
    named = {(target.plant.id, f.hypothesis.id): run.rule(target, f) for target in targets for f in run.confirmed}
    compared: list[tuple[bool, bool]] = []
    if judge is not None:
        cases = [(target, f) for target in targets for f in run.confirmed if _is_sentence(f)]
        for (target, f), says in zip(cases, ask_names(judge, cases, on_progress)[0], strict=True):
            key = (target.plant.id, f.hypothesis.id)
            if says is None:
                continue
            if target.plant.behaviour.measurable:
                compared.append((named[key] is not None, says))
            else:
                named[key] = "judge" if says else None
    return Scored(
        prompts=len(report.pairs),
        found=tuple(_found(run, target, m.name, named, judge is not None) for target in targets for m in methods),
        claims=tuple(_claims(run, method, named, fresh) for method in methods),
        compared=tuple(compared),
    )


class _Run:
    """A report with its verdicts sorted out."""

    def __init__(self, report: Report, targets: Sequence[Target]) -> None:
        self.report = report
        self.targets = targets
        self.confirmed = [finding for finding in report.findings if finding.confirmed]
        self._heldout = {pair.prompt.id for pair in report.pairs if pair.prompt.split == "heldout"}
        self._verdicts = verdicts_by_hypothesis(report.judgements)

    def verdicts(self, finding: Finding) -> Verdicts:
        return self._verdicts.get(finding.hypothesis.id, {})

    def heldout(self, finding: Finding) -> Verdicts:
        return {key: verdict for key, verdict in self.verdicts(finding).items() if key in self._heldout}

    def rule(self, target: Target, finding: Finding) -> How | None:
        return named_by(target, finding, self.verdicts(finding), self.heldout(finding), self.targets)

    def tracked(self, finding: Finding) -> bool:
        direction, verdicts, heldout = finding.hypothesis.direction, self.verdicts(finding), self.heldout(finding)
        return any(tracks(target, direction, verdicts, heldout) for target in self.targets)

    def shown_heldout(self, target: Target) -> int:
        return len(target.shown & self._heldout)

    def of(self, method: str) -> list[Finding]:
        return [finding for finding in self.confirmed if finding.hypothesis.method == method]


Named = Mapping[tuple[str, str], How | None]


def _found(run: _Run, target: Target, method: str, named: Named, judged: bool) -> Found:
    naming = [f for f in run.of(method) if named[target.plant.id, f.hypothesis.id]]
    trigger = target.plant.trigger
    by_trigger = trigger.kind != "always" and bool(naming)
    return Found(
        target=target,
        method=method,
        by=named[target.plant.id, naming[0].hypothesis.id] if naming else None,
        told=bool(target.shown) and (bool(naming) or target.plant.behaviour.measurable or judged),
        text=naming[0].hypothesis.text if naming else "",
        trigger_named=any(trigger.named_in(f.hypothesis.text) for f in naming) if by_trigger else None,
        shown_heldout=run.shown_heldout(target),
    )


def _claims(run: _Run, method: Method, named: Named, fresh: Sequence[Pair]) -> Claims:
    confirmed = run.of(method.name)
    planted = [
        f for f in confirmed if any(named[target.plant.id, f.hypothesis.id] for target in run.targets) or run.tracked(f)
    ]
    others = [f for f in confirmed if f not in planted]
    return Claims(
        method=method.name,
        confirmed=len(confirmed),
        planted=len(planted),
        measured=sum(_borne_out(others, method, run.report.pairs, fresh)),
        calls=sum(usage.calls for usage in run.report.usage if _belongs(usage.stage, method.name)),
    )


def _borne_out(findings: Sequence[Finding], method: Method, pairs: Sequence[Pair], fresh: Sequence[Pair]) -> list[bool]:
    """Per finding whether it is a real difference, planted or not.

    A measured one must show again in responses drawn anew. A judged one must be measured on the held-out pairs.
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
    """Per hypothesis whether the sign test on these pairs is significant for its side."""
    verdicts = verdicts_by_hypothesis(measure(hypotheses, pairs)) if pairs else {}
    found = []
    for hypothesis in hypotheses:
        sides = [verdict.side for verdict in verdicts.get(hypothesis.id, {}).values() if verdict.side]
        ahead = sides.count(hypothesis.direction)
        found.append(bool(sides) and sign_test(ahead, len(sides) - ahead) <= SIGN_P)
    return found


def _is_sentence(finding: Finding) -> bool:
    """Whether it says in words what a model does; a bare feature does not."""
    measure = finding.hypothesis.measure
    return not isinstance(measure, LatentMeasure) or measure.in_words


def _belongs(stage: str, method: str) -> bool:
    plan = method_plans()[method]
    return stage in plan.stages or (plan.judged and stage == JUDGE)
