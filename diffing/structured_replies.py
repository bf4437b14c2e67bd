"""Asks an LLM questions and parses its JSON replies into typed values, with retries for unreadable replies.

A reply may be bare JSON, JSON in a code fence, or JSON in the middle of prose. A reply that stays unreadable after all
attempts becomes an `UnreadableReply`, never a default value. Callers provide the questions and the parsers.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeAlias, TypeVar

from diffing.mapped_sequence import MappedSequence
from diffing.models.base import Model, Sampling
from diffing.models.json_text import DECODER, UnreadableJsonError, check_depth
from diffing.models.surrogates import without_surrogates
from diffing.types import Completion, Conversation, Finish, Message, OnProgress, Stage, Usage, ignore_progress

T = TypeVar("T")
Read = TypeVar("Read", covariant=True)
Label = TypeVar("Label", bound=str)

SAMPLE_STRIDE = 1000
"""Each further attempt adds this to the sample number, so that the cache keeps the attempts apart."""
RETRY_TEMPERATURE = 0.7
"""The temperature of further attempts, because a greedy model would give the same reply again."""
REPLY = Sampling(max_new_tokens=4096)
"""The sampling parameters of replies: greedy, with enough tokens for models that think first."""
_NO_REPLY: Mapping[Finish, str] = {
    "length": "cut off at the limit of tokens",
    "refused": "refused",
    "rejected": "the question was too long",
    "error": "no answer",
}
KEPT = 500
"""How many characters of an unreadable reply are kept."""
_LONGEST_REPLY = 1_000_000
"""Maximum length of a reply in characters, far above that of any valid reply."""
_MOST_WORK = 20_000_000
"""Maximum number of characters read in search of a reply's value. The decoder reads each broken piece twice: once to
parse it, and once from the beginning of the text to find the line number for its error."""
_OPENING = re.compile(r'\{(?=\s{0,100}(?:["}]|\Z))|\[(?=\s{0,100}(?:[\[\]{"0-9-]|true|false|null|NaN|Infinity|\Z))')
"""Where an object or a list may begin; braces and brackets in prose rarely match."""


@dataclass(frozen=True, slots=True)
class UnreadableReply:
    """A reply, or one item of it, that could not be read after all attempts."""

    reason: str
    """Why, in a few words."""
    text: str = ""
    """The beginning of the reply."""


class ReplyError(Exception):
    """Raised by a parser for a JSON value that does not have the requested form."""


Items: TypeAlias = tuple[T | UnreadableReply, ...]


class Askable(Protocol[Read]):
    """What can be asked: a `LlmQuestion`, or what renders its text only when it is asked."""

    @property
    def text(self) -> str:
        """See `LlmQuestion.text`."""

    @property
    def items(self) -> int:
        """See `LlmQuestion.items`."""

    def parse(self, value: object, /) -> Items[Read]:
        """See `LlmQuestion.parse`."""


@dataclass(frozen=True, slots=True)
class LlmQuestion(Generic[T]):
    """One question to an LLM, whose reply answers one or several items."""

    text: str
    """The text of the question, a rendered template."""
    parse: Callable[[object], Items[T]]
    """Parses the reply's JSON value into exactly `items` items; raises ReplyError if nothing of it can be read."""
    items: int = 1
    """The number of items that the reply must answer."""


@dataclass(frozen=True, slots=True)
class ParsedReplies(Generic[T]):
    """The parsed replies to a list of questions, with their usage."""

    replies: tuple[T, ...]
    """One reply for each question, in order."""
    usage: Usage
    """Calls and tokens over all attempts; `unreadable` counts the items that stayed unreadable."""


def ask(
    model: Model,
    questions: Sequence[str],
    parse: Callable[[object], T],
    *,
    stage: Stage,
    schema: Mapping[str, object],
    attempts: int = 3,
    on_progress: OnProgress = ignore_progress,
) -> ParsedReplies[T | UnreadableReply]:
    """Asks all questions at once, and repeats those whose reply cannot be read, up to `attempts` times in total.

    Args:
        model: The LLM.
        questions: Rendered templates; each becomes one user message.
        parse: Parses one reply's JSON value; raises ReplyError if it does not have the requested form.
        stage: The stage for progress and usage.
        schema: JSON schema of the reply, for servers that support structured output.
        attempts: Maximum number of times that a question is asked.
        on_progress: Called after every answer.

    Raises:
        ModelError: The model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    single: list[LlmQuestion[T]] = [LlmQuestion(text, lambda value: (parse(value),)) for text in questions]
    asked = ask_items(model, single, stage=stage, schema=schema, attempts=attempts, on_progress=on_progress)
    return ParsedReplies(tuple(items[0] for items in asked.replies), asked.usage)


def ask_items(
    model: Model,
    questions: Sequence[Askable[T]],
    *,
    stage: Stage,
    schema: Mapping[str, object],
    attempts: int = 3,
    on_progress: OnProgress = ignore_progress,
) -> ParsedReplies[Items[T]]:
    """Like `ask`, for replies that answer several items: a question is repeated while any of its items is unreadable.

    An item that was read is kept; later attempts only fill in missing items.
    """
    replies: list[Items[T]] = [(UnreadableReply("not asked"),) * question.items for question in questions]
    # the keys keep their order, in which servers with structured output have the model write them
    sampling = replace(REPLY, json_schema=json.dumps(schema))
    calls = read = written = 0
    for attempt in range(attempts):
        remaining = [i for i, items in enumerate(replies) if any(isinstance(item, UnreadableReply) for item in items)]
        if not remaining:
            break
        asked = [questions[i] for i in remaining]
        name = stage if attempt == 0 else stage.again
        completions = _generate(model, asked, _nth(sampling, attempt), name, on_progress)
        for i, completion in zip(remaining, completions, strict=True):
            latest = _items(completion, questions[i])
            replies[i] = tuple(
                b if isinstance(a, UnreadableReply) else a for a, b in zip(replies[i], latest, strict=True)
            )
            read += completion.prompt_tokens or 0
            written += completion.completion_tokens or 0
        calls += len(remaining)
    unreadable = sum(isinstance(item, UnreadableReply) for items in replies for item in items)
    return ParsedReplies(tuple(replies), Usage(stage, model.id, calls, read, written, unreadable))


def _nth(sampling: Sampling, attempt: int) -> Sampling:
    if attempt == 0:
        return sampling
    # twice the tokens as well, since a reply that was cut off once would be cut off again
    return replace(
        sampling,
        sample=sampling.sample + SAMPLE_STRIDE * attempt,
        temperature=RETRY_TEMPERATURE,
        max_new_tokens=2 * sampling.max_new_tokens,
    )


def _generate(
    model: Model, questions: Sequence[Askable[T]], sampling: Sampling, stage: Stage, on_progress: OnProgress
) -> list[Completion]:
    done = 0

    def count(index: int, completion: Completion) -> None:
        nonlocal done
        done += 1
        on_progress(stage, done, len(questions))

    on_progress(stage, 0, len(questions))
    return model.generate(MappedSequence(_conversation, questions), sampling, on_completion=count)


def _conversation(question: Askable[T]) -> Conversation:
    return (Message("user", question.text),)


def _items(completion: Completion, question: Askable[T]) -> Items[T]:
    """The items of one completion; all of them are unreadable if it contains no value to parse."""
    text = completion.text[:KEPT]
    if completion.finish != "stop":
        return (UnreadableReply(_NO_REPLY[completion.finish], completion.detail or text),) * question.items
    try:
        items = question.parse(json_value(completion.text))
    except ReplyError as error:
        return (UnreadableReply(str(error), text),) * question.items
    return tuple(
        UnreadableReply(item.reason, item.text or text) if isinstance(item, UnreadableReply) else item for item in items
    )


def json_value(text: str) -> object:
    """The JSON value of a reply: the last complete object at top level, else the last complete list.

    Objects inside another value do not count, so that neither a piece of a broken reply nor JSON quoted in a string is
    mistaken for the answer. A reply that ends in the middle of a value has no value, whatever came before.

    Raises:
        ReplyError: There is no JSON value, or it cannot be identified with certainty.
    """
    if len(text) > _LONGEST_REPLY:
        raise ReplyError("too long")
    values: list[object] = []
    at = spent = 0
    end = len(text.rstrip().removesuffix("```").rstrip())
    while opening := _OPENING.search(text, at):
        try:
            value, at = DECODER.raw_decode(text, opening.start())
            check_depth(value)
            values.append(value)
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
    if not values:
        raise ReplyError("no JSON" if text.strip() else "empty")
    return _without_half_characters(next((v for v in reversed(values) if isinstance(v, dict)), values[-1]))


def _without_half_characters(value: object) -> object:
    """Replaces lone surrogates, which JSON can spell, but no file or request can hold."""
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
        ReplyError: The value is not an object, or has no such entry.
    """
    if not isinstance(value, dict) or name not in value:
        raise ReplyError(f'JSON without "{name}"')
    return value[name]


def entries(value: object, name: str) -> list[object]:
    """The list under a name of a JSON object, or the reply itself if it is a list.

    Raises:
        ReplyError: There is no such list.
    """
    listed = value if isinstance(value, list) else entry(value, name)
    if not isinstance(listed, list):
        raise ReplyError(f'"{name}" is not a list')
    return listed


def offered(value: object, labels: Collection[Label]) -> Label:
    """Matches a value to one of the offered labels; numbers and booleans count as JSON text, and case is ignored.

    Raises:
        ReplyError: The value is none of the labels.
    """
    text = json.dumps(value) if isinstance(value, bool | int) else value
    for label in labels:
        if isinstance(text, str) and text.strip().casefold() == label.casefold():
            return label
    raise ReplyError("a label that was not offered")
