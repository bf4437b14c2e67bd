"""Questions to an LLM and typed answers: the only place where replies are read.

A reply is JSON, alone, in a code fence or in the middle of prose. One that cannot be read is asked for again, and if it
stays so it is an `Unreadable`, never a default. Knows neither what is asked nor what becomes of the answers.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from diffing.models.base import Model, Sampling
from diffing.models.json_text import DECODER, UnreadableJsonError, check_depth
from diffing.models.surrogates import without_surrogates
from diffing.types import Completion, Finish, Message, OnProgress, Stage, Usage, ignore_progress

T = TypeVar("T")
Label = TypeVar("Label", bound=str)

SAMPLE_STRIDE = 1000
"""Each further attempt is a sample of its own, this far from the last one, so that the cache keeps them apart."""
RETRY_TEMPERATURE = 0.7
"""A greedy model would answer the same again; further attempts are drawn."""
REPLY = Sampling(max_new_tokens=4096)
"""How replies are drawn: greedily, with room for models that think first."""
_NO_REPLY: Mapping[Finish, str] = {
    "length": "cut off at the limit of tokens",
    "refused": "refused",
    "rejected": "the question was too long",
    "error": "no answer",
}
KEPT = 500
"""Of an unreadable reply so many characters are kept."""
_LONGEST_REPLY = 1_000_000
"""Characters; no reply that was asked for comes near it."""
_MOST_WORK = 20_000_000
"""Characters read at most in search of a reply's value; each piece that breaks off is read twice, once by the decoder
and once, from the beginning of the text, for the line that its error tells."""
_OPENING = re.compile(r'\{(?=\s{0,100}(?:["}]|\Z))|\[(?=\s{0,100}(?:[\[\]{"0-9-]|true|false|null|NaN|Infinity|\Z))')
"""Where an object or a list may begin; braces and brackets of prose mostly do not look like it."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply, or one item of it, that could not be read after all attempts."""

    reason: str
    """Why, in a few words."""
    text: str = ""
    """What was answered, shortened."""


class ReplyError(Exception):
    """Raised by a parser for a value that is not what was asked for."""


Items: TypeAlias = tuple[T | Unreadable, ...]


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One question, whose reply answers one or several items."""

    text: str
    """What is asked: a rendered template."""
    parse: Callable[[object], Items[T]]
    """Reads the reply's JSON value, always as many items; raises ReplyError where nothing of it can be read."""
    items: int = 1
    """How many items the reply must answer."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What a stage's questions brought."""

    replies: tuple[T, ...]
    """One for each question, in order."""
    usage: Usage
    """Calls and tokens, with all attempts; `unreadable` counts items that stayed so."""


def ask(
    model: Model,
    questions: Sequence[str],
    parse: Callable[[object], T],
    *,
    stage: Stage,
    schema: Mapping[str, object],
    attempts: int = 3,
    on_progress: OnProgress = ignore_progress,
) -> Asked[T | Unreadable]:
    """Asks all questions at once, and those whose reply cannot be read again, up to `attempts` times in all.

    Args:
        model: The LLM.
        questions: Rendered templates; each becomes one user message.
        parse: Reads one reply's JSON value; raises ReplyError for what was not asked for.
        stage: Name for progress and usage.
        schema: JSON schema of the reply, for servers that can keep to one.
        attempts: How often one question is asked at most.
        on_progress: Told of every answer.

    Raises:
        ModelError: The model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    single: list[Question[T]] = [Question(text, lambda value: (parse(value),)) for text in questions]
    asked = ask_items(model, single, stage=stage, schema=schema, attempts=attempts, on_progress=on_progress)
    return Asked(tuple(items[0] for items in asked.replies), asked.usage)


def ask_items(
    model: Model,
    questions: Sequence[Question[T]],
    *,
    stage: Stage,
    schema: Mapping[str, object],
    attempts: int = 3,
    on_progress: OnProgress = ignore_progress,
) -> Asked[Items[T]]:
    """As `ask`, for replies that answer several items: a question is asked again while any of its items is unreadable.

    An item once read is kept; a later attempt only fills what is missing.
    """
    replies: list[Items[T]] = [(Unreadable("not asked"),) * question.items for question in questions]
    sampling = replace(REPLY, json_schema=json.dumps(schema, sort_keys=True))
    calls = read = written = 0
    for attempt in range(attempts):
        open_ones = [i for i, items in enumerate(replies) if any(isinstance(item, Unreadable) for item in items)]
        if not open_ones:
            break
        texts = [questions[i].text for i in open_ones]
        name = stage if attempt == 0 else stage.again
        completions = _generate(model, texts, _nth(sampling, attempt), name, on_progress)
        for i, completion in zip(open_ones, completions, strict=True):
            latest = _items(completion, questions[i])
            replies[i] = tuple(b if isinstance(a, Unreadable) else a for a, b in zip(replies[i], latest, strict=True))
            read += completion.prompt_tokens or 0
            written += completion.completion_tokens or 0
        calls += len(open_ones)
    unreadable = sum(isinstance(item, Unreadable) for items in replies for item in items)
    return Asked(tuple(replies), Usage(stage, model.id, calls, read, written, unreadable))


def _nth(sampling: Sampling, attempt: int) -> Sampling:
    if attempt == 0:
        return sampling
    # twice the room as well: what was cut off once would be cut off again
    return replace(
        sampling,
        sample=sampling.sample + SAMPLE_STRIDE * attempt,
        temperature=RETRY_TEMPERATURE,
        max_new_tokens=2 * sampling.max_new_tokens,
    )


def _generate(
    model: Model, texts: Sequence[str], sampling: Sampling, stage: Stage, on_progress: OnProgress
) -> list[Completion]:
    done = 0

    def count(index: int, completion: Completion) -> None:
        nonlocal done
        done += 1
        on_progress(stage, done, len(texts))

    on_progress(stage, 0, len(texts))
    return model.generate([(Message("user", text),) for text in texts], sampling, on_completion=count)


def _items(completion: Completion, question: Question[T]) -> Items[T]:
    """The items of one completion; all unreadable where it has no value to parse."""
    text = completion.text[:KEPT]
    if completion.finish != "stop":
        return (Unreadable(_NO_REPLY[completion.finish], completion.detail or text),) * question.items
    try:
        items = question.parse(json_value(completion.text))
    except ReplyError as error:
        return (Unreadable(str(error), text),) * question.items
    return tuple(Unreadable(item.reason, item.text or text) if isinstance(item, Unreadable) else item for item in items)


def json_value(text: str) -> object:
    """The JSON value of a reply: the last complete object at top level, else the last complete list.

    Objects inside another value do not count, so that neither a piece of a broken reply nor JSON quoted in a string is
    taken for the answer; and a reply that ends in the middle of a value has none, whatever came before.

    Raises:
        ReplyError: There is none, or none that can be read for sure.
    """
    if len(text) > _LONGEST_REPLY:
        raise ReplyError("too long")
    found: list[object] = []
    at = spent = 0
    end = len(text.rstrip().removesuffix("```").rstrip())
    while opening := _OPENING.search(text, at):
        try:
            value, at = DECODER.raw_decode(text, opening.start())
            check_depth(value)
            found.append(value)
        except RecursionError:
            raise ReplyError("JSON nested too deeply") from None
        except json.JSONDecodeError as error:
            if error.pos >= end or error.msg.startswith("Unterminated string"):
                raise ReplyError("JSON that breaks off") from None
            at = opening.end()
            spent += 2 * error.pos - opening.start()
            if spent > _MOST_WORK:
                raise ReplyError("JSON in pieces") from None
        except UnreadableJsonError as error:
            raise ReplyError(str(error)) from None
    if not found:
        raise ReplyError("no JSON" if text.strip() else "empty")
    return _without_half_characters(next((v for v in reversed(found) if isinstance(v, dict)), found[-1]))


def _without_half_characters(value: object) -> object:
    """JSON can spell half of a surrogate pair, which no file and no request can hold."""
    match value:
        case str():
            return without_surrogates(value)
        case list():
            return [_without_half_characters(item) for item in value]
        case dict():
            return {without_surrogates(key): _without_half_characters(item) for key, item in value.items()}
        case _:
            return value


def entry(value: object, name: str) -> object:
    """The entry of a JSON object.

    Raises:
        ReplyError: Not an object, or without it.
    """
    if not isinstance(value, dict) or name not in value:
        raise ReplyError(f'JSON without "{name}"')
    return value[name]


def entries(value: object, name: str) -> list[object]:
    """The list under a name of a JSON object; where the whole reply is a list, that list.

    Raises:
        ReplyError: There is none.
    """
    listed = value if isinstance(value, list) else entry(value, name)
    if not isinstance(listed, list):
        raise ReplyError(f'"{name}" is not a list')
    return listed


def offered(value: object, labels: Collection[Label]) -> Label:
    """One of the labels that were offered; numbers and true/false count as their JSON text, case does not matter.

    Raises:
        ReplyError: Something else.
    """
    text = json.dumps(value) if isinstance(value, bool | int) else value
    for label in labels:
        if isinstance(text, str) and text.strip().casefold() == label.casefold():
            return label
    raise ReplyError("a label that was not offered")
