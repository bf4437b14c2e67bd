"""Method llm as a run knows it before it begins."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic.dataclasses import dataclass as validated

from diffing.costs import StageEstimate, expected, pair_tokens
from diffing.errors import SettingError
from diffing.methods.base import Method, MethodPlan, Tools
from diffing.methods.llm.stages import DESCRIBE, STATE
from diffing.run_settings import RunSettings
from diffing.settings import Setting, Settings
from diffing.stages import Step
from diffing.types import Prompt

HYPOTHESES = 60
"""Hypotheses assumed; what the paper's runs gave at 1,000 prompts."""
CLUSTERS_PER_HYPOTHESIS = 1.5
"""Clusters stated per hypothesis kept: some are left out as balanced, mirrored or unreadable."""


@validated(frozen=True)
class LlmSettings(Settings):
    """The settings that only method llm has."""

    clustering: Annotated[Literal["auto", "average", "paper"], Setting("Methods and LLMs")] = "auto"
    """llm: how differences are clustered: auto, or paper for PCA, UMAP and HDBSCAN as published."""


class LlmPlan(MethodPlan):
    """One description per train pair and one statement per cluster; the judge tests what was stated."""

    name = "llm"
    title = "LLM"
    hint = "Another model describes how responses differ, and judges. Finds what nobody counts."
    heading = "Described by the LLM"
    settings = LlmSettings
    stages = (DESCRIBE, STATE)
    judged = True
    asks_llm = True

    def runs_unasked(self, config: RunSettings) -> bool:
        """If an LLM is named."""
        return bool(config.llm)

    def check(self, config: RunSettings) -> None:
        """Needs an LLM."""
        if not config.llm:
            raise SettingError("--method llm needs an LLM. Give --llm, for example --llm providers:Qwen/Qwen3-32B")

    def not_named(self, config: RunSettings) -> str:
        """The LLM."""
        return "" if config.llm else "Name the LLM that describes and judges, such as Qwen/Qwen3-32B"

    def steps(self, config: RunSettings) -> tuple[Step, ...]:
        """Two; judging comes after all methods."""
        says = "The LLM describes how the two responses to each train prompt differ."
        return (
            Step("Describing differences", says, (DESCRIBE,)),
            Step("Stating hypotheses", "Descriptions that say the same become one hypothesis.", (STATE,)),
        )

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt]) -> list[StageEstimate]:
        """Tokens from the lengths of the prompts and of assumed responses, plus our templates."""
        train, pair = sum(prompt.split == "train" for prompt in prompts), pair_tokens(config, prompts)
        states, llm = round(self.hypotheses(config, prompts) * CLUSTERS_PER_HYPOTHESIS), config.llm or ""
        return [
            expected(config, DESCRIBE, llm, train, train * (pair + 900), train * 600),
            expected(config, STATE, llm, states, states * 2700, states * 90),
        ]

    def hypotheses(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """As in the paper's runs, and at most one per train prompt."""
        return min(HYPOTHESES, sum(prompt.split == "train" for prompt in prompts))

    def brings_verdicts(self, config: RunSettings) -> bool:
        """From the descriptions of differences, except with the papers' clustering as published."""
        return config.of(LlmSettings).clustering != "paper"

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """How many hypotheses."""
        return (f"{HYPOTHESES} hypotheses from the llm method; judging grows with their number.",)

    def build(self, config: RunSettings, tools: Tools) -> Method:
        """The method, with the run's LLM."""
        from diffing.methods.llm import LlmMethod

        return LlmMethod(
            tools.helper(config.llm or ""),
            embedder=config.embedder,
            clustering=config.of(LlmSettings).clustering,
            seed=config.seed,
        )


LLM = LlmPlan()
