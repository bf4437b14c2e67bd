"""The stages in which an LLM labels features and states hypotheses from them; each method has its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.stages import ListedStep
from diffing.types import Side, Stage


@dataclass(frozen=True, slots=True)
class LlmStages:
    """The stages of one method in which an LLM is asked about its features."""

    score_labels: Stage
    """Scores the labels that features already have."""
    label: Stage
    """Writes labels."""
    score_new_labels: Stage
    """Scores the labels that were written."""
    summarise: Mapping[Side, Stage]
    """States hypotheses from the features of one direction."""
    sift: Mapping[Side, Stage]
    """Selects from the hypotheses of several lists."""

    @property
    def labelling(self) -> tuple[Stage, ...]:
        """The stages of labelling, in order."""
        return self.score_labels, self.label, self.score_new_labels

    @property
    def summing_up(self) -> tuple[Stage, ...]:
        """The stages of stating hypotheses, in order."""
        return *self.summarise.values(), *self.sift.values()

    def steps(self, features: str) -> tuple[ListedStep, ListedStep]:
        """The steps of both for the progress page.

        Args:
            features: The features, such as `the features of adapters`.
        """
        named = "The LLM describes each feature that differs in words and checks how well the words fit."
        stated = "The LLM states hypotheses from the features that differ."
        return ListedStep(f"Naming {features}", named, self.labelling), ListedStep(
            f"Summing up {features}", stated, self.summing_up
        )


def llm_stages(method: str = "") -> LlmStages:
    """Names the stages.

    Args:
        method: What the keys of the stages begin with; empty for the SAE method, whose keys are in earlier reports.
    """
    start = f"{method} " if method else ""
    return LlmStages(
        score_labels=Stage(f"{start}score labels", "Label scores"),
        label=Stage(f"{start}label", "Labels"),
        score_new_labels=Stage(f"{start}score new labels", "New labels' scores"),
        summarise={
            "a": Stage(f"{start}summarise a", "Summaries of A"),
            "b": Stage(f"{start}summarise b", "Summaries of B"),
        },
        sift={"a": Stage(f"{start}sift a", "Sifting of A"), "b": Stage(f"{start}sift b", "Sifting of B")},
    )
