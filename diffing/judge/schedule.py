"""Everything is judged at once, or in stages until enough is known."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from diffing.early_stopping import FIRST_STAGE, TrainCounts, plan_all, rounds
from diffing.judge.questions import Answered, Judging, ask_sheets, groups
from diffing.judge.verdicts import Judged, judged_from, verdicts_of
from diffing.models.base import Model
from diffing.stages import JUDGE
from diffing.types import Hypothesis, OnProgress, Pair, Split, Usage, Verdict, ignore_progress, other_side

WITHOUT_HOPE = "hypotheses not tested on held-out prompts: train left no hope"
"""Why a hypothesis was not tested, in the report's counts."""


def judge(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging | None = None,
    *,
    on_progress: OnProgress = ignore_progress,
) -> Judged:
    """Asks for one verdict on every hypothesis for every pair.

    Args:
        model: The judge.
        hypotheses: To be judged.
        pairs: Train and held-out alike.
        judging: How it is asked.
        on_progress: Told of every answer.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    judging = judging or Judging()
    answered, usage = ask_sheets(model, hypotheses, pairs, judging, on_progress)
    return judged_from(answered, usage, hypotheses, pairs, judging.both_orders)


def judge_in_stages(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging | None = None,
    *,
    family: int,
    on_progress: OnProgress = ignore_progress,
) -> Judged:
    """As `judge`, but stops for a hypothesis once its fate is clear; see `diffing.early_stopping`.

    With few train prompts, or nothing held out, everything is judged.

    Args:
        model: The judge.
        hypotheses: To be judged.
        pairs: Train and held-out; in which order they are judged, a hash of the prompt's id decides.
        judging: How it is asked.
        family: Hypotheses of the run, these and others.
        on_progress: Told of every answer; its total is the most that it can become.

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
    full = (len(train) + len(heldout)) * len(groups(hypotheses, judging.batch)) * (1 + judging.both_orders)
    note = _note(plans, len(heldout), len(ledger.answered), full)
    left_out = +Counter({WITHOUT_HOPE: sum(planned == 0 for planned in plans.values())})
    return replace(judged, notes=(note, *judged.notes), left_out=dict(left_out))


def _shuffled(pairs: Iterable[Pair], split: Split, seed: int) -> list[Pair]:
    """A split's pairs in an order that has nothing to do with what they say."""

    def place(pair: Pair) -> bytes:
        return hashlib.sha256(f"{seed}\0stage\0{pair.prompt.id}".encode()).digest()

    return sorted((pair for pair in pairs if pair.prompt.split == split), key=place)


class _Ledger:
    """What was asked so far, in several rounds."""

    def __init__(self, model: Model, judging: Judging, on_progress: OnProgress) -> None:
        self.answered: list[Answered] = []
        """All questions with their replies."""
        self.usage = Usage(JUDGE, model.id, 0, 0, 0)
        """What they took."""
        self.verdicts: dict[str, Counter[Verdict]] = defaultdict(Counter)
        """By hypothesis id."""
        self._model = model
        self._judging = judging
        self._on_progress = on_progress

    def ask(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair], most: int) -> None:
        """Asks on.

        Args:
            hypotheses: Those that are still judged.
            pairs: The next ones.
            most: How many pairs may be asked about from here on, these included.
        """
        before = len(self.answered)

        def on_progress(stage: str, done: int, total: int) -> None:
            if stage == JUDGE:
                done, total = before + done, before + total * most // len(pairs)
            self._on_progress(stage, done, total)

        answered, usage = ask_sheets(self._model, hypotheses, pairs, self._judging, on_progress)
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
        """What all verdicts so far say of a hypothesis."""
        counts = self.verdicts[hypothesis.id]
        by_side = {"a": counts[Verdict.A], "b": counts[Verdict.B]}
        return TrainCounts(by_side[hypothesis.direction], by_side[other_side(hypothesis.direction)], counts.total())


def _note(plans: Mapping[Hypothesis, int], heldout: int, asked: int, full: int) -> str:
    """What was not judged, and what follows from it for the reader."""
    tested = sorted(planned for planned in plans.values() if planned)
    told = f"Judging stopped for a hypothesis once its fate was clear, which took {asked} of {full} questions. "
    if len(tested) < len(plans):
        told += (
            f"{len(plans) - len(tested)} of {len(plans)} judged hypotheses were not tested on held-out prompts, since "
            "train prompts gave no hope that these would confirm them. "
        )
    if tested:
        span = f"{tested[0]} to {tested[-1]}" if tested[0] < tested[-1] else f"{tested[0]}"
        whom = f"All {len(plans)}" if len(tested) == len(plans) else f"{len(tested)}"
        told += (
            f"{whom} were tested on {span} of the {heldout} held-out prompts, as many as train prompts alone planned. "
            "The false discovery rate is that of the hypotheses tested. "
        )
    return told + (
        "Train figures are no claims: they rest on the prompts judged until then. --judging full judges everything."
    )
