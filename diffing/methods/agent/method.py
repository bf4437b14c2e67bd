"""Method agent: an LLM investigates both models and states hypotheses, which the pipeline then tests."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from diffing.methods.agent.hypotheses import TESTED, ConcludedEntry, conclude, judgements_of
from diffing.methods.agent.investigation import Investigation, Investigator
from diffing.methods.agent.story import rows_of_notes, rows_of_probes, rows_of_story
from diffing.models.base import Model
from diffing.types import Discovery, ModelInfo, OnProgress, Pair, Prompt, ignore_progress


@dataclass(frozen=True, slots=True)
class AgentMethod:
    """Finds hypotheses by having an LLM investigate both models."""

    investigator: Investigator
    """Who asks what, and how much."""
    heldout: tuple[Prompt, ...]
    """The held-out prompts of the run, which the investigation may not ask."""

    @property
    def name(self) -> Literal["agent"]:
        """See `Method.name`."""
        return "agent"

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """See `Method.models`."""
        own = self.investigator
        settings = {"rounds": own.rounds, "probes": own.probes, "samples": own.answering.answers, "seed": own.seed}
        return (ModelInfo(own.llm.id, "investigator", settings),)

    @property
    def compared(self) -> tuple[Model, Model]:
        """See `ProbingMethod.compared`."""
        return self.investigator.answering.models

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Investigates both models, and returns what is left in the notebook.

        Raises:
            ModelError: The LLM or a model cannot be used at all.
            LimitError: A hard limit of calls or dollars was reached.
        """
        prompts = [*(pair.prompt for pair in pairs), *self.heldout]
        found = self.investigator.investigate([prompt.text for prompt in prompts], on_progress)
        probes = found.probes
        concluded = conclude(found.notes, len(probes))
        return Discovery(
            hypotheses=tuple(each.hypothesis for each in concluded if each.hypothesis),
            judgements=judgements_of(concluded, probes),
            tables={
                "story": rows_of_story(found, concluded),
                "probes": rows_of_probes(probes),
                "hypotheses": rows_of_notes(concluded),
            },
            left_out=_left_out(found, concluded),
            notes=(_note(found, concluded),),
            usage=found.usage,
            probes=tuple(probe.pairs[0] for probe in probes),
        )


def _left_out(found: Investigation, concluded: Sequence[ConcludedEntry]) -> dict[str, int]:
    """What was not followed up, by reason; reasons without a case are not named."""
    replies = [each.reply for each in found.rounds if each.reply]
    counts = Counter(
        {
            "rounds whose reply could not be read": len(found.rounds) - len(replies),
            "hypotheses and prompts of replies that could not be read": sum(each.unreadable for each in replies),
            "prompts that repeat others or were too many": sum(each.refused for each in found.rounds),
            "prompts that a model could not answer": sum(each.unanswered for each in found.rounds),
        }
    )
    counts.update(f"hypotheses: {each.outcome}" for each in concluded if each.outcome != TESTED)
    return {reason: count for reason, count in counts.items() if count}


def _note(found: Investigation, concluded: Sequence[ConcludedEntry]) -> str:
    """What happened, in one sentence."""
    asked, tested = len(found.probes), sum(each.outcome == TESTED for each in concluded)
    rounds = len({probe.round for probe in found.probes})
    return (
        f"The agent asked both models {asked} prompts in {rounds} rounds. Its last notebook has {len(concluded)} "
        f"hypotheses, of which {tested} had enough prompts for them to be tested. Its prompts are listed among the "
        "train prompts; no other method sees them."
    )
