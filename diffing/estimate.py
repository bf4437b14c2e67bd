"""What a run will take, told before anything is paid: calls, tokens, dollars and minutes per stage.

Calls are exact where they follow from the settings; what is not known before the run (number of
hypotheses, length of responses) is assumed, and the assumption is told. Loads no weights and calls no model.
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
from diffing.methods.base import plans_of
from diffing.model_ref import is_recorded, is_remote
from diffing.prompt_selection.written import PER_QUESTION, SPARE
from diffing.stages import (
    CHECK_JUDGE,
    JUDGE,
    MERGE,
    RATE_ABSTRACTION,
    RATE_INTERESTINGNESS,
    RESPONSES,
    SECOND_JUDGE,
    WRITE_PROMPTS,
)
from diffing.types import SIDES, Message, Prompt, Side, Stage

if TYPE_CHECKING:
    from diffing.models.local.weight_sizes import ModelSize

THRIFT = 0.36
"""Share of the questions that judging in stages asks; on the typical mix of `python -m tests.benchmarks.statistics`."""
WRITTEN_LENGTH = 120
"""Characters of a prompt that an LLM writes."""
DATASET_LENGTH = 400
"""Characters of a prompt of a dataset that is not read."""
RATED = 60
"""Hypotheses assumed to be rated, of all methods together."""
SizeOf: TypeAlias = Callable[[str], "ModelSize"]
LOCAL_FLOPS = {"cpu": 5e10, "cuda": 2e13}
"""Operations a second that batched generation gets on two CPU cores (measured) and on a data-centre GPU (cautious)."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """All stages, with what was assumed."""

    stages: tuple[StageEstimate, ...]
    """In the order of the run."""
    assumptions: tuple[str, ...]
    """In plain sentences."""
    limits: tuple[str, ...]
    """Limits that this run would reach."""

    def as_dict(self) -> dict[str, object]:
        """Plain values, with totals."""
        return {**asdict(self), "total": asdict(self.total)}

    @property
    def total(self) -> StageEstimate:
        """Sums; unknown where one part is."""
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
    """Estimates a run.

    Args:
        config: The run.
        limits: Hard limits that it may reach.
        size_of: Looks up how big a local model is; None asks the Hub with the saved token, each time.
        reads: Whether datasets and recorded files are read for their numbers and lengths. A stranger's could be
            without end, or end this process.

    Raises:
        DiffingError: A setting, a recorded file or a prompt source that cannot be used.
    """
    check(config, limits)
    assumed = not reads and _reads_datasets(config)
    asked, prompts = _prompts(config, assumed=assumed)
    stages = _elicit_stages(config)
    stages += [_responses(config, getattr(config, f"model_{side}"), side, asked) for side in SIDES]
    plans = plans_of(config)
    for plan in plans:
        stages += plan.estimate(config, prompts)
    if any(plan.judged for plan in plans):
        stages += _judge_stages(config, prompts, sum(plan.hypotheses(config, prompts) for plan in plans))
    stages += _rate_stages(config)
    stages = [_timed(stage, size_of) for stage in stages]
    told = RunEstimate(tuple(stages), tuple(_assumptions(config, assumed=assumed)), ())
    return RunEstimate(told.stages, told.assumptions, tuple(_reached(told.total, stages, limits)))


def _reads_datasets(config: DiffConfig) -> bool:
    """Whether the prompts of a run come from elsewhere than the package."""
    recorded = any(is_recorded(spec) for spec in (config.model_a, config.model_b))
    return not config.suspect and (recorded or (config.prompts or "bundled") != "bundled")


def _prompts(config: DiffConfig, *, assumed: bool) -> tuple[Sequence[Prompt], Sequence[Prompt]]:
    """The prompts that both models answer, and those of them that are compared; of a pool the first of each split."""
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


def _elicit_stages(config: DiffConfig) -> list[StageEstimate]:
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


def _judge_stages(config: DiffConfig, prompts: Sequence[Prompt], hypotheses: int) -> list[StageEstimate]:
    """One judging per pair and batch of hypotheses, of which thrift leaves most out, then the checks of the judge."""
    train, pair = sum(prompt.split == "train" for prompt in prompts), pair_tokens(config, prompts)
    calls = len(prompts) * ceil(hypotheses / config.judge_batch) * (2 if config.both_orders else 1)
    if config.judging == "thrift" and train > FIRST_STAGE:
        calls = ceil(calls * THRIFT)
    judge = config.judge or config.llm or ""
    judging = expected(config, JUDGE, judge, calls, calls * (pair + 900), calls * 120)
    return [judging, *_check_stages(config, train, hypotheses, pair)]


def _check_stages(config: DiffConfig, train: int, hypotheses: int, pair: int) -> list[StageEstimate]:
    """Checks of the judge on a sample, in both orders; a second judge on the same; questions that merge findings."""
    judge, sample = config.judge or config.llm or "", min(config.check_judge, train)
    asked = [] if config.both_orders or not sample else [(CHECK_JUDGE, judge, 2 * sample)]
    if config.second_judge:
        asked.append((SECOND_JUDGE, config.second_judge, sample * (2 if config.both_orders else 1)))
    checks = [expected(config, stage, model, n, n * (pair + 900), n * 120) for stage, model, n in asked]
    return [*checks, expected(config, MERGE, judge, 2 * hypotheses, 2 * hypotheses * 450, 2 * hypotheses * 10)]


def _rate_stages(config: DiffConfig) -> list[StageEstimate]:
    """Two ratings per hypothesis and rater, of all methods' hypotheses."""
    return [
        expected(config, stage, rater, RATED, RATED * 500, RATED * 40)
        for rater in config.raters
        for stage in (RATE_INTERESTINGNESS, RATE_ABSTRACTION)
    ]


def _timed(stage: StageEstimate, size_of: SizeOf | None) -> StageEstimate:
    """Minutes of what runs on this machine: two operations a parameter and token; None where the size is not known."""
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
    told = [f"As many prompts as asked for, of {DATASET_LENGTH} characters: they are not read before the run."]
    told = told if assumed else []
    told += [f"Responses of {response_tokens(config)} tokens where they are not recorded."]
    plans = plans_of(config)
    told += [sentence for plan in plans for sentence in plan.assumptions(config)]
    if any(plan.judged for plan in plans):
        if config.judging == "thrift":
            told.append(
                f"Judging stops where a hypothesis's fate is clear, which takes {THRIFT:.0%} of all questions where "
                "four in five hypotheses are null or tiny, and more where more of them hold; --judging full takes all."
            )
        told.append("Replies that cannot be read are asked again, which adds calls.")
    if any(is_remote(spec) for spec in (config.model_a, config.model_b, config.llm or "", config.judge or "")):
        told.append(f"{SECONDS_PER_CALL:.0f} seconds per remote call, {config.concurrency} at a time.")
    return told


def _reached(total: StageEstimate, stages: Sequence[StageEstimate], limits: Limits) -> list[str]:
    remote_calls = sum(stage.calls for stage in stages if is_remote(stage.model))
    reached = []
    if limits.max_calls is not None and remote_calls > limits.max_calls:
        reached.append(f"--max-calls {limits.max_calls} would stop this run: about {remote_calls} calls are expected.")
    if limits.max_usd is not None and total.usd is not None and total.usd > limits.max_usd:
        reached.append(f"--max-usd {limits.max_usd:g} would stop this run: about ${total.usd:.2f} is expected.")
    return reached
