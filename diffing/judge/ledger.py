"""`Ledger`: asks the judge about one group of response pairs after another, and collects its replies and verdicts."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from diffing.early_stopping import TrainCounts
from diffing.judge.judge_questions import AnsweredQuestion, Judging, ask_judge, questions_about
from diffing.judge.judged_verdicts import JudgingResult, judged_from, verdict_without_question, verdicts_of
from diffing.judge.scopes import MetConditions, decide_scopes
from diffing.models.base import Model
from diffing.stages import JUDGE
from diffing.structured_replies import UnreadableReply
from diffing.types import Hypothesis, Judgement, OnProgress, Pair, Stage, Usage, Verdict, other_side


class Ledger:
    """Collects the questions, replies and verdicts of one or several rounds of judging."""

    def __init__(self, model: Model, judging: Judging, on_progress: OnProgress) -> None:
        self.usage = Usage(JUDGE, model.id, 0, 0, 0)
        """The calls and tokens of the verdicts."""
        self.scope_usage: Usage | None = None
        """The calls and tokens of deciding scopes; None as long as no hypothesis had one."""
        self.asked = 0
        """Number of questions, without those that were asked again because their replies could not be read."""
        self._answered: list[AnsweredQuestion] = []
        self._verdicts: list[Judgement] = []
        self._counts: dict[str, Counter[Verdict]] = defaultdict(Counter)
        self._model = model
        self._judging = judging
        self._on_progress = on_progress

    def ask(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair], most: int) -> None:
        """Asks about the next pairs: first which hypotheses' scopes the prompts are in, then for the verdicts.

        Args:
            hypotheses: The hypotheses that are still being judged.
            pairs: The next pairs.
            most: The largest number of pairs that may still be asked about, including these.
        """
        prompts = [pair.prompt for pair in pairs]
        scopes = decide_scopes(self._model, hypotheses, prompts, self._on_progress)
        if scopes.usage is not None:
            self.scope_usage = _sum(self.scope_usage, scopes.usage)
        inside = [[each for each in hypotheses if scopes.of(each, pair.prompt) is True] for pair in pairs]
        questions = questions_about(zip(pairs, inside, strict=True), self._judging)

        def on_progress(stage: Stage, done: int, total: int) -> None:
            if stage == JUDGE:
                done, total = self.asked + done, self.asked + total * most // len(pairs)
            self._on_progress(stage, done, total)

        answered, usage = ask_judge(self._model, questions, JUDGE, on_progress)
        self.asked += len(answered)
        self.usage = _sum(self.usage, usage)
        self._answered += answered
        self._keep(verdicts_of(self._model.id, answered, self._judging.both_orders))
        self._keep(self._without_question(hypotheses, pairs, scopes))

    def _without_question(
        self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair], scopes: MetConditions
    ) -> list[Judgement]:
        """The verdicts of hypotheses on prompts outside their scope, and on those of which that is not known."""
        made = []
        for hypothesis in hypotheses:
            for pair in pairs:
                met = scopes.of(hypothesis, pair.prompt)
                if met is not True:
                    why = met if isinstance(met, UnreadableReply) else None
                    made.append(verdict_without_question(self._model.id, hypothesis, pair.prompt.id, why))
        return made

    def _keep(self, verdicts: Sequence[Judgement]) -> None:
        self._verdicts += verdicts
        for judgement in verdicts:
            self._counts[judgement.hypothesis_id][judgement.verdict] += 1

    def seen(self, hypothesis: Hypothesis) -> TrainCounts:
        """Counts the verdicts on a hypothesis so far."""
        return counts_of(self._counts[hypothesis.id], hypothesis)

    def result(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> JudgingResult:
        """All verdicts so far, ordered by hypothesis and pair, and measurements of the judge."""
        return judged_from(
            self._answered, self._verdicts, self.usage, self.scope_usage, hypotheses, pairs, self._judging.both_orders
        )


def counts_of(verdicts: Counter[Verdict], hypothesis: Hypothesis) -> TrainCounts:
    """Counts verdicts for and against a hypothesis.

    Args:
        verdicts: The number of each verdict.
        hypothesis: The hypothesis that they are about.
    """
    by_side = {"a": verdicts[Verdict.A], "b": verdicts[Verdict.B]}
    own = hypothesis.direction
    return TrainCounts(by_side[own], by_side[other_side(own)], verdicts.total())


def _sum(one: Usage | None, two: Usage) -> Usage:
    if one is None:
        return two
    return replace(
        two,
        calls=one.calls + two.calls,
        prompt_tokens=one.prompt_tokens + two.prompt_tokens,
        completion_tokens=one.completion_tokens + two.completion_tokens,
        unreadable=one.unreadable + two.unreadable,
    )
