"""The prompts of an investigation, and both models' answers to them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from diffing.methods.agent.stages import PROBES
from diffing.models.base import Model, Sampling
from diffing.prompts import fold
from diffing.types import SIDES, Completion, Message, OnProgress, Pair, Prompt, Response, Side, Usage

DOMAIN = "written by the agent"
"""The domain of the prompts of an investigation."""
SAMPLE_STRIDE = 1_000_003
"""Each further answer of a model to a prompt adds this to its sample number, so that the two models of a null
comparison, whose sample numbers are small, never share a sample."""


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A prompt that the LLM wants to have answered."""

    text: str
    """The prompt."""
    aim: int | None
    """The number of the hypothesis that it tests, from 1; None if it looks for new differences."""
    why: str
    """Why it is asked, in the LLM's words."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A prompt of the investigation that both models answered."""

    number: int
    """Its number in the investigation, from 1."""
    round: int
    """The round in which it was asked, from 1."""
    request: ProbeRequest
    """What the LLM wanted."""
    pairs: tuple[Pair, ...]
    """Both models' answers, one pair for each sample; the first one is kept in the report."""

    @property
    def prompt(self) -> Prompt:
        """The prompt."""
        return self.pairs[0].prompt


@dataclass(frozen=True, slots=True)
class ProbedModels:
    """How both models answer the prompts of an investigation."""

    models: tuple[Model, Model]
    """Models A and B, with their system prompts."""
    sampling: Sampling
    """The sampling parameters of the run."""
    samples: tuple[int, int]
    """The sample numbers of A and of B in the run."""
    repeats: int
    """How many answers each model gives to each prompt; at temperature 0 all would be equal, so it gives one."""

    @property
    def answers(self) -> int:
        """How many answers each model really gives to each prompt."""
        return self.repeats if self.sampling.temperature > 0 else 1

    def answer(
        self, texts: Sequence[str], source: str, on_progress: OnProgress
    ) -> tuple[list[tuple[Pair, ...] | None], list[Usage]]:
        """Has both models answer prompts.

        Args:
            texts: The prompts.
            source: The origin of the prompts, for the report.
            on_progress: Called after every answer.

        Returns:
            For each prompt its pairs, one per sample, or None if a model could not answer it; and the usage.

        Raises:
            ModelError: A model cannot be used at all.
            LimitError: A hard limit of calls or dollars was reached.
        """
        prompts = [_prompt(text, source) for text in texts]
        by_side = {
            side: [self._completions(side, sample, prompts, on_progress) for sample in range(self.answers)]
            for side in SIDES
        }
        usage = [
            _usage(side, self._model(side).id, [each for sample in answered for each in sample])
            for side, answered in by_side.items()
        ]
        return [self._pairs(prompt, i, by_side) for i, prompt in enumerate(prompts)], usage

    def _model(self, side: Side) -> Model:
        return self.models[SIDES.index(side)]

    def _sample(self, side: Side, sample: int) -> int:
        return self.samples[SIDES.index(side)] + sample * SAMPLE_STRIDE

    def _completions(
        self, side: Side, sample: int, prompts: Sequence[Prompt], on_progress: OnProgress
    ) -> list[Completion]:
        done, total = sample * len(prompts), self.answers * len(prompts)

        def count(index: int, completion: Completion) -> None:
            nonlocal done
            done += 1
            on_progress(PROBES[side], done, total)

        sampling = replace(self.sampling, sample=self._sample(side, sample))
        conversations = [prompt.messages for prompt in prompts]
        return self._model(side).generate(conversations, sampling, on_completion=count)

    def _pairs(
        self, prompt: Prompt, place: int, by_side: dict[Side, list[list[Completion]]]
    ) -> tuple[Pair, ...] | None:
        pairs = []
        for sample in range(self.answers):
            one, two = (by_side[side][sample][place] for side in SIDES)
            if any(each.finish in ("rejected", "error") for each in (one, two)):
                return None
            pairs.append(
                Pair(prompt, self._response("a", sample, prompt, one), self._response("b", sample, prompt, two))
            )
        return tuple(pairs)

    def _response(self, side: Side, sample: int, prompt: Prompt, completion: Completion) -> Response:
        return Response.of(prompt, self._model(side).id, completion, self._sample(side, sample))


def usable(requests: Sequence[ProbeRequest], taken: Collection[str], most: int) -> list[ProbeRequest]:
    """The prompts that may be asked: at most a number of them, and none whose folded text is taken.

    Args:
        requests: What the LLM wants.
        taken: The folded texts of earlier prompts of the investigation, and of all prompts of the run.
        most: The largest number of prompts.
    """
    chosen: dict[str, ProbeRequest] = {}
    for request in requests:
        key = fold(request.text)
        if key not in taken:
            chosen.setdefault(key, request)
    return list(chosen.values())[:most]


def _prompt(text: str, source: str) -> Prompt:
    id_ = f"agent-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"
    return Prompt(id_, (Message("user", text),), source, "train", DOMAIN)


def _usage(side: Side, model: str, completions: Sequence[Completion]) -> Usage:
    return Usage(
        PROBES[side],
        model,
        len(completions),
        sum(each.prompt_tokens or 0 for each in completions),
        sum(each.completion_tokens or 0 for each in completions),
    )
