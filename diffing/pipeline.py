"""The main job on one page: two models and prompts in, a report out.

Knows no backend, no method by name, no file. Resuming needs no code here: every completion is cached below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from diffing import metrics
from diffing.errors import SettingError
from diffing.grouping import Merging, merge
from diffing.judge import Judging, JudgingResult, judge, judge_in_stages
from diffing.judge.agreement import Agreement, compare_with_measurement
from diffing.judge.audit import TABLE, JudgeChecks, JudgedRun, check_judge
from diffing.judgements import Judgements
from diffing.methods.base import MeasuringMethod, Method
from diffing.models.base import Model, Price, Sampling
from diffing.ratings import Rated, rate
from diffing.report import order_findings
from diffing.responses import Responded, respond
from diffing.types import (
    Discovery,
    Finding,
    Hypothesis,
    Judgement,
    Metrics,
    ModelInfo,
    OnFound,
    OnProgress,
    Pair,
    Prompt,
    Rating,
    Report,
    Row,
    Scalar,
    Usage,
    ignore_found,
    ignore_progress,
)
from diffing.versions import versions

DECLINED = "not taken by the server"
"""In a model's settings, of one that its server was not sent, since it declines it."""


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """What decides a diff beside the models, the prompts and the methods."""

    sampling: Sampling = field(default_factory=Sampling)
    """How both models' responses are drawn."""
    sample_a: int = 0
    """The number of A's sample."""
    sample_b: int = 0
    """The number of B's; another one than A's makes a diff of one model with itself a null comparison."""
    judge_batch: int = 10
    """Hypotheses per question to the judge."""
    both_orders: bool = False
    """Ask the judge twice, with the responses swapped; a disagreement is NEITHER."""
    judging: Literal["thrift", "full"] = "thrift"
    """Stop for a hypothesis once its fate is clear, or judge every hypothesis on every pair."""
    check_judge: int = 50
    """Train pairs about which the judge is asked again, to check it; 0 asks nothing."""
    alpha: float = 0.01
    """The margin of the paper's acceptance."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Dollars per million tokens, by model id."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """What the report tells as settings; empty: the options here."""
    notes: tuple[str, ...] = ()
    """Remarks on how the run was set up, for the report to tell."""


def diff_models(
    model_a: Model,
    model_b: Model,
    prompts: Sequence[Prompt],
    *,
    methods: Sequence[Method],
    judge: Model | None = None,
    second_judge: Model | None = None,
    raters: Sequence[Model] = (),
    options: DiffOptions | None = None,
    on_progress: OnProgress = ignore_progress,
    on_found: OnFound = ignore_found,
) -> Report:
    """Finds how two models behave differently on the same prompts, and tests it on held-out ones.

    Args:
        model_a: The first model.
        model_b: The second model; may be the first again, with another sample number.
        prompts: Train and held-out prompts.
        methods: What looks for hypotheses; each sees train pairs only.
        judge: The LLM that gives the verdicts; not needed where every method measures.
        second_judge: Another LLM, which judges a sample of train pairs as a check of the first.
        raters: LLMs that rate interestingness and abstraction.
        options: Sampling, judging, prices.
        on_progress: Told of every stage.
        on_found: Told what each method found, before it is tested.

    Raises:
        SettingError: No prompts in one split, or a method that needs a judge without one.
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    options = options or DiffOptions()
    _check(prompts, methods, judge)
    samples = (options.sample_a, options.sample_b)
    answered = respond((model_a, model_b), prompts, options.sampling, samples, on_progress)
    pairs = answered.pairs
    found, measured = _find(methods, pairs, on_progress, on_found)
    hypotheses = [hypothesis for discovery in found for hypothesis in discovery.hypotheses]
    judged = _judged(methods, found, pairs, judge, options, on_progress)
    judgements = [*measured, *(judged.judgements if judged else ())]
    checked = compare_with_measurement([h for h in hypotheses if h.measure is None], judgements, pairs)
    info_a = _info(model_a, "model_a", options, options.sample_a, answered.declined["a"])
    info_b = _info(model_b, "model_b", options, options.sample_b, answered.declined["b"])
    checks = JudgeChecks()
    if judge is not None and judged is not None:
        asked = {judgement.hypothesis_id for judgement in judged.judgements}
        checks = check_judge(
            JudgedRun(tuple(h for h in hypotheses if h.id in asked), pairs, judged, checked, (info_a, info_b)),
            judge,
            second=second_judge,
            judging=_judging(options),
            sample=options.check_judge,
            on_progress=on_progress,
        )
    rated = rate(raters, hypotheses, on_progress=on_progress) if raters and hypotheses else None
    findings = _findings(hypotheses, judgements, pairs, rated.ratings if rated else {}, options.alpha)
    merged = merge(findings, judgements, pairs, judge=judge, on_progress=on_progress)
    of_methods = [usage for discovery in found for usage in discovery.usage]
    usage = [*answered.usage, *of_methods, *_usage_of(judged, checks, rated, merged)]
    return Report(
        model_a=info_a,
        model_b=info_b,
        others=_others(methods, judge, second_judge, raters),
        pairs=pairs,
        findings=findings,
        judgements=Judgements.of(judgements),
        tables=_tables(methods, found, checked, checks),
        left_out=_left_out(answered, methods, found, judged),
        notes=(*answered.notes, *options.notes, *_notes(found, judged), *checked.notes, *checks.notes),
        usage=tuple(_priced(u, options.prices) for u in usage),
        settings=dict(options.settings) or _own_settings(options),
        versions=versions(),
        merged=merged.entries,
    )


def _check(prompts: Sequence[Prompt], methods: Sequence[Method], judge: Model | None) -> None:
    """Refuses what can be known to fail before anything is paid."""
    if not methods:
        raise SettingError("No method was given: expected at least one, such as LexicalMethod()")
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise SettingError(f"A method was given twice among {', '.join(names)}: its verdicts would count twice")
    for split in ("train", "heldout"):
        if not any(prompt.split == split for prompt in prompts):
            raise SettingError(
                f"There are 0 {split} prompts among {len(prompts)}: expected at least 1. Give more prompts"
            )
    unmeasured = [method.name for method in methods if not isinstance(method, MeasuringMethod)]
    if unmeasured and judge is None:
        raise SettingError(f"Method {unmeasured[0]} needs a judge. Give a model that judges (--judge or --llm)")


def _find(
    methods: Sequence[Method], pairs: Sequence[Pair], on_progress: OnProgress, on_found: OnFound
) -> tuple[list[Discovery], list[Judgement]]:
    """What the methods find on train pairs, and the verdicts on every pair of those that measure."""
    train = [pair for pair in pairs if pair.prompt.split == "train"]
    on_train = {pair.prompt.id for pair in train}
    found: list[Discovery] = []
    judgements: list[Judgement] = []
    for method in methods:
        discovery = method.find_hypotheses(train, on_progress)
        found.append(discovery)
        told: dict[str, list[Judgement]] = {}
        if isinstance(method, MeasuringMethod):
            judgements += (measured := method.measure(discovery.hypotheses, pairs))
            told = {hypothesis.id: [] for hypothesis in discovery.hypotheses}
            for judgement in measured:
                if judgement.prompt_id in on_train:
                    told[judgement.hypothesis_id].append(judgement)
        on_found(
            [(h, metrics.measure(told[h.id], h.direction) if h.id in told else None) for h in discovery.hypotheses]
        )
    return found, judgements


def _judged(
    methods: Sequence[Method],
    found: Sequence[Discovery],
    pairs: Sequence[Pair],
    model: Model | None,
    options: DiffOptions,
    on_progress: OnProgress,
) -> JudgingResult | None:
    """Verdicts on the hypotheses of the methods that do not measure; None where there are none."""
    to_judge = [
        hypothesis
        for method, discovery in zip(methods, found, strict=True)
        if not isinstance(method, MeasuringMethod)
        for hypothesis in discovery.hypotheses
    ]
    if not to_judge or model is None:
        return None
    how = _judging(options)
    if options.judging == "full":
        return judge(model, to_judge, pairs, how, on_progress=on_progress)
    return judge_in_stages(
        model,
        to_judge,
        pairs,
        how,
        family=sum(len(discovery.hypotheses) for discovery in found),
        on_progress=on_progress,
    )


def _judging(options: DiffOptions) -> Judging:
    return Judging(options.judge_batch, options.both_orders, options.sampling.seed)


def _findings(
    hypotheses: Sequence[Hypothesis],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    ratings: Mapping[str, Rating],
    alpha: float,
) -> tuple[Finding, ...]:
    """Metrics per split; only held-out decides what is confirmed, over all hypotheses that it tested at once."""
    splits = {pair.prompt.id: pair.prompt.split for pair in pairs}
    sorted_out: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in judgements:
        sorted_out.setdefault((judgement.hypothesis_id, splits[judgement.prompt_id]), []).append(judgement)

    def on(split: str, hypothesis: Hypothesis) -> Metrics:
        return metrics.measure(sorted_out.get((hypothesis.id, split), []), hypothesis.direction)

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
        )
        for hypothesis in hypotheses
    )


def _info(model: Model, role: str, options: DiffOptions, sample: int, declined: Sequence[str]) -> ModelInfo:
    side = role[-1]
    own = {key[:-2]: value for key, value in options.settings.items() if key.endswith(f"_{side}") and value is not None}
    own.pop("model", None)
    not_taken = dict.fromkeys(declined, DECLINED)
    return ModelInfo(id=model.id, role=role, settings={**own, **not_taken, "sample": sample})


def _own_settings(options: DiffOptions) -> dict[str, Scalar]:
    """What decided the result, as far as the main job knows it."""
    sampling = {key: value for key, value in asdict(options.sampling).items() if key not in ("sample", "json_schema")}
    own = ("sample_a", "sample_b", "judge_batch", "both_orders", "judging", "check_judge", "alpha")
    return {**sampling, **{name: getattr(options, name) for name in own}}


def _others(
    methods: Sequence[Method], judge: Model | None, second_judge: Model | None, raters: Sequence[Model]
) -> tuple[ModelInfo, ...]:
    of_methods = [info for method in methods for info in method.models]
    judges = (("judge", judge), ("second judge", second_judge))
    of_judges = [ModelInfo(model.id, role) for role, model in judges if model is not None]
    return (*of_methods, *of_judges, *(ModelInfo(rater.id, "rater") for rater in raters))


def _tables(
    methods: Sequence[Method], found: Sequence[Discovery], checked: Agreement, checks: JudgeChecks
) -> dict[str, tuple[Row, ...]]:
    tables = {
        f"{method.name}_{name}": rows
        for method, discovery in zip(methods, found, strict=True)
        for name, rows in discovery.tables.items()
    }
    of_judge = {"judge_agreement": checked.rows, TABLE: checks.rows}
    return tables | {name: rows for name, rows in of_judge.items() if rows}


def _left_out(
    answered: Responded, methods: Sequence[Method], found: Sequence[Discovery], judged: JudgingResult | None
) -> dict[str, Mapping[str, int]]:
    of_methods = {method.name: discovery.left_out for method, discovery in zip(methods, found, strict=True)}
    stages = {"responses": answered.left_out, **of_methods, "judge": judged.left_out if judged else {}}
    return {stage: counts for stage, counts in stages.items() if counts}


def _notes(found: Sequence[Discovery], judged: JudgingResult | None) -> list[str]:
    return [note for discovery in found for note in discovery.notes] + (list(judged.notes) if judged else [])


def _usage_of(judged: JudgingResult | None, checks: JudgeChecks, rated: Rated | None, merged: Merging) -> list[Usage]:
    of_judge = [judged.usage, *checks.usage] if judged else []
    return [*of_judge, *(rated.usage if rated else ()), *merged.usage]


def _priced(usage: Usage, prices: Mapping[str, Price]) -> Usage:
    price = prices.get(usage.model)
    if price is None:
        return usage
    return replace(usage, usd=price.of(usage.prompt_tokens, usage.completion_tokens))
