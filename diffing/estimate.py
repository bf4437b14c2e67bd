"""Estimates the calls, tokens, dollars and minutes of a run, stage by stage, before anything is paid.

The number of calls is exact if it follows from the settings. What is unknown before a run (the number of hypotheses,
the length of responses that are not recorded) is assumed, and the estimate lists its assumptions. No weights are
loaded, no model is called.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, TypeAlias

from diffing.checks import check
from diffing.config import DiffConfig, Limits
from diffing.costs import (
    CHARACTERS_PER_TOKEN,
    SECONDS_PER_CALL,
    ResponseLengths,
    StageEstimate,
    expected,
    response_tokens,
    tokens,
)
from diffing.early_stopping import FIRST_STAGE
from diffing.grouping.same_statements import COMPARED_AT_ONCE
from diffing.judge.expected_costs import STAGED_SHARE, STATEMENT_TOKENS, TESTED_SHARE, expected_judging
from diffing.methods.plan import plans_of
from diffing.model_ref import is_recorded, is_remote
from diffing.prompt_selection.written import PER_QUESTION, SPARE
from diffing.prompts.bundled_set import is_bundled
from diffing.ratings import RATED_AT_ONCE
from diffing.ratings import STAGES as RATE_STAGES
from diffing.stability import repeated
from diffing.stages import AMPLIFIED, JUDGE, MERGE, RESPONSES, SCOPE, WRITE_PROMPTS
from diffing.templates import fence, render
from diffing.types import SIDES, Message, Prompt, Side, Stage

if TYPE_CHECKING:
    from diffing.models import Model
    from diffing.models.local.weight_sizes import ModelSize

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
    from diffing.run_prompts import recorded_of

    check(config, limits)
    assumed = not reads and _reads_datasets(config)
    recorded = {} if assumed or config.suspect else recorded_of(config)
    answered, prompts = _prompts(config, recorded, assumed=assumed)
    lengths = ResponseLengths(response_tokens(config), _recorded_lengths(config, recorded, prompts))
    stages = _prompt_writing_stages(config)
    stages += [_responses(config, getattr(config, f"model_{side}"), side, answered) for side in SIDES]
    stages += _amplified(config, prompts)
    plans = plans_of(config)
    for plan in plans:
        stages += plan.estimate(config, prompts, lengths)
    if any(plan.judged for plan in plans):
        stages += [*expected_judging(config, prompts, lengths), _merge_stage(config, prompts)]
    stages += _rate_stages(config, prompts)
    stages += _repeats(config, stages)
    stages = [_timed(stage, size_of) for stage in stages]
    result = RunEstimate(tuple(stages), tuple(_assumptions(config, assumed=assumed)), ())
    return replace(result, limits=tuple(_reached(result.total, stages, limits)))


def _reads_datasets(config: DiffConfig) -> bool:
    """Whether the prompts of a run come from a dataset or file, rather than from the package or an LLM."""
    recorded = any(is_recorded(spec) for spec in (config.model_a, config.model_b))
    return not config.suspect and (recorded or not is_bundled(config.prompts or "bundled"))


def _prompts(
    config: DiffConfig, recorded: Mapping[Side, "Model"], *, assumed: bool
) -> tuple[Sequence[Prompt], Sequence[Prompt]]:
    """The prompts that both models answer, and those that are compared (with a pool, the first of each split)."""
    from diffing.run_prompts import load_run_prompts, pool_sizes

    if config.suspect:
        written = _assumed(config.train, config.heldout, WRITTEN_LENGTH)
        return written, written
    if assumed:
        prompts = _assumed(*pool_sizes(config), DATASET_LENGTH)
    else:
        prompts = load_run_prompts(config, list(recorded.values()))
    train = [prompt for prompt in prompts if prompt.split == "train"]
    heldout = [prompt for prompt in prompts if prompt.split == "heldout"][: config.heldout]
    answered = train if config.pool is not None and config.pool_by == "responses" else train[: config.train]
    return (*answered, *heldout), (*train[: config.train], *heldout)


def _recorded_lengths(
    config: DiffConfig, recorded: Mapping[Side, "Model"], prompts: Sequence[Prompt]
) -> dict[tuple[Side, str], int]:
    """The lengths of the recorded responses to the prompts that are compared.

    Raises:
        SettingError: A prompt has no recorded response.
    """
    conversations = [prompt.messages for prompt in prompts]
    samples = {"a": config.sample_a, "b": config.sample_b}
    answers = {
        side: model.generate(conversations, replace(config.sampling, sample=samples[side]))
        for side, model in recorded.items()
    }
    return {
        (side, prompt.id): tokens(completion.text)
        for side, completions in answers.items()
        for prompt, completion in zip(prompts, completions, strict=True)
    }


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


def _amplified(config: DiffConfig, prompts: Sequence[Prompt]) -> list[StageEstimate]:
    """The amplified answers to train prompts, whose tokens are read and written by both models."""
    train = [prompt for prompt in prompts if prompt.split == "train"]
    alone = [_responses(config, getattr(config, f"model_{side}"), side, [*train, *train]) for side in SIDES]
    made = [replace(each, name=AMPLIFIED[side], calls=len(train)) for side, each in zip(SIDES, alone, strict=True)]
    return made if config.amplify is not None else []


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
    which = "All responses" if assumed else "Responses that are not recorded"  # recorded ones are not read either then
    sentences.append(f"{which} have {response_tokens(config)} tokens.")
    plans = plans_of(config)
    sentences += [sentence for plan in plans for sentence in plan.assumptions(config)]
    if any(plan.judged for plan in plans):
        judged = [plan.brings_verdicts(config) for plan in plans if plan.judged]
        if config.judging == "thrift" and any(judged):
            sentences.append(
                f"With more than {FIRST_STAGE} train prompts, {TESTED_SHARE:.0%} of the hypotheses with train verdicts "
                "of their method look promising enough to be tested on held-out prompts."
            )
        if config.judging == "thrift" and not all(judged):
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
