"""`ModelComparison`: both models' responses, with the methods and LLMs that find and test differences between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing.amplified import Amplified, AmplifiedAnswers, answer_amplified
from diffing.earlier_report import helper_models
from diffing.errors import SettingError
from diffing.methods.base import AmplifiedSearchMethod, MeasuringMethod, Method, SeededMethod, SharedReadingMethod
from diffing.models.base import Model
from diffing.pipeline.diff_options import DiffOptions
from diffing.responses import PromptResponses, respond
from diffing.types import ModelInfo, OnProgress, OnResponse, Pair, Prompt

DECLINED = "not taken by the server"
"""Value shown for a model's setting that was not sent, because the model's server declines it."""


@dataclass(frozen=True, slots=True)
class HelperModels:
    """What takes part in a comparison besides the two compared models."""

    methods: Sequence[Method]
    """The methods that propose hypotheses."""
    judge: Model | None = None
    """The LLM that gives the verdicts; None if every method measures."""
    second_judge: Model | None = None
    """Another LLM, which is asked a sample of the judge's questions."""
    raters: Sequence[Model] = ()
    """LLMs that rate the hypotheses."""
    amplified: Amplified | None = None
    """Both models with their differences amplified; None if hypotheses are looked for in their own answers only."""

    @property
    def infos(self) -> tuple[ModelInfo, ...]:
        """The LLMs and other models among them, for the report."""
        return helper_models(self.methods, self.judge, self.second_judge, self.raters)


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models' responses to all prompts, and everything that the later stages of a run need."""

    models: tuple[ModelInfo, ModelInfo]
    """Models A and B."""
    answered: PromptResponses
    """Their responses."""
    amplified: AmplifiedAnswers | None
    """Their amplified answers to the train prompts; None without."""
    helpers: HelperModels
    """Methods, judges and raters."""
    options: DiffOptions
    """The options of the run."""
    on_progress: OnProgress
    """Called with the progress of every stage."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every prompt with both responses."""
        return self.answered.pairs

    @property
    def train(self) -> list[Pair]:
        """The pairs from which hypotheses are formed."""
        return [pair for pair in self.pairs if pair.prompt.split == "train"]

    @property
    def heldout(self) -> list[Pair]:
        """The pairs on which hypotheses are tested."""
        return [pair for pair in self.pairs if pair.prompt.split == "heldout"]


def compared(
    models: tuple[Model, Model],
    prompts: Sequence[Prompt],
    helpers: HelperModels,
    options: DiffOptions,
    on_progress: OnProgress,
    on_response: OnResponse,
) -> ModelComparison:
    """Has both models answer all prompts.

    Raises:
        SettingError: A split has no prompts, or a method needs a judge and none is given.
        ModelError: A model cannot be used at all.
    """
    _check(prompts, helpers, options)
    samples = (options.sample_a, options.sample_b)
    # first, because two vocabularies that differ are to be refused before the models have answered everything
    amplified = (
        answer_amplified(helpers.amplified, prompts, options.sampling, samples, on_progress)
        if helpers.amplified
        else None
    )
    answered = respond(models, prompts, options.sampling, samples, on_progress, on_response)
    read_shares(helpers.methods, answered.pairs, on_progress)
    infos = (
        _info(models[0], "model_a", options, options.sample_a, answered.declined["a"]),
        _info(models[1], "model_b", options, options.sample_b, answered.declined["b"]),
    )
    return ModelComparison(infos, answered, amplified, helpers, options, on_progress)


def read_shares(methods: Sequence[Method], pairs: Sequence[Pair], on_progress: OnProgress) -> None:
    """Has the methods that read responses do so now, if several processes share that work.

    Args:
        methods: The methods of the run.
        pairs: All pairs.
        on_progress: Called with the progress of reading.
    """
    for method in methods:
        if isinstance(method, SharedReadingMethod):
            method.read_share(pairs, on_progress)


def _check(prompts: Sequence[Prompt], helpers: HelperModels, options: DiffOptions) -> None:
    """Refuses arguments that would fail, before anything is paid."""
    methods = helpers.methods
    if not methods:
        raise SettingError("No method was given: expected at least one, such as LexicalMethod()")
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise SettingError(f"A method was given twice among {', '.join(names)}: its verdicts would count twice")
    for split in ("train", "heldout"):
        if not any(prompt.split == split for prompt in prompts):
            raise SettingError(
                f"There are 0 {split} prompts among {len(prompts)}: expected at least 1. Give more prompts"
            )
    unmeasured = [method.name for method in methods if not isinstance(method, MeasuringMethod)]
    if unmeasured and helpers.judge is None:
        raise SettingError(f"Method {unmeasured[0]} needs a judge. Give a model that judges (--judge or --llm)")
    if helpers.amplified and not any(isinstance(method, AmplifiedSearchMethod) for method in methods):
        raise SettingError(
            f"No method of {', '.join(names)} reads amplified answers. Add LexicalMethod, or amplify nothing"
        )
    if options.stability > 1 and not any(isinstance(method, SeededMethod) for method in methods):
        raise SettingError(
            f"Stability is {options.stability}, but no method depends on the seed, so every repeat would give the "
            "same. Add LlmMethod, or leave stability at 1"
        )


def _info(model: Model, role: str, options: DiffOptions, sample: int, declined: Sequence[str]) -> ModelInfo:
    side = role[-1]
    own = {key[:-2]: value for key, value in options.settings.items() if key.endswith(f"_{side}") and value is not None}
    own.pop("model", None)
    not_sent = dict.fromkeys(declined, DECLINED)
    return ModelInfo(id=model.id, role=role, settings={**own, **not_sent, "sample": sample})
