"""Has an LLM write prompts that could reveal a suspected difference; the LLM does not see any responses."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.errors import ModelError, SettingError
from diffing.models.base import Model
from diffing.prompt_selection.selected import SelectedPrompts
from diffing.prompts import fold, prompts_from
from diffing.stages import WRITE_PROMPTS
from diffing.structured_replies import Items, LlmQuestion, ReplyError, ask_items, entries
from diffing.templates import fence, render
from diffing.types import Message, OnProgress, Prompt, Usage, ignore_progress

if TYPE_CHECKING:
    from diffing.prompts import Record

PER_QUESTION = 20
"""Number of prompts requested in one question; more prompts in one reply become too similar."""
SPARE = 1.3
"""How many times the needed number of prompts is requested, since some repeat others and hashed splits vary in size."""
ROUNDS = 4
"""Maximum number of rounds; after these, the prompts written so far have to suffice."""
SHOWN = 30
"""Maximum number of existing prompts shown in a question, so that they are not repeated."""
LONGEST = 4000
"""Maximum length of a prompt in characters; a longer one is a degenerate reply."""
PERSONAS = (
    "a beginner who knows little of the subject",
    "an expert who wants depth",
    "somebody in a hurry who writes carelessly",
    "somebody who is worried",
    "a student with an assignment",
    "a professional at work",
    "somebody who is sceptical and argues",
    "a person who writes long and tells their story",
)
"""Kinds of users for whom prompts are written, in turn, so that simultaneous questions give different prompts."""
SCHEMA = {
    "type": "object",
    "properties": {"prompts": {"type": "array", "items": {"type": "string"}}},
    "required": ["prompts"],
    "additionalProperties": False,
}


def write_prompts(
    model: Model,
    suspicion: str,
    *,
    train: int,
    heldout: int,
    seed: int = 0,
    on_progress: OnProgress = ignore_progress,
) -> SelectedPrompts:
    """Has an LLM write prompts that could show a suspected difference; a hash of each prompt decides its split.

    Args:
        model: The LLM.
        suspicion: The suspected difference, in words.
        train: Maximum number of train prompts.
        heldout: Maximum number of held-out prompts.
        seed: The seed of the split.
        on_progress: Called after every answer.

    Raises:
        ModelError: The LLM cannot be used, or wrote too few usable prompts.
        LimitError: A hard limit of calls or dollars was reached.
    """
    source = f"written by {model.id}"
    texts: dict[str, str] = {}
    usage: list[Usage] = []
    prompts: tuple[Prompt, ...] = ()
    for _ in range(ROUNDS):
        missing = train + heldout - len(prompts)
        questions = -(-round(missing * SPARE) // PER_QUESTION)
        answered = ask_items(
            model,
            _questions(suspicion, list(texts.values()), questions),
            stage=WRITE_PROMPTS,
            schema=SCHEMA,
            on_progress=on_progress,
        )
        usage.append(answered.usage)
        for items in answered.replies:
            for text in items[0] if isinstance(items[0], tuple) else ():
                texts.setdefault(fold(text), text)
        prompts = _split(list(texts.values()), source, (train, heldout), seed)
        if len(prompts) == train + heldout:
            break
    if not prompts:
        raise ModelError(f"{model.id} wrote {len(texts)} usable prompts: too few for both splits. Try another --llm")
    return SelectedPrompts(prompts, _notes(prompts, model.id, suspicion, train + heldout), (_sum(usage),))


def _questions(suspicion: str, written: Sequence[str], count: int) -> list[LlmQuestion[tuple[str, ...]]]:
    """The questions, each for another persona and with another sample of the prompts written so far."""
    texts = [
        render(
            "write_prompts",
            count=PER_QUESTION,
            series=i + 1,
            suspicion=fence(suspicion),
            voice=fence(PERSONAS[i % len(PERSONAS)]),
            written=[fence(text) for text in written[i :: max(1, len(written) // SHOWN)][:SHOWN]],
        )
        for i in range(count)
    ]
    return [LlmQuestion(text, _parse) for text in texts]


def _parse(value: object) -> Items[tuple[str, ...]]:
    texts = [text.strip() for text in entries(value, "prompts") if isinstance(text, str)]
    usable = tuple(text for text in texts if text and len(text) <= LONGEST)
    if not usable:
        raise ReplyError("no prompt")
    return (usable,)


def _split(texts: Sequence[str], source: str, sizes: tuple[int, int], seed: int) -> tuple[Prompt, ...]:
    """The prompts in two splits of at most the given sizes; empty if one of the splits would be empty."""
    records: list[Record] = [(None, (Message("user", text),), None) for text in texts]
    try:
        return prompts_from(records, source, *sizes, seed=seed)
    except SettingError:
        return ()


def _notes(prompts: Sequence[Prompt], model: str, suspicion: str, requested: int) -> tuple[str, ...]:
    suspected = " ".join(suspicion.split())
    notes: tuple[str, ...] = (
        f"The {len(prompts)} prompts were written by {model} to show a suspected difference: “{suspected}”. It saw no "
        "response of either model. Shares apply to prompts like these, not to prompts in general.",
    )
    if len(prompts) < requested:
        notes += (f"{model} wrote only {len(prompts)} different usable prompts of the {requested} requested.",)
    return notes


def _sum(usage: Sequence[Usage]) -> Usage:
    return Usage(
        stage=usage[0].stage,
        model=usage[0].model,
        calls=sum(each.calls for each in usage),
        prompt_tokens=sum(each.prompt_tokens for each in usage),
        completion_tokens=sum(each.completion_tokens for each in usage),
        unreadable=sum(each.unreadable for each in usage),
    )
