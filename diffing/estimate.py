"""Estimates the calls, tokens, dollars and minutes of a run, stage by stage, before anything is paid.

The number of calls is exact if it follows from the settings. What is unknown before a run (the number of hypotheses,
the length of responses) is assumed, and the estimate lists its assumptions. No weights are loaded, no model is called.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, TypeAlias

from diffing.checks import check
from diffing.config import DiffConfig, Limits
from diffing.costs import (
    CHARACTERS_PER_TOKEN,
    SECONDS_PER_CALL,
    StageEstimate,
    expected,
    pair_tokens,
    response_tokens,
    tokens,
)
from diffing.early_stopping import FIRST_STAGE
from diffing.grouping.same_statements import COMPARED_AT_ONCE
from diffing.judge.scopes import PROMPTS
from diffing.methods.base import plans_of
from diffing.model_ref import is_recorded, is_remote
from diffing.prompt_selection.written import PER_QUESTION, SPARE
from diffing.ratings import RATED_AT_ONCE
from diffing.ratings import STAGES as RATE_STAGES
from diffing.stability import repeated
from diffing.stages import (
    CHECK_JUDGE,
    JUDGE,
    MERGE,
    RESPONSES,
    SCOPE,
    SECOND_JUDGE,
    WRITE_PROMPTS,
)
from diffing.templates import fence, render
from diffing.types import SIDES, Message, Prompt, Side, Stage

if TYPE_CHECKING:
    from diffing.models.local.weight_sizes import ModelSize

STAGED_SHARE = 0.55
"""Share of all judge calls that early stopping makes, on the typical mix of `python -m tests.benchmarks.statistics`."""
TEMPLATE_TOKENS = 580
"""Length of a question to the judge without the pair and the statements, in tokens."""
STATEMENT_TOKENS = 25
"""Assumed length of a hypothesis in a question to the judge, in tokens."""
VERDICT_TOKENS = 16
"""Length of one entry in a reply of the judge, in tokens: a verdict, or the conditions that a prompt meets."""
SCOPE_TOKENS = 500
"""Length of a question on conditions without the prompts, with some conditions of assumed length, in tokens."""
WRITTEN_LENGTH = 120
"""Assumed length of a prompt that an LLM writes, in characters."""
DATASET_LENGTH = 400
"""Assumed length of a prompt from a dataset that is not read for the estimate, in characters."""
MEASURED_SENTENCES = 20
"""Assumed number of measured hypotheses that are sentences and not phrases, as for the demo pair."""
RATING_TOKENS = 16
"""Length of one entry in a reply of a rater, in tokens."""
GROUPS_TOKENS = 60
"""Assumed length of a reply on which statements say the same, in tokens: a few groups."""
SizeOf: TypeAlias = Callable[[str], "ModelSize"]
LOCAL_FLOPS = {"cpu": 5e10, "cuda": 2e13}
"""Operations per second of batched generation on two CPU cores (measured) and a data-centre GPU (a low guess)."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """The estimate of a run: its stages, and the assumptions behind them."""

    stages: tuple[StageEstimate, ...]
    """The stages in the order of the run."""
    assumptions: tuple[str, ...]
    """The assumptions, in full sentences."""
    limits: tuple[str, ...]
    """One sentence for each hard limit that this run is expected to reach."""

    def as_dict(self) -> dict[str, object]:
        """The estimate as plain values, with totals."""
        return {**asdict(self), "total": asdict(self.total)}

    @property
    def total(self) -> StageEstimate:
        """The sums over all stages; dollars and minutes are None if those of any stage are unknown."""
        usd = [stage.usd for stage in self.stages]
        minutes = [stage.minutes for stage in self.stages]
        return StageEstimate(
            name=Stage("total", "Total", ""),
            model="",
            calls=sum(stage.calls for stage in self.stages),
            prompt_tokens=sum(stage.prompt_tokens for stage in self.stages),
            completion_tokens=sum(stage.completion_tokens for stage in self.stages),
            usd=None if None in usd else sum(value for value in usd if value is not None),
            minutes=None if None in minutes else sum(value for value in minutes if value is not None),
        )


def estimate(config: DiffConfig, limits: Limits, *, size_of: SizeOf | None = None, reads: bool = True) -> RunEstimate:
    """Estimates the calls, tokens, dollars and minutes of a run.

    Args:
        config: The run.
        limits: Hard limits that the run may reach.
        size_of: Looks up the size of a local model; None asks the Hub with the saved token, each time.
        reads: Whether to read datasets and recorded files for the number and length of their prompts. Pass False for
            files from strangers, which could be endless or crash the process.

    Raises:
        DiffingError: A setting, a recorded file or a prompt source cannot be used.
    """
    check(config, limits)
    assumed = not reads and _reads_datasets(config)
    answered, prompts = _prompts(config, assumed=assumed)
    stages = _prompt_writing_stages(config)
    stages += [_responses(config, getattr(config, f"model_{side}"), side, answered) for side in SIDES]
    plans = plans_of(config)
    for plan in plans:
        stages += plan.estimate(config, prompts)
    if any(plan.judged for plan in plans):
        stages += _judge_stages(config, prompts)
    stages += _rate_stages(config, prompts)
    stages += _repeats(config, stages)
    stages = [_timed(stage, size_of) for stage in stages]
    result = RunEstimate(tuple(stages), tuple(_assumptions(config, assumed=assumed)), ())
    return replace(result, limits=tuple(_reached(result.total, stages, limits)))


def _reads_datasets(config: DiffConfig) -> bool:
    """Whether the prompts of a run come from a dataset or file, rather than from the package or an LLM."""
    recorded = any(is_recorded(spec) for spec in (config.model_a, config.model_b))
    return not config.suspect and (recorded or (config.prompts or "bundled") != "bundled")


def _prompts(config: DiffConfig, *, assumed: bool) -> tuple[Sequence[Prompt], Sequence[Prompt]]:
    """The prompts that both models answer, and those that are compared (with a pool, the first of each split)."""
    from diffing.run_prompts import load_run_prompts, pool_sizes, recorded_of

    if config.suspect:
        written = _assumed(config.train, config.heldout, WRITTEN_LENGTH)
        return written, written
    if assumed:
        prompts = _assumed(*pool_sizes(config), DATASET_LENGTH)
    else:
        prompts = load_run_prompts(config, recorded_of(config))
    train = [prompt for prompt in prompts if prompt.split == "train"]
    heldout = [prompt for prompt in prompts if prompt.split == "heldout"][: config.heldout]
    answered = train if config.pool is not None and config.pool_by == "responses" else train[: config.train]
    return (*answered, *heldout), (*train[: config.train], *heldout)


def _assumed(train: int, heldout: int, length: int) -> tuple[Prompt, ...]:
    message = (Message("user", "x" * length),)
    return tuple(
        Prompt(str(i), message, "assumed", "train" if i < train else "heldout") for i in range(train + heldout)
    )


def _prompt_writing_stages(config: DiffConfig) -> list[StageEstimate]:
    if not config.suspect:
        return []
    calls = ceil((config.train + config.heldout) * SPARE / PER_QUESTION)
    written = calls * PER_QUESTION * WRITTEN_LENGTH // CHARACTERS_PER_TOKEN
    return [expected(config, WRITE_PROMPTS, config.llm or "", calls, calls * 500, written)]


def _responses(config: DiffConfig, spec: str, side: Side, prompts: Sequence[Prompt]) -> StageEstimate:
    read = sum(tokens(message.content) for prompt in prompts for message in prompt.messages)
    written = len(prompts) * response_tokens(config)
    stage = RESPONSES[side]
    if is_recorded(spec):
        return StageEstimate(stage, spec, len(prompts), 0, 0, 0.0, 0.0)
    if is_remote(spec):
        return expected(config, stage, spec, len(prompts), read, written)
    return StageEstimate(stage, spec, len(prompts), read, written, 0.0, None)


def _judge_stages(config: DiffConfig, prompts: Sequence[Prompt]) -> list[StageEstimate]:
    """The questions on scopes and verdicts, the checks of the judge, and the grouping of findings."""
    judge, pair = config.judge or config.llm or "", pair_tokens(config, prompts)
    questions, statements = _judged(config, prompts)
    read = questions * (pair + TEMPLATE_TOKENS) + statements * STATEMENT_TOKENS
    judging = expected(config, JUDGE, judge, questions, read, statements * VERDICT_TOKENS)
    return [*_scope_stages(config, prompts), judging, *_check_stages(config, judging), _merge_stage(config, prompts)]


def _hypotheses(config: DiffConfig, prompts: Sequence[Prompt], *, brought: bool) -> int:
    """The expected number of judged hypotheses with train verdicts from their method, or of those without."""
    plans = [plan for plan in plans_of(config) if plan.brings_verdicts(config) == brought]
    return sum(plan.hypotheses(config, prompts) for plan in plans)


def _judged(config: DiffConfig, prompts: Sequence[Prompt]) -> tuple[int, int]:
    """The expected numbers of questions to the judge, and of statements over all questions."""
    train, heldout = (sum(prompt.split == split for prompt in prompts) for split in ("train", "heldout"))
    known, others = (_hypotheses(config, prompts, brought=brought) for brought in (True, False))
    if config.judging == "full":
        known, others = 0, known + others
    share = STAGED_SHARE if config.judging == "thrift" and train > FIRST_STAGE else 1.0
    orders = 2 if config.both_orders else 1
    unknown = (train + heldout) * share
    questions = ceil(unknown * ceil(others / config.judge_batch)) + heldout * ceil(known / config.judge_batch)
    return questions * orders, ceil(unknown * others + heldout * known) * orders


def _scope_stages(config: DiffConfig, prompts: Sequence[Prompt]) -> list[StageEstimate]:
    """One question for several prompts, if hypotheses have conditions."""
    if not _hypotheses(config, prompts, brought=True):
        return []
    asked = [tokens(prompt.text) for prompt in prompts if config.judging == "full" or prompt.split == "heldout"]
    calls, judge = ceil(len(asked) / PROMPTS), config.judge or config.llm or ""
    return [expected(config, SCOPE, judge, calls, calls * SCOPE_TOKENS + sum(asked), len(asked) * VERDICT_TOKENS)]


def _check_stages(config: DiffConfig, judging: StageEstimate) -> list[StageEstimate]:
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


def _merge_stage(config: DiffConfig, prompts: Sequence[Prompt]) -> StageEstimate:
    """Two readings of the list of all sentences, which is split if it is long."""
    plans = plans_of(config)
    measured = sum(plan.measured(config, prompts) for plan in plans)
    statements = sum(plan.hypotheses(config, prompts) for plan in plans) + min(MEASURED_SENTENCES, measured)
    calls = 2 * ceil(statements / COMPARED_AT_ONCE)
    template = tokens(render("same_statements", count=statements, statements=fence("")))
    read = calls * template + 2 * statements * STATEMENT_TOKENS
    return expected(config, MERGE, config.judge or config.llm or "", calls, read, calls * GROUPS_TOKENS)


def _rate_stages(config: DiffConfig, prompts: Sequence[Prompt]) -> list[StageEstimate]:
    """Two ratings of every hypothesis by every rater, several in one reply."""
    plans = plans_of(config)
    rated = sum(plan.hypotheses(config, prompts) + plan.measured(config, prompts) for plan in plans)
    calls, written = ceil(rated / RATED_AT_ONCE), rated * RATING_TOKENS
    stages = []
    for rater in config.raters:
        for scale, stage in RATE_STAGES.items():
            template = tokens(render(scale, count=RATED_AT_ONCE, statements=fence("")))
            read = calls * template + rated * STATEMENT_TOKENS
            stages.append(expected(config, stage, rater, calls, read, written))
    return stages


def _repeats(config: DiffConfig, stages: Sequence[StageEstimate]) -> list[StageEstimate]:
    """The stages that are repeated with other seeds: of methods whose hypotheses are judged, and the judge's."""
    of_methods = {stage for plan in plans_of(config) if plan.judged for stage in plan.stages}
    times = config.stability - 1
    return [
        replace(
            stage,
            name=repeated(stage.name),
            calls=times * stage.calls,
            prompt_tokens=times * stage.prompt_tokens,
            completion_tokens=times * stage.completion_tokens,
            usd=None if stage.usd is None else times * stage.usd,
            minutes=None if stage.minutes is None else times * stage.minutes,
        )
        for stage in stages
        if times and stage.name in (*of_methods, SCOPE, JUDGE)
    ]


def _timed(stage: StageEstimate, size_of: SizeOf | None) -> StageEstimate:
    """Adds the minutes of a stage on this machine, at two operations per parameter and token, if the size is known."""
    if stage.minutes is not None or is_remote(stage.model):
        return stage
    from diffing.errors import DiffingError
    from diffing.models.local import memory

    try:
        size = (size_of or memory.size_of)(stage.model)
    except DiffingError:
        return stage
    flops = LOCAL_FLOPS["cuda" if memory.this_machine().gpu else "cpu"]
    return replace(stage, minutes=2 * size.parameters * (stage.prompt_tokens + stage.completion_tokens) / flops / 60)


def _assumptions(config: DiffConfig, *, assumed: bool) -> list[str]:
    sentences = []
    if assumed:
        sentences.append(
            f"The source holds as many prompts as requested, of {DATASET_LENGTH} characters each: they are not read "
            "before the run."
        )
    sentences.append(f"Responses that are not recorded have {response_tokens(config)} tokens.")
    plans = plans_of(config)
    sentences += [sentence for plan in plans for sentence in plan.assumptions(config)]
    if any(plan.judged for plan in plans):
        if config.judging == "thrift" and any(plan.judged and not plan.brings_verdicts(config) for plan in plans):
            sentences.append(
                f"Judging stops early for hypotheses whose outcome is clear. This takes {STAGED_SHARE:.0%} of all "
                "questions if four in five hypotheses are null or tiny, and more if more of them hold; --judging full "
                "asks all."
            )
        sentences.append("Replies that cannot be read are asked for again, which adds calls.")
    if any(is_remote(spec) for spec in (config.model_a, config.model_b, config.llm or "", config.judge or "")):
        sentences.append(f"A remote call takes {SECONDS_PER_CALL:.0f} seconds, with {config.concurrency} at a time.")
    return sentences


def _reached(total: StageEstimate, stages: Sequence[StageEstimate], limits: Limits) -> list[str]:
    remote_calls = sum(stage.calls for stage in stages if is_remote(stage.model))
    reached = []
    if limits.max_calls is not None and remote_calls > limits.max_calls:
        reached.append(f"--max-calls {limits.max_calls} would stop this run: about {remote_calls} calls are expected.")
    if limits.max_usd is not None and total.usd is not None and total.usd > limits.max_usd:
        reached.append(f"--max-usd {limits.max_usd:g} would stop this run: about ${total.usd:.2f} is expected.")
    return reached
