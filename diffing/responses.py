"""Both models answer the same prompts: prompts in, pairs out. Knows no method and no verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from diffing.errors import ModelError
from diffing.models.base import Model, Sampling
from diffing.models.server_notes import Told
from diffing.models.thinking import unknown_thinking
from diffing.stages import RESPONSES, TOKENS
from diffing.types import SIDES, Completion, OnProgress, Pair, Prompt, Response, Side, Stage, Usage


@dataclass(frozen=True, slots=True)
class Responded:
    """The pairs, and what a reader must know of how they came about."""

    pairs: tuple[Pair, ...]
    """Every prompt that both models answered, in the order of the prompts."""
    usage: tuple[Usage, ...]
    """What each side was asked."""
    left_out: Mapping[str, int]
    """Prompts without a pair, by reason."""
    notes: tuple[str, ...]
    """Who answered; cut, refused and identical responses; in plain sentences."""
    declined: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)
    """Per side, the settings that its server did not take."""


def respond(
    models: tuple[Model, Model],
    prompts: Sequence[Prompt],
    sampling: Sampling,
    samples: tuple[int, int],
    on_progress: OnProgress,
) -> Responded:
    """Has both models answer every prompt. A prompt that one of them could not answer is counted, not kept.

    Args:
        models: A and B.
        prompts: What both are asked.
        sampling: How responses are drawn.
        samples: The sample numbers of A and of B.
        on_progress: Told of `responses a|b` and `tokens a|b`.

    Raises:
        ModelError: One split is left without any pair, or a model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    of_a, of_b = (
        answer(model, prompts, replace(sampling, sample=sample), RESPONSES[side], on_progress)
        for model, sample, side in zip(models, samples, SIDES, strict=True)
    )
    pairs: list[Pair] = []
    reasons: list[str] = []
    for prompt, a, b in zip(prompts, of_a, of_b, strict=True):
        failed = [completion for completion in (a, b) if completion.finish in ("rejected", "error")]
        if failed:
            reasons.append(failed[0].detail or "no reason was given")
        else:
            pairs.append(
                Pair(prompt, _response(prompt, models[0], a, samples[0]), _response(prompt, models[1], b, samples[1]))
            )
    for split in ("train", "heldout"):
        if not any(pair.prompt.split == split for pair in pairs):
            raise ModelError(f"No {split} prompt was answered by both models. The first reason: {reasons[0]}")
    told: Mapping[Side, Told] = {"a": Told(of_a), "b": Told(of_b)}
    return Responded(
        pairs=tuple(pairs),
        usage=(usage_of(RESPONSES["a"], models[0], of_a), usage_of(RESPONSES["b"], models[1], of_b)),
        left_out={"prompts that one of the models could not answer": len(reasons)} if reasons else {},
        notes=tuple(
            filter(
                None, (cut_note(pairs), *_notes_on_servers(told), *_remarks(pairs, reasons), *_notes_on_thinking(pairs))
            )
        ),
        declined={side: told[side].declined for side in SIDES},
    )


def _notes_on_servers(told: Mapping[Side, Told]) -> list[str]:
    return [note for side in SIDES for note in told[side].notes(f"model {side.upper()}")]


def _notes_on_thinking(pairs: Sequence[Pair]) -> list[str]:
    """What looks like thinking and is compared all the same, since it was not known how to split it off."""
    notes = []
    for side in SIDES:
        marks = Counter(mark for pair in pairs if (mark := unknown_thinking(pair.response(side).text)))
        if marks:
            notes.append(
                f"{marks.total()} of {len(pairs)} responses of model {side.upper()} hold {marks.most_common(1)[0][0]}, "
                "which looks like thinking in a notation that is not known: it is compared as a part of the answer."
            )
    return notes


def answer(
    model: Model, prompts: Sequence[Prompt], sampling: Sampling, stage: Stage, on_progress: OnProgress
) -> list[Completion]:
    """One model's answers to all prompts, in order.

    Args:
        model: Who is asked.
        prompts: What is asked.
        sampling: How the answers are drawn.
        stage: A stage of one side, which progress is told of; the stage `TOKENS` of the side tells of the tokens.
        on_progress: Told of every answer.
    """
    assert stage.side is not None
    tokens_stage = TOKENS[stage.side]
    done = tokens = 0

    def completed(index: int, completion: Completion) -> None:
        nonlocal done
        done += 1
        on_progress(stage, done, len(prompts))

    def counted(new_tokens: int) -> None:
        nonlocal tokens
        tokens += new_tokens
        on_progress(tokens_stage, tokens, 0)

    on_progress(stage, 0, len(prompts))
    conversations = [prompt.messages for prompt in prompts]
    return model.generate(conversations, sampling, on_completion=completed, on_tokens=counted)


def _response(prompt: Prompt, model: Model, completion: Completion, sample: int) -> Response:
    return Response(
        prompt_id=prompt.id,
        model=model.id,
        text=completion.text,
        finish=completion.finish,
        sample=sample,
        thinking=completion.thinking,
        prompt_tokens=completion.prompt_tokens,
        completion_tokens=completion.completion_tokens,
    )


def cut_note(pairs: Sequence[Pair]) -> str:
    """How many responses break off where their tokens ended; empty where none does."""
    cut = {side: sum(pair.response(side).finish == "length" for pair in pairs) for side in SIDES}
    told = [f"{count} of {len(pairs)} responses of model {side.upper()}" for side, count in cut.items() if count]
    if not told:
        return ""
    return (
        f"{' and '.join(told)} were cut at the limit of tokens: how long they are and how they end says little. "
        "Let them finish with more tokens per response (--max-new-tokens)."
    )


def _remarks(pairs: Sequence[Pair], reasons: Sequence[str]) -> tuple[str, ...]:
    """What a reader must know of the responses."""
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
    """What a model's answers took."""
    return Usage(
        stage=stage,
        model=model.id,
        calls=len(completions),
        prompt_tokens=sum(completion.prompt_tokens or 0 for completion in completions),
        completion_tokens=sum(completion.completion_tokens or 0 for completion in completions),
    )
