"""The main function `diff_models`: takes two models, prompts and methods, runs every stage and returns a report.

It does not depend on any backend, particular method or file. Resuming an interrupted run needs no code here, because
the models cache every completion.
"""

from collections.abc import Sequence
from dataclasses import replace

from diffing.amplified import Amplified
from diffing.earlier_report import still_holds
from diffing.methods.base import Method
from diffing.models.base import Model
from diffing.pipeline.diff_options import DiffOptions
from diffing.pipeline.model_comparison import HelperModels, compared, read_shares
from diffing.types import (
    OnHypotheses,
    OnProgress,
    OnResponse,
    Prompt,
    Report,
    ignore_hypotheses,
    ignore_progress,
    ignore_response,
)

__all__ = ["DiffOptions", "diff_models", "read_shares"]


def diff_models(
    model_a: Model,
    model_b: Model,
    prompts: Sequence[Prompt],
    *,
    methods: Sequence[Method],
    judge: Model | None = None,
    second_judge: Model | None = None,
    raters: Sequence[Model] = (),
    amplified: Amplified | None = None,
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
        amplified: Both models with their differences amplified, whose answers to the train prompts also suggest
            hypotheses; None to look at the models' own answers only.
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
    helpers = HelperModels(methods, judge, second_judge, raters, amplified)
    options = options or DiffOptions()
    if amplified:
        options = replace(options, settings={**options.stored_settings(), "amplify": amplified.alpha})
    run = compared((model_a, model_b), prompts, helpers, options, on_progress, on_response)
    stored = run.options.stored_settings()
    if before is not None and still_holds(before, run.answered, run.models, helpers.infos, stored):
        return before
    from diffing.pipeline.testing import tested

    return tested(run, on_hypotheses)
