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
from diffing.elicit.write import PER_QUESTION, SPARE
from diffing.model_ref import is_recorded, is_remote
from diffing.models.base import Price
from diffing.thrift import FIRST_STAGE
from diffing.types import Message, Prompt

if TYPE_CHECKING:
    from diffing.models.local.sizes import ModelSize

HYPOTHESES = 60
"""Hypotheses assumed of the LLM method; what the paper's runs gave at 1,000 prompts."""
CLUSTERS_PER_HYPOTHESIS = 1.5
"""Clusters stated per hypothesis kept: some are left out as balanced, mirrored or unreadable."""
THRIFT = 0.36
"""Share of the questions that judging in stages asks; on the typical mix of `python -m tests.benchmarks.statistics`."""
RESPONSE_TOKENS = 350
"""Tokens of a response where nothing is known; a usual chat answer."""
CHARACTERS_PER_TOKEN = 4
"""English text in usual vocabularies."""
LABEL_CALLS = 21
"""10 to score the published label, 1 to label anew, 10 to score that."""
SUMMARY_AT_ONCE = 50
"""Features that one summary takes."""
WRITTEN_LENGTH = 120
"""Characters of a prompt that an LLM writes."""
DATASET_LENGTH = 400
"""Characters of a prompt of a dataset that is not read."""
SECONDS_PER_CALL = 6.0
"""One answer of a remote model: a usual time, server and length decide."""
SizeOf: TypeAlias = Callable[[str], "ModelSize"]
LOCAL_FLOPS = {"cpu": 5e10, "cuda": 2e13}
"""Operations a second that batched generation gets on two CPU cores (measured) and on a data-centre GPU (cautious)."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run."""

    name: str
    """As in the report's usage."""
    model: str
    """Who is asked."""
    calls: int
    """Completions."""
    prompt_tokens: int
    """Tokens read."""
    completion_tokens: int
    """Tokens written, at the assumed lengths."""
    usd: float | None
    """Dollars; None where no price is known, 0 where nothing is paid."""
    minutes: float | None
    """None where nothing is known of the speed."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """All stages, with what was assumed."""

    stages: tuple[Stage, ...]
    """In the order of the run."""
    assumptions: tuple[str, ...]
    """In plain sentences."""
    limits: tuple[str, ...]
    """Limits that this run would reach."""

    def as_dict(self) -> dict[str, object]:
        """Plain values, with totals."""
        return {**asdict(self), "total": asdict(self.total)}

    @property
    def total(self) -> Stage:
        """Sums; unknown where one part is."""
        usd = [stage.usd for stage in self.stages]
        minutes = [stage.minutes for stage in self.stages]
        return Stage(
            name="total",
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
    stages += [_responses(config, spec, side, asked) for side, spec in (("a", config.model_a), ("b", config.model_b))]
    if "sae" in config.methods:
        stages += _sae_stages(config, prompts)
    if "llm" in config.methods:
        stages += _llm_stages(config, prompts)
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


def _elicit_stages(config: DiffConfig) -> list[Stage]:
    if not config.suspect:
        return []
    calls = ceil((config.train + config.heldout) * SPARE / PER_QUESTION)
    written = calls * PER_QUESTION * WRITTEN_LENGTH // CHARACTERS_PER_TOKEN
    return [_remote(config, "write prompts", config.llm or "", calls, calls * 500, written)]


def _responses(config: DiffConfig, spec: str, side: str, prompts: Sequence[Prompt]) -> Stage:
    read = sum(_tokens(message.content) for prompt in prompts for message in prompt.messages)
    written = len(prompts) * min(RESPONSE_TOKENS, config.max_new_tokens)
    name = f"responses {side}"
    if is_recorded(spec):
        return Stage(name, spec, len(prompts), 0, 0, 0.0, 0.0)
    if is_remote(spec):
        return _remote(config, name, spec, len(prompts), read, written)
    return Stage(name, spec, len(prompts), read, written, 0.0, None)


def _sae_stages(config: DiffConfig, prompts: Sequence[Prompt]) -> list[Stage]:
    """The reader reads both responses of every pair; an LLM scores, labels and scores again, 21 calls a feature."""
    from diffing.methods.sae.presets import PRESETS

    preset = PRESETS.get(config.reader or "")
    reader = preset.reader if preset else config.reader or config.sae or ""
    texts = 2 * len(prompts)
    tokens = texts * min(RESPONSE_TOKENS, config.max_new_tokens) + 2 * sum(_tokens(each.text) for each in prompts)
    stages = [Stage("read", reader, texts, tokens, 0, 0.0, None)]
    if config.llm:
        labels = LABEL_CALLS * config.features_followed
        summaries = 1 if config.features_followed <= SUMMARY_AT_ONCE else ceil(config.features_followed / 200) + 1
        stages.append(_remote(config, "label", config.llm, labels, labels * 900, labels * 40))
        stages.append(_remote(config, "summarise", config.llm, summaries, summaries * 6000, summaries * 2000))
    return stages


def _llm_stages(config: DiffConfig, prompts: Sequence[Prompt]) -> list[Stage]:
    """What the llm method and the judge will ask.

    One description per train pair, one statement per cluster, one judging per pair and batch of hypotheses, of which
    thrift leaves most out. Tokens from the lengths of prompts and of assumed responses, plus our templates.
    """
    train = sum(prompt.split == "train" for prompt in prompts)
    pair = 2 * min(RESPONSE_TOKENS, config.max_new_tokens) + _mean([_tokens(prompt.text) for prompt in prompts])
    hypotheses = min(HYPOTHESES, train)
    batches = ceil(hypotheses / config.judge_batch) * (2 if config.both_orders else 1)
    judge_calls = len(prompts) * batches
    if config.judging == "thrift" and train > FIRST_STAGE:
        judge_calls = ceil(judge_calls * THRIFT)
    states = round(hypotheses * CLUSTERS_PER_HYPOTHESIS)
    differ, judge = config.llm or "", config.judge or config.llm or ""
    stages = [
        _remote(config, "describe", differ, train, train * (pair + 900), train * 600),
        _remote(config, "state", differ, states, states * 1500, states * 80),
        _remote(config, "judge", judge, judge_calls, judge_calls * (pair + 900), judge_calls * 120),
    ]
    stages += _check_stages(config, train, hypotheses, pair)
    return stages


def _check_stages(config: DiffConfig, train: int, hypotheses: int, pair: int) -> list[Stage]:
    """Checks of the judge on a sample, in both orders; a second judge on the same; questions that merge findings."""
    judge, sample = config.judge or config.llm or "", min(config.check_judge, train)
    asked = [] if config.both_orders or not sample else [("check judge", judge, 2 * sample)]
    if config.second_judge:
        asked.append(("second judge", config.second_judge, sample * (2 if config.both_orders else 1)))
    checks = [_remote(config, name, model, n, n * (pair + 900), n * 120) for name, model, n in asked]
    return [*checks, _remote(config, "merge", judge, 2 * hypotheses, 2 * hypotheses * 450, 2 * hypotheses * 10)]


def _rate_stages(config: DiffConfig) -> list[Stage]:
    """Two ratings per hypothesis and rater, of all methods' hypotheses."""
    calls = 2 * HYPOTHESES
    return [_remote(config, "rate", rater, calls, calls * 500, calls * 40) for rater in config.raters]


def _remote(config: DiffConfig, name: str, model: str, calls: int, read: int, written: int) -> Stage:
    price: Price | None = config.price
    if not is_remote(model):
        return Stage(name, model, calls, read, written, 0.0, None)
    minutes = calls * SECONDS_PER_CALL / config.concurrency / 60
    return Stage(name, model, calls, read, written, price.of(read, written) if price else None, minutes)


def _timed(stage: Stage, size_of: SizeOf | None) -> Stage:
    """Minutes of what runs on this machine: two operations a parameter and token; None where the size is not known."""
    if stage.minutes is not None or is_remote(stage.model):
        return stage
    from diffing.errors import DiffingError
    from diffing.models.local import fitting

    try:
        size = (size_of or fitting.size_of)(stage.model)
    except DiffingError:
        return stage
    flops = LOCAL_FLOPS["cuda" if fitting.this_machine().gpu else "cpu"]
    return replace(stage, minutes=2 * size.parameters * (stage.prompt_tokens + stage.completion_tokens) / flops / 60)


def _assumptions(config: DiffConfig, *, assumed: bool) -> list[str]:
    told = [f"As many prompts as asked for, of {DATASET_LENGTH} characters: they are not read before the run."]
    told = told if assumed else []
    told += [f"Responses of {min(RESPONSE_TOKENS, config.max_new_tokens)} tokens where they are not recorded."]
    if "llm" in config.methods:
        told.append(f"{HYPOTHESES} hypotheses from the llm method; judging grows with their number.")
        if config.judging == "thrift":
            told.append(
                f"Judging stops where a hypothesis's fate is clear, which takes {THRIFT:.0%} of all questions where "
                "four in five hypotheses are null or tiny, and more where more of them hold; --judging full takes all."
            )
        told.append("Replies that cannot be read are asked again, which adds calls.")
    if any(is_remote(spec) for spec in (config.model_a, config.model_b, config.llm or "", config.judge or "")):
        told.append(f"{SECONDS_PER_CALL:.0f} seconds per remote call, {config.concurrency} at a time.")
    return told


def _reached(total: Stage, stages: Sequence[Stage], limits: Limits) -> list[str]:
    remote_calls = sum(stage.calls for stage in stages if is_remote(stage.model))
    reached = []
    if limits.max_calls is not None and remote_calls > limits.max_calls:
        reached.append(f"--max-calls {limits.max_calls} would stop this run: about {remote_calls} calls are expected.")
    if limits.max_usd is not None and total.usd is not None and total.usd > limits.max_usd:
        reached.append(f"--max-usd {limits.max_usd:g} would stop this run: about ${total.usd:.2f} is expected.")
    return reached


def _tokens(text: str) -> int:
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / len(values)) if values else 0
