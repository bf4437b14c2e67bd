"""The rounds of an investigation: asks the LLM, has both models answer its prompts, and keeps what happened."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from diffing.methods.agent.notebook import ModelLetters, NotebookEntry
from diffing.methods.agent.probes import Probe, ProbedModels, usable
from diffing.methods.agent.round_question import SCHEMA, RoundReply, letters_of, question, read_reply
from diffing.methods.agent.stages import INVESTIGATE
from diffing.models.base import Model
from diffing.prompts import fold
from diffing.structured_replies import UnreadableReply, ask
from diffing.types import OnProgress, Usage, ignore_progress


@dataclass(frozen=True, slots=True)
class InvestigationRound:
    """What happened in one round."""

    number: int
    """Its number, from 1; the last one only concludes and asks no prompts."""
    reply: RoundReply | None
    """What the LLM returned; None if it could not be read."""
    probes: tuple[Probe, ...]
    """The prompts that both models answered in it."""
    refused: int
    """The number of prompts that were not asked: repetitions, prompts of the run, and too many of them."""
    unanswered: int
    """The number of prompts that one of the models could not answer."""


@dataclass(frozen=True, slots=True)
class Investigation:
    """A finished investigation."""

    rounds: tuple[InvestigationRound, ...]
    """Its rounds."""
    usage: tuple[Usage, ...]
    """The calls and tokens of the LLM, of A and of B."""
    letters: ModelLetters
    """What the models were called."""

    @property
    def probes(self) -> tuple[Probe, ...]:
        """All prompts that were asked, in order."""
        return tuple(probe for each in self.rounds for probe in each.probes)

    @property
    def notes(self) -> tuple[NotebookEntry, ...]:
        """The notebook at the end."""
        return next((each.reply.notes for each in reversed(self.rounds) if each.reply), ())


@dataclass(frozen=True, slots=True)
class Investigator:
    """Who asks what, and how much."""

    llm: Model
    """The LLM that investigates."""
    answering: ProbedModels
    """How both models answer."""
    rounds: int
    """The number of rounds with prompts."""
    probes: int
    """The largest number of prompts in one round."""
    seed: int
    """The seed of the letters."""

    def investigate(self, run_prompts: Collection[str], on_progress: OnProgress) -> Investigation:
        """Carries out all rounds.

        A reply that cannot be read after all attempts leaves the notebook as it is; the next round shows the same
        answers again.

        Args:
            run_prompts: The texts of all prompts of the run, which the investigation may not ask.
            on_progress: Called after every round and answer.

        Raises:
            ModelError: The LLM or a model cannot be used at all.
            LimitError: A hard limit of calls or dollars was reached.
        """
        letters, taken = letters_of(self.seed), {fold(text) for text in run_prompts}
        rounds: list[InvestigationRound] = []
        usage: list[Usage] = []
        notes: tuple[NotebookEntry, ...] = ()
        latest: tuple[Probe, ...] = ()
        probes: list[Probe] = []
        for number in range(1, self.rounds + 2):
            left = self.rounds + 1 - number
            reply, used = self._ask(
                question(notes, probes, latest, letters, left=left, count=self._most(left)), probes, letters
            )
            usage.append(used)
            asked, more = (
                self._answer(reply, number, probes, taken, on_progress)
                if left
                else (InvestigationRound(number, reply, (), 0, 0), [])
            )
            usage += more
            rounds.append(asked)
            notes = reply.notes if reply else notes
            latest = asked.probes if reply else latest
            probes += asked.probes
            on_progress(INVESTIGATE, number, self.rounds + 1)
        return Investigation(tuple(rounds), _summed(usage), letters)

    def _most(self, left: int) -> int:
        return self.probes if left else 0

    def _ask(self, text: str, probes: Sequence[Probe], letters: ModelLetters) -> tuple[RoundReply | None, Usage]:
        asked = ask(
            self.llm,
            [text],
            lambda value: read_reply(value, letters, len(probes)),
            stage=INVESTIGATE,
            schema=SCHEMA,
            on_progress=ignore_progress,
        )
        (reply,) = asked.replies
        return (None if isinstance(reply, UnreadableReply) else reply), asked.usage

    def _answer(
        self, reply: RoundReply | None, number: int, before: Sequence[Probe], taken: set[str], on_progress: OnProgress
    ) -> tuple[InvestigationRound, list[Usage]]:
        """Has both models answer the prompts of a reply; adds them to those that are taken."""
        requests = usable(reply.requests, taken, self.probes) if reply else []
        if not requests:
            return InvestigationRound(number, reply, (), len(reply.requests) if reply else 0, 0), []
        taken.update(fold(request.text) for request in requests)
        texts = [request.text for request in requests]
        answered, usage = self.answering.answer(texts, f"written by {self.llm.id}", on_progress)
        done = [(request, pairs) for request, pairs in zip(requests, answered, strict=True) if pairs]
        probes = tuple(
            Probe(len(before) + i, number, request, pairs) for i, (request, pairs) in enumerate(done, start=1)
        )
        refused = len(reply.requests) - len(requests) if reply else 0
        return InvestigationRound(number, reply, probes, refused, len(requests) - len(probes)), usage


def _summed(usage: Sequence[Usage]) -> tuple[Usage, ...]:
    """One usage per stage."""
    sums: dict[str, Usage] = {}
    for each in usage:
        one = sums.get(each.stage)
        sums[each.stage] = each if one is None else one.plus(each)
    return tuple(sums.values())
