"""Decides which pairs are judged when: all at once, or in stages with early stopping for each hypothesis."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from diffing.early_stopping import FIRST_STAGE, TrainCounts, plan_all, rounds
from diffing.judge.questions import AnsweredQuestion, Judging, ask_judge, batches
from diffing.judge.verdicts import JudgingResult, judged_from, verdicts_of
from diffing.models.base import Model
from diffing.stages import JUDGE
from diffing.types import Hypothesis, OnProgress, Pair, Split, Stage, Usage, Verdict, ignore_progress, other_side

FUTILE = "hypotheses not tested on held-out prompts: futile after the train prompts"
"""The reason why a hypothesis was not tested, as the report counts it."""


def judge(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging | None = None,
    *,
    on_progress: OnProgress = ignore_progress,
) -> JudgingResult:
    """Asks for one verdict on every hypothesis for every pair.

    Args:
        model: The judge.
        hypotheses: The hypotheses to judge.
        pairs: The pairs to judge, train and held-out.
        judging: How the judge is asked.
        on_progress: Called after every answer.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    judging = judging or Judging()
    answered, usage = ask_judge(model, hypotheses, pairs, judging, on_progress)
    return judged_from(answered, usage, hypotheses, pairs, judging.both_orders)


def judge_in_stages(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging | None = None,
    *,
    family: int,
    on_progress: OnProgress = ignore_progress,
) -> JudgingResult:
    """Judges as `judge` does, but stops early for a hypothesis once its outcome is clear (`diffing.early_stopping`).

    If there are few train prompts, or none are held out, every pair is judged.

    Args:
        model: The judge.
        hypotheses: The hypotheses to judge.
        pairs: Train and held-out pairs; a hash of the prompt's id decides in which order they are judged.
        judging: How the judge is asked.
        family: The number of all hypotheses of the run, these and others.
        on_progress: Called after every answer; its total is an upper bound, since judging may stop early.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    judging = judging or Judging()
    train, heldout = (_shuffled(pairs, split, judging.seed) for split in ("train", "heldout"))
    if len(train) <= FIRST_STAGE or not heldout or not hypotheses:
        return judge(model, hypotheses, pairs, judging, on_progress=on_progress)
    ledger = _Ledger(model, judging, on_progress)

    def look(active: Sequence[Hypothesis], start: int, stop: int) -> dict[Hypothesis, TrainCounts]:
        ledger.ask(active, train[start:stop], most=len(train) - start + len(heldout))
        return {hypothesis: ledger.seen(hypothesis) for hypothesis in active}

    plans = plan_all(hypotheses, len(train), len(heldout), family, look)
    for active, start, stop in rounds(plans):
        ledger.ask(active, heldout[start:stop], most=len(heldout) - start)
    judged = judged_from(ledger.answered, ledger.usage, hypotheses, pairs, judging.both_orders)
    full = (len(train) + len(heldout)) * len(batches(hypotheses, judging.batch)) * (1 + judging.both_orders)
    note = _note(plans, len(heldout), len(ledger.answered), full)
    left_out = +Counter({FUTILE: sum(planned == 0 for planned in plans.values())})
    return replace(judged, notes=(note, *judged.notes), left_out=dict(left_out))


def _shuffled(pairs: Iterable[Pair], split: Split, seed: int) -> list[Pair]:
    """Orders the pairs of a split by hash, independently of their content."""

    def place(pair: Pair) -> bytes:
        return hashlib.sha256(f"{seed}\0stage\0{pair.prompt.id}".encode()).digest()

    return sorted((pair for pair in pairs if pair.prompt.split == split), key=place)


class _Ledger:
    """Collects the questions, replies and verdicts of several rounds of judging."""

    def __init__(self, model: Model, judging: Judging, on_progress: OnProgress) -> None:
        self.answered: list[AnsweredQuestion] = []
        """All questions with their replies."""
        self.usage = Usage(JUDGE, model.id, 0, 0, 0)
        """The calls and tokens of these questions."""
        self.verdicts: dict[str, Counter[Verdict]] = defaultdict(Counter)
        """Counts of the verdicts by hypothesis id."""
        self._model = model
        self._judging = judging
        self._on_progress = on_progress

    def ask(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair], most: int) -> None:
        """Asks about the next pairs.

        Args:
            hypotheses: The hypotheses that are still being judged.
            pairs: The next pairs.
            most: The largest number of pairs that may still be asked about, including these.
        """
        before = len(self.answered)

        def on_progress(stage: Stage, done: int, total: int) -> None:
            if stage == JUDGE:
                done, total = before + done, before + total * most // len(pairs)
            self._on_progress(stage, done, total)

        answered, usage = ask_judge(self._model, hypotheses, pairs, self._judging, on_progress)
        self.answered += answered
        self.usage = replace(
            usage,
            calls=self.usage.calls + usage.calls,
            prompt_tokens=self.usage.prompt_tokens + usage.prompt_tokens,
            completion_tokens=self.usage.completion_tokens + usage.completion_tokens,
            unreadable=self.usage.unreadable + usage.unreadable,
        )
        for judgement in verdicts_of(self._model.id, answered, self._judging.both_orders):
            self.verdicts[judgement.hypothesis_id][judgement.verdict] += 1

    def seen(self, hypothesis: Hypothesis) -> TrainCounts:
        """Counts the verdicts on a hypothesis so far."""
        counts = self.verdicts[hypothesis.id]
        by_side = {"a": counts[Verdict.A], "b": counts[Verdict.B]}
        return TrainCounts(by_side[hypothesis.direction], by_side[other_side(hypothesis.direction)], counts.total())


def _note(plans: Mapping[Hypothesis, int], heldout: int, asked: int, full: int) -> str:
    """Explains to the reader of the report what was not judged, and what follows from that."""
    tested = sorted(planned for planned in plans.values() if planned)
    note = f"Judging stopped for a hypothesis once its outcome was clear, which took {asked} of {full} questions. "
    if len(tested) < len(plans):
        note += (
            f"{len(plans) - len(tested)} of {len(plans)} judged hypotheses were not tested on held-out prompts, since "
            "after the train prompts these were very unlikely to confirm them. "
        )
    if tested:
        span = f"{tested[0]} to {tested[-1]}" if tested[0] < tested[-1] else f"{tested[0]}"
        whom = f"All {len(plans)}" if len(tested) == len(plans) else f"{len(tested)}"
        note += (
            f"{whom} were tested on {span} of the {heldout} held-out prompts, a number planned from the train prompts "
            "alone. The false discovery rate holds for the hypotheses tested. "
        )
    return note + (
        "Figures on train prompts prove nothing: they rest on the prompts judged until then. --judging full judges "
        "everything."
    )
