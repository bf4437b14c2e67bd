"""The chat-completions protocol: what is sent, how answers and errors are read, which optional fields a server takes.

Knows no transport; `openai_compatible` and `providers` send the requests. What a server says is outside text: it is
read with care, cut to one line and rid of keys before it is shown.
"""

import hashlib
import json
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

from diffing.errors import ModelError, SettingError
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.remote import Effort, Fault, Requests
from diffing.models.surrogates import without_surrogates
from diffing.models.thinking import split_thinking
from diffing.types import Completion, Conversation, Finish

_log = logging.getLogger(__name__)

Body: TypeAlias = dict[str, object]

_OPTIONAL = ("response_format", "seed", "top_p", "temperature")
"""Fields a server may decline; without them it is asked all the same."""
_BLAMED_UNNAMED = ("response_format", "seed")
"""Those that are tried when a server rejects a request without naming a field, in this order."""
_TRANSIENT = frozenset({408, 409, 425, 429})
_REJECTIONS = frozenset({400, 422, 501})
"""The server understood who asks but not, or not so, what is asked."""
_LONGEST_DETAIL = 300
_POLICY = re.compile(r"content.?(policy|filter|management)|responsible.?ai|moderation|safety", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum (prompt|input|model) length"
    r"|(prompt|input|messages?).{0,40}too long|too many tokens",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_(found|supported)|\bmodel\b.{0,200}(not found|does not exist|not supported)", re.IGNORECASE
)
_OUT_OF_CREDIT = re.compile(r"insufficient_quota|exceeded your current quota", re.IGNORECASE)
_FINISH: dict[object, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refused",
    "safety": "refused",
}
"""Everything else is `stop`."""


class HttpError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, text: str, retry_after: float | None = None) -> None:
        super().__init__(f"HTTP {status}: {_message(text)}" if text else f"HTTP {status}")
        self.status = status
        """The HTTP status."""
        self.text = text
        """What the server said: outside text, as it came."""
        self.retry_after = retry_after
        """Seconds the server asked us to wait, if it did."""


class ChatModel(ABC):
    """A model behind the chat-completions protocol. Subclasses send a body and return the JSON of the answer."""

    remote = True
    """Each call goes to a server."""
    remedies: ClassVar[Mapping[int, str]] = {}
    """What to do about a permanent error, by HTTP status."""

    def __init__(self, identity: str, name: str, *, effort: Effort, secret: str | None) -> None:
        self.id = identity
        """Identity, without credentials."""
        self._name = name
        self._secret = secret
        self._requests = Requests(identity, effort)
        self._not_taken: set[str] = set()

    @abstractmethod
    def _send(self, body: Body) -> object:
        """Sends one request, once.

        Returns:
            The answer's JSON.

        Raises:
            HttpError: The answer has an error status.
            Fault: There was no answer, or not one in JSON.
        """

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Asks the server, several conversations at a time. No single tokens are seen. See `Model.generate`.

        Raises:
            ModelError: A permanent error (key, credit, unknown model), with its remedy; or the server does not answer.
        """
        return self._requests.ask_all(lambda each: self._attempt(each, sampling), conversations, on_completion)

    def _attempt(self, conversation: Conversation, sampling: Sampling) -> Completion:
        """One attempt; a request rejected for an optional field is repeated without it, now and from then on."""
        body = request_body(self._name, conversation, sampling)
        for field in tuple(self._not_taken):
            _adapt(body, field)
        rejection: HttpError | None = None
        dropped: list[str] = []
        while True:
            try:
                answer = self._send(body)
                _raise_embedded(answer)
            except HttpError as error:
                field_to_drop = _culprit(error, body)
                rejection = rejection or error
                if field_to_drop is None:
                    return self._failure(rejection if error.status in _REJECTIONS else error)
                _adapt(body, field_to_drop)
                dropped.append(field_to_drop)
            else:
                self._remember(dropped)
                return read_completion(answer)

    def _remember(self, dropped: list[str]) -> None:
        for field in dropped:
            if field not in self._not_taken:
                self._not_taken.add(field)
                _log.warning("%s does not take `%s`: it is asked without.", self.id, field)

    def _failure(self, error: HttpError) -> Completion:
        """What an error status means: a completion for this conversation alone, another attempt, or the end."""
        said = self._one_line(str(error))
        if _OUT_OF_CREDIT.search(error.text):
            raise ModelError(f"{self.id} has no credit left ({said}). {self.remedies.get(402, '')}".rstrip())
        if error.status in _TRANSIENT or (error.status >= 500 and error.status not in _REJECTIONS):
            raise Fault(said, error.retry_after)
        if error.status == 400 and not _UNKNOWN_MODEL.search(error.text):
            return Completion(text="", finish=_finish_of_rejection(error.text), detail=said)
        remedy = self.remedies.get(
            404 if error.status == 400 else error.status, "Check the model's name and the address."
        )
        raise ModelError(f"{self.id} refused: {said}. {remedy}")

    def _one_line(self, text: str) -> str:
        """Outside text, made fit for a message: one line, no control characters, no key."""
        if self._secret:
            text = text.replace(self._secret, "***")
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."


def request_body(name: str, conversation: Conversation, sampling: Sampling) -> Body:
    """The JSON of one request. Everything that decides the text is said, since servers' defaults differ."""
    body: Body = {
        "model": name,
        "messages": [
            {"role": message.role, "content": without_surrogates(message.content)} for message in conversation
        ],
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": request_seed(conversation, sampling),
    }
    if sampling.json_schema is not None:
        try:
            schema = json.loads(sampling.json_schema)
        except ValueError as error:
            raise SettingError(f"json_schema must be JSON, got {sampling.json_schema[:80]!r} ({error})") from None
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": schema, "strict": True},
        }
    return body


def request_seed(conversation: Conversation, sampling: Sampling) -> int:
    """The seed of one request, 31 bits, by hash of (seed, conversation, sample): independent of batch and order."""
    decides = [sampling.seed, sampling.sample, [[message.role, message.content] for message in conversation]]
    return int.from_bytes(hashlib.sha256(json.dumps(decides).encode()).digest()[:4]) >> 1


def read_completion(answer: object) -> Completion:
    """Reads the JSON of a chat completion.

    Raises:
        Fault: It is not one: no choices, no message, text of another type.
    """
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    choice = choices[0] if isinstance(choices, Sequence) and choices and not isinstance(choices, str) else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise Fault("the answer is not a chat completion: no choices[0].message in it")
    reason = choice.get("finish_reason")
    if reason == "error":
        raise Fault("the server broke off the answer with an error")
    text, thought = split_thinking(without_surrogates(_text(message.get("content") or message.get("refusal"))))
    apart = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(apart, str) and apart.strip():
        thought = "\n\n".join(part for part in (without_surrogates(apart).strip(), thought) if part)
    finish = _FINISH.get(reason, "stop") if isinstance(reason, str) else "stop"
    usage = answer.get("usage")
    return Completion(
        text=text,
        finish=finish,
        thinking=thought,
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        detail=f"finish_reason: {reason}" if finish == "refused" else None,
    )


def _text(content: object) -> str:
    """The text of a message's content: a string, null, or a list of parts."""
    if content is None:
        return ""
    if isinstance(content, Sequence) and not isinstance(content, str):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        raise Fault(f"the answer's content is not text but {type(content).__name__}")
    return content


def _count(usage: object, key: str) -> int | None:
    number = usage.get(key) if isinstance(usage, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None


def _message(text: str) -> str:
    """The sentence within an error's JSON, where servers of this protocol put it; else the text as it is."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for key in ("error", "message", "detail"):
        if isinstance(told, Mapping) and told.get(key):
            told = told[key]
    return told if isinstance(told, str) else text


def _raise_embedded(answer: object) -> None:
    """Routers answer 200 with an error inside when the server behind them failed."""
    error = answer.get("error") if isinstance(answer, Mapping) and not answer.get("choices") else None
    if error:
        code = error.get("code") if isinstance(error, Mapping) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 502
        raise HttpError(status, json.dumps({"error": error}, default=str))


def _culprit(error: HttpError, body: Body) -> str | None:
    """The optional field for which a request was rejected, if that may be the reason."""
    if error.status not in _REJECTIONS or _POLICY.search(error.text) or _TOO_LONG.search(error.text):
        return None
    if "max_tokens" in body and "max_completion_tokens" in error.text:
        return "max_tokens"
    named = [field for field in _OPTIONAL if field in body and field in error.text]
    if "response_format" in body and "json_schema" in error.text:
        named.insert(0, "response_format")
    unnamed = [] if _UNKNOWN_MODEL.search(error.text) else [field for field in _BLAMED_UNNAMED if field in body]
    return next(iter(named + unnamed), None)


def _adapt(body: Body, field: str) -> None:
    """Leaves a field out; `max_tokens` goes under its newer name."""
    value = body.pop(field, None)
    if field == "max_tokens" and value is not None:
        body["max_completion_tokens"] = value


def _finish_of_rejection(text: str) -> Finish:
    """What a 400 means for the one conversation it answers."""
    if _TOO_LONG.search(text):
        return "rejected"
    return "refused" if _POLICY.search(text) else "error"
