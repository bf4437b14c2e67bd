"""Checks how good the judge is: preference for a position, consistency, agreement with measurement and a second judge.

The checks change no verdict and no finding. New questions are about a sample of train pairs, each with one batch of
hypotheses, and their calls are counted under stages of their own.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from diffing import metrics
from diffing.judge.agreement import Agreement
from diffing.judge.families import relation_to
from diffing.judge.questions import Judging
from diffing.judge.schedule import judge
from diffing.judge.verdicts import JudgingResult
from diffing.metrics.kappa import kappa_over_pairs
from diffing.models.base import Model
from diffing.stages import CHECK_JUDGE, SECOND_JUDGE
from diffing.types import (
    Estimate,
    Hypothesis,
    Judgement,
    ModelInfo,
    OnProgress,
    Pair,
    Row,
    Stage,
    Usage,
    Verdict,
    ignore_progress,
)

TABLE = "judge_checks"
"""The name of the report's table that holds the results."""


@dataclass(frozen=True, slots=True)
class JudgeChecks:
    """The results of all checks of the judge."""

    rows: tuple[Row, ...] = ()
    """One row per check, with `check`, `judge`, `value`, `low`, `high`, `n` and `meaning`."""
    notes: tuple[str, ...] = ()
    """What a reader of the report must know, in full sentences."""
    usage: tuple[Usage, ...] = ()
    """The calls and tokens of the checks."""


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """The judge's verdicts in one run, with the hypotheses, pairs and models that they are about."""

    hypotheses: tuple[Hypothesis, ...]
    """The hypotheses that the judge judged, in the order in which it received them."""
    pairs: tuple[Pair, ...]
    """All pairs of the run; the sample is drawn from its train pairs."""
    judged: JudgingResult
    """The judge's verdicts."""
    measured: Agreement
    """The judge's agreement with measurement."""
    compared: tuple[ModelInfo, ModelInfo]
    """The two models that the judge compared."""


def check_judge(
    run: JudgedRun,
    model: Model,
    *,
    second: Model | None = None,
    judging: Judging | None = None,
    sample: int = 50,
    on_progress: OnProgress = ignore_progress,
) -> JudgeChecks:
    """Runs every check of the judge that the run allows.

    Args:
        run: The judge's verdicts in the run.
        model: The judge.
        second: A second judge, which judges the same sample.
        judging: How the judge was asked in the run.
        sample: The number of train pairs to ask about again, each with one batch; 0 asks no questions.
        on_progress: Called after every answer.

    Raises:
        ModelError: A judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    judging = judging or Judging()
    drawn = _sample(run, judging, sample)
    parts = [_place(model.id, run.judged.first_place)]
    if run.judged.consistency is not None:
        parts.append(JudgeChecks((_both_orders(model.id, run.judged.consistency),)))
    elif drawn:
        parts.append(_orders(model, drawn, judging, on_progress))
    if run.measured.share.n:
        parts.append(JudgeChecks((_row("measured properties", model.id, run.measured.share, _MEASURED),)))
    if second is not None and drawn:
        parts.append(_two_judges(run, model, second, drawn, judging, on_progress))
    parts += [_families(each, run.compared) for each in (model, second) if each is not None]
    return JudgeChecks(
        tuple(row for part in parts for row in part.rows),
        tuple(note for part in parts for note in part.notes),
        tuple(usage for part in parts for usage in part.usage),
    )


_PLACE = (
    "Of its verdicts for a side, the share for the response shown first. 50% means no preference; the order is drawn "
    "at random for every question, so a preference weakens findings but does not favour either model."
)
_ORDERS = "Asked with the responses in both orders: the share of verdicts that stayed the same."
_DECIDED = "The share that stayed the same of the verdicts that were for a side in at least one order."
_MEASURED = (
    "If a hypothesis is about a measured property: of the verdicts that judge and measurement both gave for a side, "
    "the share on which they agree."
)
_SECOND = "Two judges on the same sample: the share of verdicts that were the same."
_KAPPA = "The agreement of the two judges beyond chance (Cohen's kappa): 0 is chance level, 1 is full agreement."

_Drawn = list[tuple[tuple[Hypothesis, ...], list[Pair]]]
"""Batches of hypotheses with the train pairs drawn for each."""


def _sample(run: JudgedRun, judging: Judging, size: int) -> _Drawn:
    """Draws train pairs by hash and spreads them evenly over the batches of the run.

    Only pairs on which the whole batch was judged are drawn: judging may have stopped early for some hypotheses.
    """
    judged = {(j.hypothesis_id, j.prompt_id) for j in run.judged.judgements}
    batches = [run.hypotheses[i : i + judging.batch] for i in range(0, len(run.hypotheses), judging.batch)]
    drawn: _Drawn = []
    for number, batch in enumerate(batches):
        train = [
            pair
            for pair in run.pairs
            if pair.prompt.split == "train" and all((each.id, pair.prompt.id) in judged for each in batch)
        ]
        share = size // len(batches) + (number < size % len(batches))
        ranked = sorted(train, key=lambda pair: _place_of(judging.seed, number, pair))[:share]
        if ranked:
            drawn.append((batch, ranked))
    return drawn


def _place_of(seed: int, number: int, pair: Pair) -> bytes:
    return hashlib.sha256(f"{seed}\0check\0{number}\0{pair.prompt.id}".encode()).digest()


def _ask(
    model: Model, drawn: _Drawn, judging: Judging, stage: Stage, on_progress: OnProgress
) -> tuple[list[list[Judgement]], Usage]:
    """Asks a judge about the sample; returns the verdicts on each pair, and the calls and tokens."""
    by_pair: list[list[Judgement]] = []
    usage = Usage(stage, model.id, 0, 0, 0)
    for batch, pairs in drawn:
        judged = judge(
            model, batch, pairs, judging, on_progress=lambda _, done, total: on_progress(stage, done, total)
        )  # fmt: skip
        for pair in pairs:
            by_pair.append([j for j in judged.judgements if j.prompt_id == pair.prompt.id])
        usage = replace(
            usage,
            calls=usage.calls + judged.usage.calls,
            prompt_tokens=usage.prompt_tokens + judged.usage.prompt_tokens,
            completion_tokens=usage.completion_tokens + judged.usage.completion_tokens,
            unreadable=usage.unreadable + judged.usage.unreadable,
        )
    return by_pair, usage


def _row(check: str, judge_id: str, estimate: Estimate, meaning: str) -> Row:
    return {
        "check": check,
        "judge": judge_id,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "meaning": meaning,
    }


def _place(judge_id: str, first_place: Estimate) -> JudgeChecks:
    return JudgeChecks((_row("first place", judge_id, first_place, _PLACE),) if first_place.n else ())


def _both_orders(judge_id: str, estimate: Estimate) -> Row:
    return _row("both orders", judge_id, estimate, _ORDERS)


def _orders(model: Model, drawn: _Drawn, judging: Judging, on_progress: OnProgress) -> JudgeChecks:
    """Judges the sample in both orders; replies in the order of the run come from the cache, if there is one."""
    by_pair, usage = _ask(model, drawn, replace(judging, both_orders=True), CHECK_JUDGE, on_progress)
    readable = [[j for j in one if j.verdict is not Verdict.UNREADABLE] for one in by_pair]
    every = metrics.share_over_groups([(sum(map(_same_in_both, one)), len(one)) for one in readable])
    for_a_side = [[j for j in one if not _nothing_in_both(j)] for one in readable]
    decided = metrics.share_over_groups([(sum(map(_same_in_both, one)), len(one)) for one in for_a_side])
    rows = [_both_orders(model.id, every), _row("both orders, for a side", model.id, decided, _DECIDED)]
    return JudgeChecks(tuple(rows), (*_note_on_orders(model.id, decided), *_unread(usage)), (usage,))


def _note_on_orders(judge_id: str, decided: Estimate) -> tuple[str, ...]:
    if decided.value is None or decided.low is None or decided.high is None:
        return ()
    return (
        f"With the responses swapped, the judge {judge_id} kept {decided.value:.0%} of {decided.n} sampled verdicts "
        f"that were for a side in at least one order (95% interval {decided.low:.0%} to {decided.high:.0%}).",
    )


def _nothing_in_both(judgement: Judgement) -> bool:
    """Tells whether both replies said that neither response fits better, so that NEITHER is no disagreement."""
    return judgement.verdict is Verdict.NEITHER and judgement.reply == "N/A | N/A"


def _same_in_both(judgement: Judgement) -> bool:
    return judgement.verdict.side is not None or _nothing_in_both(judgement)


def _two_judges(
    run: JudgedRun, model: Model, second: Model, drawn: _Drawn, judging: Judging, on_progress: OnProgress
) -> JudgeChecks:
    by_pair, usage = _ask(second, drawn, judging, SECOND_JUDGE, on_progress)
    own = {(j.hypothesis_id, j.prompt_id): j.verdict for j in run.judged.judgements}
    compared = [
        [(own[j.hypothesis_id, j.prompt_id], j.verdict) for j in one if (j.hypothesis_id, j.prompt_id) in own]
        for one in by_pair
    ]
    readable = [[two for two in one if Verdict.UNREADABLE not in two] for one in compared]
    raw = metrics.share_over_groups([(sum(a == b for a, b in one), len(one)) for one in readable])
    kappa = kappa_over_pairs(readable, judging.seed)
    both = f"{model.id} and {second.id}"
    rows = (_row("second judge", both, raw, _SECOND), _row("second judge, beyond chance", both, kappa, _KAPPA))
    notes: tuple[str, ...] = ()
    if raw.value is not None:
        beyond = (
            "" if kappa.value is None or kappa.low is None or kappa.high is None
            else f", kappa {kappa.value:.2f} (95% interval {kappa.low:.2f} to {kappa.high:.2f})"
        )  # fmt: skip
        notes = (f"The judges {both} gave the same verdict in {raw.value:.0%} of {raw.n} cases{beyond}.",)
    return JudgeChecks(rows, (*notes, *_unread(usage)), (usage,))


def _unread(usage: Usage) -> tuple[str, ...]:
    if not usage.unreadable:
        return ()
    return (
        f"In the check of the judge ({usage.stage}), {usage.unreadable} verdicts of {usage.model} were unreadable.",
    )


def _families(model: Model, compared: Iterable[ModelInfo]) -> JudgeChecks:
    """Warns about each compared model that is the judge itself or belongs to its family."""
    relations = [relation for info in compared if (relation := relation_to(model.id, info))]
    warnings = [f"{relation}, by name: it may favour responses like its own." for relation in relations]
    rows = (_row("same family", model.id, metrics.UNDEFINED, f"The judge {each}") for each in warnings)
    more = "A second judge of another family shows how much (--second-judge)."
    return JudgeChecks(tuple(rows), tuple(f"The judge {model.id} {each} {more}" for each in warnings))
