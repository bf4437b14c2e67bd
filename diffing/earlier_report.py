"""Tells whether an earlier report is what a run would give, before anything is found and tested anew."""

from collections.abc import Mapping, Sequence

from diffing.methods.base import Method
from diffing.models.base import Model
from diffing.responses import PromptResponses
from diffing.types import ModelInfo, Report, Scalar
from diffing.versions import versions


def helper_models(
    methods: Sequence[Method], judge: Model | None, second_judge: Model | None, raters: Sequence[Model]
) -> tuple[ModelInfo, ...]:
    """The models that took part beside the two compared ones, with their roles."""
    method_models = [info for method in methods for info in method.models]
    judges = (("judge", judge), ("second judge", second_judge))
    judge_models = [ModelInfo(model.id, role) for role, model in judges if model is not None]
    return (*method_models, *judge_models, *(ModelInfo(rater.id, "rater") for rater in raters))


def still_holds(
    before: Report,
    answered: PromptResponses,
    models: tuple[ModelInfo, ModelInfo],
    others: tuple[ModelInfo, ...],
    settings: Mapping[str, Scalar],
) -> bool:
    """Whether an earlier report is what a run with these responses would give, so that it need not be computed again.

    A report in which an LLM took part is computed again, because an answer that failed may be there this time.

    Args:
        before: The earlier report.
        answered: The responses of this run.
        models: Models A and B.
        others: The other models.
        settings: The settings of this run.
    """
    measured = all(other.role == "reader" for other in others)
    same = (before.model_a, before.model_b) == models and before.others == others and before.settings == settings
    return (
        measured
        and same
        and before.versions == versions()
        and before.pairs == answered.pairs
        and not (answered.left_out)
    )
