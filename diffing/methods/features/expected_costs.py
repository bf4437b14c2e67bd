"""Estimates calls and tokens of an LLM that labels features and states hypotheses from them."""

from math import ceil

from diffing.costs import StageEstimate, expected
from diffing.methods.features.labelling import SCORED
from diffing.methods.features.stages import LlmStages
from diffing.methods.features.summarise import IN_A_BATCH, IN_ONE_CALL
from diffing.run_settings import RunSettings
from diffing.types import SIDES


def expected_labelling(config: RunSettings, llm: str, features: int, stages: LlmStages) -> list[StageEstimate]:
    """Estimates 21 calls per feature to label it and score the labels, and those that state hypotheses.

    Args:
        config: The run.
        llm: The LLM's model string.
        features: The number of features that are followed up.
        stages: The method's names of the stages.
    """
    estimates = []
    for stage, calls in ((stages.score_labels, SCORED), (stages.label, 1), (stages.score_new_labels, SCORED)):
        questions = calls * features
        estimates.append(expected(config, stage, llm, questions, questions * 900, questions * 40))
    half = ceil(features / 2)
    groups = 1 if half <= IN_ONE_CALL else ceil(half / IN_A_BATCH)
    for side in SIDES:
        summaries = ((stages.summarise[side], groups), (stages.sift[side], int(groups > 1)))
        estimates += [
            expected(config, stage, llm, calls, calls * 6000, calls * 2000) for stage, calls in summaries if calls
        ]
    return estimates
