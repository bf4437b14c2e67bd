"""Has an LLM write prompts for the conditions of hypotheses; it sees the conditions alone."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from diffing.judge.scopes import decide_scopes
from diffing.models.base import Model
from diffing.prompt_selection.written import LONGEST, PERSONAS, SCHEMA
from diffing.prompts import fold
from diffing.stages import FRESH_SCOPE, WRITE_FRESH
from diffing.structured_replies import LlmQuestion, ReplyError, UnreadableReply, ask_items, entries
from diffing.templates import fence, render
from diffing.types import Hypothesis, Message, OnProgress, Prompt, Stage, Usage

PER_QUESTION = 12
"""Number of prompts requested in one question; more prompts in one reply become too similar."""
SPARE = 1.5
"""How many times the needed number of prompts is requested, since some repeat others or do not meet the condition."""
ATTEMPTS = 2
"""How many times prompts are written for a condition that has too few."""
DOMAIN = "written for a condition"
"""The domain of the prompts that are written here."""


def write_prompts(
    judge: Model,
    hypotheses: Mapping[str, Hypothesis],
    needed: Mapping[str, int],
    taken: set[str],
    on_progress: OnProgress,
) -> tuple[dict[str, list[Prompt]], list[Usage]]:
    """Has prompts written for conditions: different ones that meet them, and none that is taken.

    Args:
        judge: The LLM that writes, and that decides in another conversation which prompts meet a condition.
        hypotheses: One hypothesis for each condition.
        needed: How many prompts each condition needs.
        taken: The folded texts that may not be used; those of the new prompts are added.
        on_progress: Called after every answer.

    Returns:
        The prompts of each condition, in the order in which they were written, and the calls and tokens.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    kept: dict[str, list[Prompt]] = {words: [] for words in hypotheses}
    usage: list[Usage] = []
    for attempt in range(ATTEMPTS):
        missing = {words: needed[words] - len(kept[words]) for words in kept if len(kept[words]) < needed[words]}
        texts, asked = _written(judge, missing, kept, attempt, on_progress)
        usage += asked
        for words, own in texts.items():
            prompts = _new(own, judge.id, taken)
            scopes = decide_scopes(judge, [hypotheses[words]], prompts, counted_as(FRESH_SCOPE, on_progress))
            usage += [replace(scopes.usage, stage=FRESH_SCOPE)] if scopes.usage else []
            meeting = [prompt for prompt in prompts if scopes.of(hypotheses[words], prompt) is True]
            kept[words] += meeting[: missing[words]]
    return kept, usage


def _written(
    judge: Model,
    missing: Mapping[str, int],
    kept: Mapping[str, Sequence[Prompt]],
    attempt: int,
    on_progress: OnProgress,
) -> tuple[dict[str, list[str]], list[Usage]]:
    """What the LLM writes for each condition that has too few prompts; it sees the condition alone."""
    asked = [
        (words, series)
        for words, number in missing.items()
        for series in range(-(-round(number * SPARE) // PER_QUESTION))
    ]
    if not asked:
        return {}, []
    questions = [
        LlmQuestion(writing_question(words, attempt, series, kept[words]), lambda value: (_texts(value),))
        for words, series in asked
    ]
    answers = ask_items(judge, questions, stage=WRITE_FRESH, schema=SCHEMA, on_progress=on_progress)
    texts: dict[str, list[str]] = {}
    for (words, _), (reply,) in zip(asked, answers.replies, strict=True):
        texts.setdefault(words, []).extend(() if isinstance(reply, UnreadableReply) else reply)
    return texts, [answers.usage]


def writing_question(words: str, attempt: int, series: int, kept: Sequence[Prompt]) -> str:
    """Returns a question for prompts that meet a condition.

    Args:
        words: The condition.
        attempt: How many times prompts were written for it before.
        series: Which of the questions of this attempt it is, from 0.
        kept: The prompts that were written for it and meet it.
    """
    return render(
        "write_where",
        count=PER_QUESTION,
        series=attempt * len(PERSONAS) + series + 1,
        condition=fence(words),
        voice=fence(PERSONAS[(attempt + series) % len(PERSONAS)]),
        written=[fence(prompt.text) for prompt in kept],
    )


def _texts(value: object) -> tuple[str, ...]:
    texts = [text.strip() for text in entries(value, "prompts") if isinstance(text, str)]
    usable = tuple(text for text in texts if text and len(text) <= LONGEST)
    if not usable:
        raise ReplyError("no prompt")
    return usable


def _new(texts: Iterable[str], writer: str, taken: set[str]) -> list[Prompt]:
    """The texts that are not taken yet, as prompts; they are taken from now on."""
    prompts = []
    for text in texts:
        if fold(text) not in taken:
            taken.add(fold(text))
            id_ = f"fresh-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"
            prompts.append(Prompt(id_, (Message("user", text),), f"written by {writer}", "heldout", DOMAIN))
    return prompts


def counted_as(stage: Stage, on_progress: OnProgress) -> OnProgress:
    """Reports the progress of another stage as that of this one."""
    return lambda _, done, total: on_progress(stage, done, total)
