"""The settings, checks, steps and cost estimate of the LLM method, before a run begins."""

from collections.abc import Sequence
from math import sqrt

from diffing.costs import ResponseLengths, StageEstimate, expected
from diffing.errors import SettingError
from diffing.methods.base import Method
from diffing.methods.llm.settings import LlmSettings
from diffing.methods.llm.stages import DESCRIBE, JOIN, PROPOSE, SHARPEN, STATE
from diffing.methods.plan import MethodPlan, MethodTools
from diffing.run_settings import RunSettings
from diffing.stages import ListedStep
from diffing.types import Prompt

MOST_HYPOTHESES = 60
"""Hypotheses assumed for many prompts; what the paper's runs gave at 1,000."""
HYPOTHESES_PER_ROOT = 1.5
"""Hypotheses assumed per square root of the number of train prompts: with more prompts, more and more of what is
described was described before. Readers of two real pairs stated 10 and 7 with 60 and 52 prompts (1.3 and 1.0 per root);
a server of rules with varied words gave 8 with 20, 14 to 22 with 60 and 28 with 170 (1.8, 1.8 to 2.8, 2.1); the paper's
runs gave 60 with 1,000 (1.9)."""
CLUSTERED_SHARE = 0.5
"""Share of these that clusters give: behaviours whose descriptions differ in their words are in none. The same server
gave 11 instead of 22 and 4 instead of 14."""


class LlmPlan(MethodPlan):
    """Descriptions of train pairs become hypotheses, which the judge tests."""

    name = "llm"
    title = "LLM"
    hint = (
        "An LLM describes differences and judges them. Finds what counting misses. Needs an LLM, whose provider bills "
        "you: about 330 calls for 450 prompts."
    )
    heading = "Described by the LLM"
    settings = LlmSettings
    stages = (DESCRIBE, PROPOSE, JOIN, SHARPEN, STATE)
    judged = True
    asks_llm = True
    reads_amplified = True

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

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """Two; judging comes after all methods."""
        describes = "The LLM describes how the two responses to each train prompt differ."
        proposes = (
            "What recurs becomes a hypothesis. Those that say the same are joined, and unclear ones are reworded."
        )
        states = "Descriptions that say the same become one hypothesis."
        clustering = config.of(LlmSettings).clustering
        found = {"propose": (PROPOSE, JOIN, SHARPEN), "paper": (STATE,)}.get(clustering, (STATE, JOIN, SHARPEN))
        return (
            ListedStep("Describing differences", describes, (DESCRIBE,)),
            ListedStep("Stating hypotheses", states if clustering == "paper" else proposes, found),
        )

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Calls and tokens from the sizes of the templates, of the prompts and of the responses."""
        from diffing.methods.llm.expected_costs import expected_stages

        train = [prompt for prompt in prompts if prompt.split == "train"]
        once = expected_stages(config, train, lengths, self._found_once(config, prompts))
        if config.amplify is None:
            return once
        return [
            expected(config, each.name, each.model, 2 * each.calls, 2 * each.prompt_tokens, 2 * each.completion_tokens)
            for each in once
        ]

    def hypotheses(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """As many from amplified answers as from the models' own."""
        return self._found_once(config, prompts) * (1 if config.amplify is None else 2)

    def _found_once(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """In proportion to the root of the train prompts, at most as in the paper's runs; as published, as there."""
        train = sum(prompt.split == "train" for prompt in prompts)
        if config.of(LlmSettings).clustering == "paper":
            return min(MOST_HYPOTHESES, train)
        return min(MOST_HYPOTHESES, round(_per_root(config) * sqrt(train)))

    def brings_verdicts(self, config: RunSettings) -> bool:
        """From the descriptions of differences, except with the papers' clustering as published."""
        return config.of(LlmSettings).clustering != "paper"

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """How many differences and hypotheses."""
        from diffing.methods.llm.expected_costs import DIFFERENCES_PER_PAIR

        if config.of(LlmSettings).clustering == "paper":
            return (f"{MOST_HYPOTHESES} hypotheses from the llm method; judging grows with their number.",)
        return (
            f"The LLM describes {DIFFERENCES_PER_PAIR:g} differences per train prompt, and finds as many hypotheses as "
            f"{_per_root(config):g} times the square root of the number of train prompts, at most {MOST_HYPOTHESES}, "
            "since fewer and fewer behaviours are new. Judging grows with their number.",
        )

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
        """The method, with the run's LLM."""
        from diffing.methods.llm import LlmMethod

        return LlmMethod(
            tools.helper(config.llm or ""),
            embedder=config.embedder,
            clustering=config.of(LlmSettings).clustering,
            seed=config.seed,
        )


def _per_root(config: RunSettings) -> float:
    """The hypotheses assumed per square root of the number of train prompts."""
    share = 1.0 if config.of(LlmSettings).clustering == "propose" else CLUSTERED_SHARE
    return HYPOTHESES_PER_ROOT * share


LLM = LlmPlan()
