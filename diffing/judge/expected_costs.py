"""The expected calls and tokens of the judge: its questions on scopes and verdicts, and the checks of its replies."""

from collections.abc import Sequence
from math import ceil

from diffing.costs import ResponseLengths, StageEstimate, expected, tokens
from diffing.early_stopping import FIRST_STAGE
from diffing.judge.scopes import PROMPTS
from diffing.methods.plan import plans_of
from diffing.run_settings import RunSettings
from diffing.stages import CHECK_JUDGE, JUDGE, SCOPE, SECOND_JUDGE
from diffing.templates import fence, render
from diffing.types import Prompt

STAGED_SHARE = 0.55
"""Share of all judge calls that early stopping makes, on the typical mix of `python -m tests.benchmarks.statistics`."""
TESTED_SHARE = 0.6
"""Share of the hypotheses with known train verdicts that are tested on held-out prompts, beyond those that only fill
up questions; the others are futile. Servers of rules gave .5 to 1 with 60 to 200 train prompts."""
STATEMENT_TOKENS = 25
"""Assumed length of a hypothesis in a question to the judge, in tokens."""
VERDICT_TOKENS = 12
"""Length of one entry in a reply of the judge, in tokens: a verdict, or the conditions that a prompt meets."""
CONDITION_TOKENS = 12
"""Assumed length of a condition in a question on scopes, in tokens."""
CONDITIONS_PER_HYPOTHESIS = 1 / 3
"""Assumed number of conditions per hypothesis."""


def expected_judging(config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
    """The stages of the judge.

    Args:
        config: The settings of the run.
        prompts: All prompts of the run.
        lengths: The lengths of the responses to them.
    """
    judge = config.judge or config.llm or ""
    empty = fence("")
    template = tokens(render("judge", count=0, statements=empty, prompt=empty, response_1=empty, response_2=empty))
    questions, statements = _judged(config, prompts)
    read = questions * (lengths.pair_tokens(prompts) + template) + statements * STATEMENT_TOKENS
    judging = expected(config, JUDGE, judge, questions, read, statements * VERDICT_TOKENS)
    return [*_scope_stages(config, prompts), judging, *_check_stages(config, judging)]


def _hypotheses(config: RunSettings, prompts: Sequence[Prompt], *, brought: bool) -> int:
    """The expected number of judged hypotheses with train verdicts from their method, or of those without."""
    plans = [plan for plan in plans_of(config) if plan.brings_verdicts(config) == brought]
    return sum(plan.hypotheses(config, prompts) for plan in plans)


def _judged(config: RunSettings, prompts: Sequence[Prompt]) -> tuple[int, int]:
    """The expected numbers of questions to the judge, and of statements over all questions."""
    train, heldout = (sum(prompt.split == split for prompt in prompts) for split in ("train", "heldout"))
    known, others = (float(_hypotheses(config, prompts, brought=brought)) for brought in (True, False))
    if config.judging == "full":
        known, others = 0.0, known + others
    ends_early = config.judging == "thrift" and train > FIRST_STAGE
    orders = 2 if config.both_orders else 1
    unknown = (train + heldout) * (STAGED_SHARE if ends_early else 1.0)
    # the number of hypotheses is only assumed, and what is left over takes half a question on average
    of_known = max(1.0, known * (TESTED_SHARE if ends_early else 1.0) / config.judge_batch + 0.5) if known else 0.0
    known = min(known, of_known * config.judge_batch)  # questions that are asked anyway are filled up
    questions = ceil(unknown * ceil(others / config.judge_batch)) + round(heldout * of_known)
    return questions * orders, ceil(unknown * others + heldout * known) * orders


def _scope_stages(config: RunSettings, prompts: Sequence[Prompt]) -> list[StageEstimate]:
    """One question for several prompts, if hypotheses have conditions."""
    hypotheses = _hypotheses(config, prompts, brought=True)
    if not hypotheses:
        return []
    template = tokens(render("scope", count=0, conditions=fence(""), prompts=[]))
    each = template + ceil(hypotheses * CONDITIONS_PER_HYPOTHESIS) * CONDITION_TOKENS
    asked = [tokens(prompt.text) for prompt in prompts if config.judging == "full" or prompt.split == "heldout"]
    calls, judge = ceil(len(asked) / PROMPTS), config.judge or config.llm or ""
    return [expected(config, SCOPE, judge, calls, calls * each + sum(asked), len(asked) * VERDICT_TOKENS)]


def _check_stages(config: RunSettings, judging: StageEstimate) -> list[StageEstimate]:
    """A sample of the judge's questions with the responses swapped, and the same sample for a second judge."""
    orders = 2 if config.both_orders else 1
    sample = min(config.check_judge, judging.calls // orders)
    calls = [] if config.both_orders or not sample else [(CHECK_JUDGE, judging.model, sample)]
    if config.second_judge:
        calls.append((SECOND_JUDGE, config.second_judge, sample * orders))
    each = max(1, judging.calls)
    return [
        expected(config, stage, model, n, n * judging.prompt_tokens // each, n * judging.completion_tokens // each)
        for stage, model, n in calls
    ]
