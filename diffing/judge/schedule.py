"""Decides which pairs are judged when: all at once, or in stages with early stopping for each hypothesis."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.early_stopping import FIRST_STAGE, RunSize, TrainCounts, plan_all, rounds
from diffing.judge.judge_questions import Judging
from diffing.judge.judged_verdicts import JudgingResult
from diffing.judge.ledger import Ledger, counts_of
from diffing.judge.savings import PlannedJudging, note_on_savings
from diffing.models.base import Model
from diffing.types import Hypothesis, Judgement, OnProgress, Pair, Split, Verdict, ignore_progress

FUTILE = "hypotheses not tested on held-out prompts: futile after the train prompts"
"""The reason why a hypothesis was not tested, as the report counts it."""


@dataclass(frozen=True, slots=True)
class JudgedApart:
    """Hypotheses that are judged on other pairs than all others."""

    hypotheses: tuple[Hypothesis, ...]
    """The hypotheses."""
    pairs: tuple[Pair, ...]
    """The pairs, whose prompts all meet the condition of the hypotheses, so that no scope is asked for; without any,
    the hypotheses are not judged."""


def judge(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging | None = None,
    *,
    apart: Sequence[JudgedApart] = (),
    on_progress: OnProgress = ignore_progress,
) -> JudgingResult:
    """Gives one verdict on every hypothesis for every pair.

    The judge is asked about all of them, except where a prompt is outside the scope of a hypothesis.

    Args:
        model: The judge.
        hypotheses: The hypotheses to judge.
        pairs: The pairs to judge, train and held-out.
        judging: How the judge is asked.
        apart: Other hypotheses, with the only pairs on which they are judged.
        on_progress: Called after every answer.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    ledger = Ledger(model, judging or Judging(), on_progress)
    ledger.ask(hypotheses, pairs, most=len(pairs))
    return _with_apart(ledger, hypotheses, pairs, apart)


def _with_apart(
    ledger: Ledger, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair], apart: Sequence[JudgedApart]
) -> JudgingResult:
    """Judges what is judged apart, and returns all verdicts of the ledger."""
    for each in (group for group in apart if group.pairs):
        ledger.ask([replace(hypothesis, scope=None) for hypothesis in each.hypotheses], each.pairs, len(each.pairs))
    every = {pair.prompt.id: pair for group in (pairs, *(each.pairs for each in apart)) for pair in group}
    judged = [*hypotheses, *(hypothesis for each in apart for hypothesis in each.hypotheses)]
    return ledger.result(judged, list(every.values()))


def judge_in_stages(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging | None = None,
    *,
    family: int,
    known: Sequence[Judgement] = (),
    apart: Sequence[JudgedApart] = (),
    on_progress: OnProgress = ignore_progress,
) -> JudgingResult:
    """Judges as `judge` does, but asks less (`diffing.early_stopping`).

    Hypotheses whose train verdicts are known are judged on held-out pairs alone; judging stops early for a hypothesis
    once its outcome is clear. If there are few train prompts, or none are held out, nothing stops early.

    Args:
        model: The judge.
        hypotheses: The hypotheses to judge.
        pairs: Train and held-out pairs; a hash of the prompt's id decides in which order they are judged.
        judging: How the judge is asked.
        family: The number of all hypotheses of the run, these and others.
        known: Verdicts on train pairs that a method already has. If it has any on a hypothesis, it has all that are
            needed; they are not among the verdicts returned.
        apart: Other hypotheses, with the only pairs on which they are judged; nothing stops early for them.
        on_progress: Called after every answer; its total is an upper bound, since judging may stop early.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    judging = judging or Judging()
    train, heldout = (_shuffled(pairs, split, judging.seed) for split in ("train", "heldout"))
    counts = _counted(hypotheses, known)
    ends_early = len(train) > FIRST_STAGE and heldout and hypotheses
    if not ends_early and not counts:
        return judge(model, hypotheses, pairs, judging, apart=apart, on_progress=on_progress)
    size = RunSize(len(train), len(heldout), family, judging.batch)
    ledger = Ledger(model, judging, on_progress)
    if ends_early:
        plans = _ask_in_stages(ledger, hypotheses, counts, train, heldout, size)
    else:
        plans = dict.fromkeys(hypotheses, len(heldout))
        ledger.ask([each for each in hypotheses if each not in counts], train, most=len(pairs))
        ledger.ask(hypotheses, heldout, most=len(heldout))
    judged = _with_apart(ledger, hypotheses, pairs, apart)
    note = note_on_savings(PlannedJudging(plans, frozenset(counts), size, 1 + judging.both_orders), judged)
    left_out = +Counter({FUTILE: sum(planned == 0 for planned in plans.values()) if ends_early else 0})
    return replace(judged, notes=(note, *judged.notes), left_out=dict(left_out))


def _shuffled(pairs: Iterable[Pair], split: Split, seed: int) -> list[Pair]:
    """Orders the pairs of a split by hash, independently of their content."""

    def place(pair: Pair) -> bytes:
        return hashlib.sha256(f"{seed}\0stage\0{pair.prompt.id}".encode()).digest()

    return sorted((pair for pair in pairs if pair.prompt.split == split), key=place)


def _counted(hypotheses: Sequence[Hypothesis], known: Sequence[Judgement]) -> dict[Hypothesis, TrainCounts]:
    """Counts the known verdicts of each hypothesis that has any."""
    verdicts: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for judgement in known:
        verdicts[judgement.hypothesis_id][judgement.verdict] += 1
    return {each: counts_of(verdicts[each.id], each) for each in hypotheses if each.id in verdicts}


def _ask_in_stages(
    ledger: Ledger,
    hypotheses: Sequence[Hypothesis],
    known: Mapping[Hypothesis, TrainCounts],
    train: Sequence[Pair],
    heldout: Sequence[Pair],
    size: RunSize,
) -> dict[Hypothesis, int]:
    """Asks about train pairs in stages, then about held-out pairs as planned; returns the plans."""

    def look(active: Sequence[Hypothesis], start: int, stop: int) -> dict[Hypothesis, TrainCounts]:
        ledger.ask(active, train[start:stop], most=len(train) - start + len(heldout))
        return {hypothesis: ledger.seen(hypothesis) for hypothesis in active}

    plans = plan_all(hypotheses, size, look, known)
    for active, start, stop in rounds(plans):
        ledger.ask(active, heldout[start:stop], most=len(heldout) - start)
    return plans
