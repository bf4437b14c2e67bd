"""Prompts written by an LLM for what is suspected. Knows no response: it sees the suspicion alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.errors import ModelError, SettingError
from diffing.models.base import Model
from diffing.prompt_selection.selected import Elicited
from diffing.prompts import fold, prompts_from
from diffing.stages import WRITE_PROMPTS
from diffing.structured_replies import Items, Question, ReplyError, ask_items, entries
from diffing.templates import fence, render
from diffing.types import Message, OnProgress, Prompt, Usage, ignore_progress

if TYPE_CHECKING:
    from diffing.prompts import Record

PER_QUESTION = 20
"""Prompts asked for in one question: more come out alike."""
SPARE = 1.3
"""Asked for above what is needed: some repeat each other, and the split by hash is not exact."""
ROUNDS = 4
"""After so many rounds what there is has to do."""
SHOWN = 30
"""Prompts shown as written already, at most."""
LONGEST = 4000
"""Characters of a prompt; a longer one is no prompt but a reply that ran away."""
VOICES = (
    "a beginner who knows little of the subject",
    "an expert who wants depth",
    "somebody in a hurry who writes carelessly",
    "somebody who is worried",
    "a student with an assignment",
    "a professional at work",
    "somebody who is sceptical and argues",
    "a person who writes long and tells their story",
)
"""Users in whose place prompts are written, in turn, so that questions asked side by side do not bring the same."""
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
) -> Elicited:
    """Has an LLM write prompts that could show what is suspected; a hash of each decides its split.

    Args:
        model: The LLM.
        suspicion: What may differ, in words.
        train: How many train prompts, at most.
        heldout: How many held-out prompts, at most.
        seed: Another one gives another split.
        on_progress: Told of every answer.

    Raises:
        ModelError: The LLM cannot be used, or wrote next to nothing that can be read.
        LimitError: A hard limit of calls or dollars was reached.
    """
    source = f"written by {model.id}"
    texts: dict[str, str] = {}
    usage: list[Usage] = []
    prompts: tuple[Prompt, ...] = ()
    for _ in range(ROUNDS):
        missing = train + heldout - len(prompts)
        questions = -(-round(missing * SPARE) // PER_QUESTION)
        asked = ask_items(
            model,
            _questions(suspicion, list(texts.values()), questions),
            stage=WRITE_PROMPTS,
            schema=SCHEMA,
            on_progress=on_progress,
        )
        usage.append(asked.usage)
        for items in asked.replies:
            for text in items[0] if isinstance(items[0], tuple) else ():
                texts.setdefault(fold(text), text)
        prompts = _split(list(texts.values()), source, (train, heldout), seed)
        if len(prompts) == train + heldout:
            break
    if not prompts:
        raise ModelError(f"{model.id} wrote {len(texts)} usable prompts: too few for both splits. Try another --llm")
    return Elicited(prompts, _notes(prompts, model.id, suspicion, train + heldout), (_sum(usage),))


def _questions(suspicion: str, written: Sequence[str], count: int) -> list[Question[tuple[str, ...]]]:
    """One question per voice; the written ones shown differ from question to question."""
    texts = [
        render(
            "write_prompts",
            count=PER_QUESTION,
            series=i + 1,
            suspicion=fence(suspicion),
            voice=fence(VOICES[i % len(VOICES)]),
            written=[fence(text) for text in written[i :: max(1, len(written) // SHOWN)][:SHOWN]],
        )
        for i in range(count)
    ]
    return [Question(text, _parse) for text in texts]


def _parse(value: object) -> Items[tuple[str, ...]]:
    texts = [text.strip() for text in entries(value, "prompts") if isinstance(text, str)]
    usable = tuple(text for text in texts if text and len(text) <= LONGEST)
    if not usable:
        raise ReplyError("no prompt")
    return (usable,)


def _split(texts: Sequence[str], source: str, wanted: tuple[int, int], seed: int) -> tuple[Prompt, ...]:
    """What there is, in two splits; nothing where one of them would be empty."""
    records: list[Record] = [(None, (Message("user", text),), None) for text in texts]
    try:
        return prompts_from(records, source, *wanted, seed=seed)
    except SettingError:
        return ()


def _notes(prompts: Sequence[Prompt], model: str, suspicion: str, wanted: int) -> tuple[str, ...]:
    suspected = " ".join(suspicion.split())
    told: tuple[str, ...] = (
        f"The {len(prompts)} prompts were written by {model} to show what was suspected: «{suspected}». It saw no "
        "response of either model. Shares hold for prompts like these, not for prompts at large.",
    )
    if len(prompts) < wanted:
        told += (f"{model} wrote {len(prompts)} different prompts that can be used, of {wanted} asked for.",)
    return told


def _sum(usage: Sequence[Usage]) -> Usage:
    return Usage(
        stage=usage[0].stage,
        model=usage[0].model,
        calls=sum(each.calls for each in usage),
        prompt_tokens=sum(each.prompt_tokens for each in usage),
        completion_tokens=sum(each.completion_tokens for each in usage),
        unreadable=sum(each.unreadable for each in usage),
    )
