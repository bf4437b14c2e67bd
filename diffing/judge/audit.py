"""Checks how good the judge is: preference for a position, consistency, agreement with measurement and a second judge.

The checks change no verdict and no finding. New questions are about a sample of the run's own questions, on train or
held-out pairs, at most one for each pair. Their calls are counted under stages of their own.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing import metrics
from diffing.estimates import Estimate
from diffing.judge.agreement import Agreement
from diffing.judge.families import relation_to
from diffing.judge.judge_questions import AnsweredQuestion, JudgeQuestion, Judging, ask_judge, batches
from diffing.judge.judged_verdicts import JudgingResult, verdicts_of
from diffing.metrics.kappa import kappa_over_pairs
from diffing.models.base import Model
from diffing.stages import CHECK_JUDGE, SECOND_JUDGE
from diffing.types import Judgement, ModelInfo, OnProgress, Row, Usage, Verdict, ignore_progress

SAMPLE = 12
"""The default number of questions that are asked again. Each holds up to twenty hypotheses, so a judge that only looks
at the order is seen at once; in a small run more questions would cost as much as the verdicts themselves."""
TABLE = "judge_checks"
"""The name of the report's table that holds the results."""


@dataclass(frozen=True, slots=True)
class JudgeChecks:
    """The results of all checks of the judge."""

    rows: tuple[Row, ...] = ()
    """One row per check, with `check`, `scale`, `judge`, `value`, `low`, `high`, `n` and `meaning`."""
    notes: tuple[str, ...] = ()
    """What a reader of the report must know, in full sentences."""
    usage: tuple[Usage, ...] = ()
    """The calls and tokens of the checks."""


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """The judge's verdicts in one run, with the models that they are about."""

    judged: JudgingResult
    """The judge's questions, replies and verdicts."""
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
    sample: int = SAMPLE,
    on_progress: OnProgress = ignore_progress,
) -> JudgeChecks:
    """Runs every check of the judge that the run allows.

    Args:
        run: The judge's verdicts in the run.
        model: The judge.
        second: A second judge, which is asked the same questions.
        judging: How the judge was asked in the run.
        sample: The number of questions to ask again; 0 asks none.
        on_progress: Called after every answer.

    Raises:
        ModelError: A judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    judging = judging or Judging()
    drawn = _sample(run.judged.answered, judging, sample)
    parts = [_place(model.id, run.judged.first_place)]
    if run.judged.consistency is not None:
        parts.append(JudgeChecks((_both_orders(model.id, run.judged.consistency),)))
    elif drawn:
        parts.append(_orders(model, drawn, on_progress))
    if run.measured.share.n:
        parts.append(JudgeChecks((_row("measured properties", model.id, run.measured.share, _MEASURED),)))
    if second is not None and drawn:
        parts.append(_two_judges(model, second, drawn, judging, on_progress))
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

_Scale: TypeAlias = Literal["share", "kappa"]
"""What the value of a check is: a share from 0 to 1, or Cohen's kappa."""
_Drawn: TypeAlias = Sequence[tuple[AnsweredQuestion, ...]]
"""Questions of the run with the judge's replies; in both orders, two for each."""


def _sample(answered: Sequence[AnsweredQuestion], judging: Judging, size: int) -> _Drawn:
    """Draws questions of the run by hash, at most one for each pair."""
    by_place = sorted(batches(answered, 1 + judging.both_orders), key=lambda same: _place_of(judging.seed, same[0][0]))
    one_each = {same[0][0].pair.prompt.id: same for same in reversed(by_place)}
    return [same for same in by_place if one_each[same[0][0].pair.prompt.id] is same][:size]


def _place_of(seed: int, question: JudgeQuestion) -> bytes:
    key = "\0".join([str(seed), "check", question.pair.prompt.id, *(each.id for each in question.batch)])
    return hashlib.sha256(key.encode()).digest()


def _row(check: str, judge_id: str, estimate: Estimate, meaning: str, scale: _Scale = "share") -> Row:
    return {
        "check": check,
        "scale": scale,
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


def _orders(model: Model, drawn: _Drawn, on_progress: OnProgress) -> JudgeChecks:
    """Asks the questions of the sample with the responses swapped, and compares with the replies of the run."""
    swapped, usage = ask_judge(model, [question.swapped for ((question, _),) in drawn], CHECK_JUDGE, on_progress)
    by_pair = [
        verdicts_of(model.id, (own, other), both_orders=True) for (own,), other in zip(drawn, swapped, strict=True)
    ]
    readable = [[j for j in one if j.verdict is not Verdict.UNREADABLE] for one in by_pair]
    every = metrics.share_over_groups([(sum(map(_same_in_both, one)), len(one)) for one in readable])
    for_a_side = [[j for j in one if _for_a_side(j)] for one in readable]
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


def _same_in_both(judgement: Judgement) -> bool:
    """Tells whether both replies to a question in both orders mean the same."""
    return judgement.verdict is not Verdict.NEITHER


def _for_a_side(judgement: Judgement) -> bool:
    """Tells whether at least one of two readable replies was for a side."""
    return judgement.verdict.side is not None or not {"1", "2"}.isdisjoint((judgement.reply or "").split(" | "))


def _two_judges(model: Model, second: Model, drawn: _Drawn, judging: Judging, on_progress: OnProgress) -> JudgeChecks:
    questions = [question for same in drawn for question, _ in same]
    answered, usage = ask_judge(second, questions, SECOND_JUDGE, on_progress)
    theirs = batches(answered, 1 + judging.both_orders)
    compared = [
        [
            (one.verdict, two.verdict)
            for one, two in zip(
                verdicts_of(model.id, same, judging.both_orders),
                verdicts_of(second.id, other, judging.both_orders),
                strict=True,
            )
        ]
        for same, other in zip(drawn, theirs, strict=True)
    ]
    readable = [[two for two in one if Verdict.UNREADABLE not in two] for one in compared]
    raw = metrics.share_over_groups([(sum(a == b for a, b in one), len(one)) for one in readable])
    kappa = kappa_over_pairs(readable, judging.seed)
    both = f"{model.id} and {second.id}"
    rows = (
        _row("second judge", both, raw, _SECOND),
        _row("second judge, beyond chance", both, kappa, _KAPPA, "kappa"),
    )
    return JudgeChecks(rows, (*_note_on_second(both, raw, kappa), *_unread(usage)), (usage,))


def _note_on_second(both: str, raw: Estimate, kappa: Estimate) -> tuple[str, ...]:
    if raw.value is None:
        return ()
    beyond = (
        "" if kappa.value is None or kappa.low is None or kappa.high is None
        else f", kappa {kappa.value:.2f} (95% interval {kappa.low:.2f} to {kappa.high:.2f})"
    )  # fmt: skip
    return (f"The judges {both} gave the same verdict in {raw.value:.0%} of {raw.n} cases{beyond}.",)


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
