"""The main function `diff_models`: takes two models, prompts and methods, runs every stage and returns a report.

It does not depend on any backend, particular method or file. Resuming an interrupted run needs no code here, because
the models cache every completion.
"""

from collections.abc import Sequence

from diffing.diff_options import DiffOptions
from diffing.earlier_report import helper_models, still_holds
from diffing.errors import SettingError
from diffing.methods.base import MeasuringMethod, Method, SeededMethod, SharedReadingMethod
from diffing.models.base import Model
from diffing.responses import respond
from diffing.types import (
    ModelInfo,
    OnHypotheses,
    OnProgress,
    OnResponse,
    Pair,
    Prompt,
    Report,
    ignore_hypotheses,
    ignore_progress,
    ignore_response,
)

DECLINED = "not taken by the server"
"""Value shown for a model's setting that was not sent, because the model's server declines it."""


def diff_models(
    model_a: Model,
    model_b: Model,
    prompts: Sequence[Prompt],
    *,
    methods: Sequence[Method],
    judge: Model | None = None,
    second_judge: Model | None = None,
    raters: Sequence[Model] = (),
    options: DiffOptions | None = None,
    before: Report | None = None,
    on_progress: OnProgress = ignore_progress,
    on_hypotheses: OnHypotheses = ignore_hypotheses,
    on_response: OnResponse = ignore_response,
) -> Report:
    """Finds hypotheses on how two models behave differently on train prompts, and tests them on held-out prompts.

    Args:
        model_a: The first model.
        model_b: The second model; may be the first again, with another sample number.
        prompts: Train and held-out prompts.
        methods: Methods that propose hypotheses; each sees train pairs only.
        judge: The LLM that gives the verdicts; not needed if every method measures its hypotheses.
        second_judge: Another LLM, which is asked a sample of the judge's questions as a check of the first.
        raters: LLMs that rate interestingness and abstraction.
        options: Sampling, judging, prices.
        before: The report of an earlier run, which is returned if nothing that decides the result has changed since.
        on_progress: Called with the progress of every stage.
        on_hypotheses: Called with the hypotheses of each method before they are tested.
        on_response: Called with every response to a prompt as soon as it is there.

    Raises:
        SettingError: A split has no prompts, or a method needs a judge and none is given.
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    options = options or DiffOptions()
    _check(prompts, methods, judge, options)
    samples = (options.sample_a, options.sample_b)
    answered = respond((model_a, model_b), prompts, options.sampling, samples, on_progress, on_response)
    read_shares(methods, answered.pairs, on_progress)
    infos = (
        _info(model_a, "model_a", options, options.sample_a, answered.declined["a"]),
        _info(model_b, "model_b", options, options.sample_b, answered.declined["b"]),
    )
    others = helper_models(methods, judge, second_judge, raters)
    if before is not None and still_holds(before, answered, infos, others, options.stored_settings):
        return before
    from diffing.analysis import analyse

    helpers = (judge, second_judge, raters)
    return analyse(answered, infos, methods, *helpers, options, on_progress=on_progress, on_hypotheses=on_hypotheses)


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


def _check(prompts: Sequence[Prompt], methods: Sequence[Method], judge: Model | None, options: DiffOptions) -> None:
    """Refuses arguments that would fail, before anything is paid."""
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
    if unmeasured and judge is None:
        raise SettingError(f"Method {unmeasured[0]} needs a judge. Give a model that judges (--judge or --llm)")
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
