"""Has both models answer the same prompts and returns the pairs of responses, with notes on how they came about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from diffing.errors import ModelError
from diffing.models.base import Model, Sampling
from diffing.models.server_notes import ServerNotes
from diffing.models.thinking import unknown_thinking
from diffing.stages import RESPONSES, TOKENS
from diffing.types import (
    SIDES,
    Completion,
    OnProgress,
    OnResponse,
    Pair,
    Prompt,
    Response,
    Side,
    Stage,
    Usage,
    ignore_response,
)


@dataclass(frozen=True, slots=True)
class PromptResponses:
    """The pairs of responses to the prompts, and notes on how the responses came about."""

    pairs: tuple[Pair, ...]
    """Every prompt that both models answered, in the order of the prompts."""
    usage: tuple[Usage, ...]
    """The calls and tokens of each side."""
    left_out: Mapping[str, int]
    """The number of prompts without a pair, by reason."""
    notes: tuple[str, ...]
    """Full sentences on which model answered, and on cut, refused and identical responses."""
    declined: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)
    """The settings that each side's server did not accept."""


def respond(
    models: tuple[Model, Model],
    prompts: Sequence[Prompt],
    sampling: Sampling,
    samples: tuple[int, int],
    on_progress: OnProgress,
    on_response: OnResponse = ignore_response,
) -> PromptResponses:
    """Has both models answer every prompt. A prompt that one of them could not answer is left out and counted.

    Args:
        models: Models A and B.
        prompts: The prompts.
        sampling: The sampling parameters of the responses.
        samples: The sample numbers of A and of B.
        on_progress: Called with the stages `responses a|b` and `tokens a|b`.
        on_response: Called with every response as soon as it is there.

    Raises:
        ModelError: A split has no pair left, or a model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    answers_a, answers_b = (
        answer(model, prompts, replace(sampling, sample=sample), RESPONSES[side], on_progress, on_response)
        for model, sample, side in zip(models, samples, SIDES, strict=True)
    )
    pairs, reasons = _paired(models, prompts, answers_a, answers_b, samples)
    for split in ("train", "heldout"):
        if not any(pair.prompt.split == split for pair in pairs):
            raise ModelError(f"No {split} prompt was answered by both models. The first reason: {reasons[0]}")
    servers: Mapping[Side, ServerNotes] = {"a": ServerNotes(answers_a), "b": ServerNotes(answers_b)}
    notes = (cut_note(pairs), *_notes_on_servers(servers), *_remarks(pairs, reasons), *_notes_on_thinking(pairs))
    return PromptResponses(
        pairs=tuple(pairs),
        usage=(usage_of(RESPONSES["a"], models[0], answers_a), usage_of(RESPONSES["b"], models[1], answers_b)),
        left_out={"prompts that one of the models could not answer": len(reasons)} if reasons else {},
        notes=tuple(filter(None, notes)),
        declined={side: servers[side].declined for side in SIDES},
    )


def _paired(
    models: tuple[Model, Model],
    prompts: Sequence[Prompt],
    answers_a: Sequence[Completion],
    answers_b: Sequence[Completion],
    samples: tuple[int, int],
) -> tuple[list[Pair], list[str]]:
    """Returns the pairs, and for each prompt without a pair the reason why a model could not answer it."""
    pairs: list[Pair] = []
    reasons: list[str] = []
    for prompt, a, b in zip(prompts, answers_a, answers_b, strict=True):
        failed = [completion for completion in (a, b) if completion.finish in ("rejected", "error")]
        if failed:
            reasons.append(failed[0].detail or "no reason was given")
        else:
            pairs.append(
                Pair(
                    prompt,
                    Response.of(prompt, models[0].id, a, samples[0]),
                    Response.of(prompt, models[1].id, b, samples[1]),
                )
            )
    return pairs, reasons


def _notes_on_servers(servers: Mapping[Side, ServerNotes]) -> list[str]:
    return [note for side in SIDES for note in servers[side].notes(f"model {side.upper()}")]


def _notes_on_thinking(pairs: Sequence[Pair]) -> list[str]:
    """Notes on responses that seem to contain thinking in an unknown notation, which is compared with the answer."""
    notes = []
    for side in SIDES:
        marks = Counter(mark for pair in pairs if (mark := unknown_thinking(pair.response(side).text)))
        if marks:
            notes.append(
                f"{marks.total()} of {len(pairs)} responses of model {side.upper()} contain "
                f"{marks.most_common(1)[0][0]}, which looks like thinking in an unknown notation: it is compared as "
                "part of the answer."
            )
    return notes


def answer(
    model: Model,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    stage: Stage,
    on_progress: OnProgress,
    on_response: OnResponse = ignore_response,
) -> list[Completion]:
    """One model's answers to all prompts, in order.

    Args:
        model: The model.
        prompts: The prompts.
        sampling: The sampling parameters of the answers.
        stage: The stage of one side under which answers are reported; tokens are reported under its `TOKENS` stage.
        on_progress: Called after every answer and with new tokens.
        on_response: Called with the text of every answer that did not fail.
    """
    assert stage.side is not None
    side, tokens_stage = stage.side, TOKENS[stage.side]
    done = tokens = 0

    def completed(index: int, completion: Completion) -> None:
        nonlocal done
        done += 1
        on_progress(stage, done, len(prompts))
        if completion.finish not in ("rejected", "error"):
            on_response(side, prompts[index], completion.text)

    def counted(new_tokens: int) -> None:
        nonlocal tokens
        tokens += new_tokens
        on_progress(tokens_stage, tokens, 0)

    on_progress(stage, 0, len(prompts))
    conversations = [prompt.messages for prompt in prompts]
    return model.generate(conversations, sampling, on_completion=completed, on_tokens=counted)


def cut_note(pairs: Sequence[Pair]) -> str:
    """A sentence on the responses that were cut off at the token limit; empty if there are none."""
    cut = {side: sum(pair.response(side).finish == "length" for pair in pairs) for side in SIDES}
    counts = [f"{count} of {len(pairs)} responses of model {side.upper()}" for side, count in cut.items() if count]
    if not counts:
        return ""
    return (
        f"{' and '.join(counts)} were cut off at the token limit: their length and their endings say little. "
        "Let them finish with more tokens per response (--max-new-tokens)."
    )


def _remarks(pairs: Sequence[Pair], reasons: Sequence[str]) -> tuple[str, ...]:
    """Notes on prompts that were left out, and on refused and identical responses."""
    remarks = []
    if reasons:
        remarks.append(
            f"{len(reasons)} prompts were left out because a model could not answer; first reason: {reasons[0]}"
        )
    for side in SIDES:
        responses = [pair.response(side) for pair in pairs]
        count = sum(response.finish == "refused" for response in responses)
        if count:
            remarks.append(f"{count} of {len(pairs)} responses of model {side.upper()} were refused by the provider.")
    same = sum(pair.a.text == pair.b.text for pair in pairs)
    if same:
        remarks.append(f"On {same} of {len(pairs)} prompts both models gave the identical response.")
    return tuple(remarks)


def usage_of(stage: Stage, model: Model, completions: Sequence[Completion]) -> Usage:
    """The calls and tokens of a model's answers."""
    return Usage(
        stage=stage,
        model=model.id,
        calls=len(completions),
        prompt_tokens=sum(completion.prompt_tokens or 0 for completion in completions),
        completion_tokens=sum(completion.completion_tokens or 0 for completion in completions),
    )
