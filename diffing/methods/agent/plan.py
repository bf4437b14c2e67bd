"""Describes method agent to a run before it begins: what it needs, its steps and expected costs, and builds it."""

from collections.abc import Sequence

from diffing.costs import CHARACTERS_PER_TOKEN, ResponseLengths, StageEstimate, expected, response_tokens, tokens
from diffing.errors import SettingError
from diffing.methods.agent.settings import AgentSettings
from diffing.methods.agent.stages import INVESTIGATE, PROBES
from diffing.methods.base import Method
from diffing.methods.plan import MethodPlan, MethodTools
from diffing.model_ref import is_recorded, is_remote
from diffing.run_settings import RunSettings
from diffing.stages import ListedStep
from diffing.types import SIDES, Prompt, Side

HYPOTHESES = 6
"""Hypotheses assumed to be left in the notebook."""
NOTEBOOK_TOKENS = 800
"""Tokens of a notebook with as many hypotheses, in a question and in a reply."""
PROMPT_TOKENS = 60
"""Tokens assumed for one prompt of the investigation, with its aim and reason."""


class AgentPlan(MethodPlan):
    """An LLM investigates both models; the judge tests what is left in its notebook."""

    name = "agent"
    title = "Agent"
    hint = (
        "An LLM writes prompts, sees both models' answers, and follows up what differs. Finds what no ready prompt "
        "brings up. Needs an LLM, whose provider bills you, and models that can answer new prompts."
    )
    heading = "Suspected by the agent"
    settings = AgentSettings
    stages = (INVESTIGATE, PROBES["a"], PROBES["b"])
    judged = True
    asks_llm = True

    def check(self, config: RunSettings) -> None:
        """Needs an LLM, and two models that can answer new prompts."""
        for name in (config.model_a, config.model_b):
            if is_recorded(name):
                raise SettingError(
                    "--method agent needs models that can answer new prompts; a recorded: model has only its own. Name "
                    "a model that runs, or use another method"
                )
        if not config.llm:
            raise SettingError("--method agent needs an LLM. Give --llm, for example --llm providers:Qwen/Qwen3-32B")

    def not_named(self, config: RunSettings) -> str:
        """The LLM."""
        return "" if config.llm else "Name the LLM that investigates and judges, such as Qwen/Qwen3-32B"

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """One; the prompts that test hypotheses are chosen, answered and judged after all methods."""
        says = "The LLM writes prompts, sees both models' answers, and tries to prove its own hypotheses wrong."
        return (ListedStep("Investigating", says, self.stages),)

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """The rounds of the LLM, and both models' answers to its prompts."""
        own = config.of(AgentSettings)
        asked, answers = own.rounds * own.probes, _answers(config)
        stages = [_investigating(config)]
        for side in SIDES:
            name: str = getattr(config, f"model_{side}")
            calls = asked * answers
            stages.append(_answering(config, side, name, calls))
        return stages

    def hypotheses(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """A few, however many prompts the run has."""
        return HYPOTHESES

    def brings_verdicts(self, config: RunSettings) -> bool:
        """Those of the notebook, on the prompts of the investigation."""
        return True

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """How many hypotheses, and what else is asked."""
        return (
            f"The agent ends with {HYPOTHESES} hypotheses. For each whose condition few held-out prompts meet, up to "
            "20 more prompts are written, answered by both models and judged.",
        )

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
        """The method, with the run's LLM and both models."""
        from diffing.methods.agent.investigation import Investigator
        from diffing.methods.agent.method import AgentMethod
        from diffing.methods.agent.probes import ProbedModels

        own = config.of(AgentSettings)
        samples = (config.sample_a, config.sample_b)
        answering = ProbedModels(tools.compared, config.sampling, samples, own.probe_samples)
        investigator = Investigator(tools.helper(config.llm or ""), answering, own.rounds, own.probes, config.seed)
        return AgentMethod(investigator, tuple(tools.heldout))


def _answers(config: RunSettings) -> int:
    return config.of(AgentSettings).probe_samples if config.temperature > 0 else 1


def _investigating(config: RunSettings) -> StageEstimate:
    """Each round shows the answers of the one before; the last one asks no prompts."""
    from diffing.methods.agent.round_question import ANSWERS_LENGTH, LONGEST_ANSWER
    from diffing.templates import fence, render

    own, empty = config.of(AgentSettings), fence("")
    template = tokens(
        render(
            "investigate",
            left=0,
            count=0,
            notebook=empty,
            earlier=empty,
            prompts=[],
            first=0,
            samples=1,
            answers_x=[],
            answers_y=[],
        )
    )
    each = min(response_tokens(config), LONGEST_ANSWER // CHARACTERS_PER_TOKEN)
    shown = min(ANSWERS_LENGTH // CHARACTERS_PER_TOKEN, 2 * _answers(config) * own.probes * each)
    read = (own.rounds + 1) * (template + NOTEBOOK_TOKENS) + own.rounds * (shown + own.probes * PROMPT_TOKENS)
    written = (own.rounds + 1) * NOTEBOOK_TOKENS + own.rounds * own.probes * PROMPT_TOKENS
    return expected(config, INVESTIGATE, config.llm or "", own.rounds + 1, read, written)


def _answering(config: RunSettings, side: Side, name: str, calls: int) -> StageEstimate:
    read, written = calls * PROMPT_TOKENS, calls * response_tokens(config)
    if is_remote(name):
        return expected(config, PROBES[side], name, calls, read, written)
    return StageEstimate(PROBES[side], name, calls, read, written, 0.0, None)


AGENT = AgentPlan()
