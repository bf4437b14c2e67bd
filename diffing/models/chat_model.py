"""`ChatModel`, the common base of server models: builds chat-completions requests and interprets errors.

It also finds out which optional fields a server accepts. The subclasses in `openai_compatible` and `providers` know the
address and send the requests. Whatever a server says is untrusted: secrets are masked before it leaves this module.
"""

import hashlib
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, TypeAlias

from diffing.errors import ModelError, SettingError
from diffing.masking import keep_secret, masked
from diffing.models.answers import read_completion
from diffing.models.base import OnCompletion, OnTokens, Sampling
from diffing.models.rejections import (
    REJECTIONS,
    exceeds_context,
    of_policy,
    out_of_credit,
    tokens_allowed,
    tokens_left,
    too_long,
    unknown_model,
)
from diffing.models.remote import RequestLimits, ServerRequests, TransientError
from diffing.models.served_names import same_model, same_name
from diffing.models.surrogates import without_surrogates
from diffing.models.transport import HttpError
from diffing.types import Completion, Conversation, Finish

_log = logging.getLogger(__name__)

Body: TypeAlias = dict[str, object]

_OPTIONAL = ("response_format", "seed", "top_p", "temperature")
"""Fields that a server may decline; the request is then sent without them, and the completion says so."""
_BLAMED_UNNAMED = ("response_format", "seed")
"""Fields that are left out, in this order, if a server rejects a request without naming a field."""
_TRANSIENT = frozenset({408, 409, 425, 429})
_OF_ONE_CONVERSATION = frozenset({400, 403, 413, 422})
"""Statuses that concern only the content of one request, if the server answered other requests of this form."""
_LONGEST_DETAIL = 300


class ChatModel(ABC):
    """A model behind the chat-completions protocol. Subclasses send a request and return the JSON of the answer."""

    remote = True
    """Always True, since each call goes to a server."""
    remedies: ClassVar[Mapping[int, str]] = {}
    """Advice on permanent errors, by HTTP status."""

    def __init__(self, identity: str, name: str, *, effort: RequestLimits, secret: str | None, asked: str = "") -> None:
        self.id = identity
        """The model's id, without credentials."""
        self._name = name
        self._asked = asked or name  # the model's own name, if the name on the server adds something, as a provider
        self._secret = secret
        keep_secret(secret or "")
        self._requests = ServerRequests(identity, effort)
        self._not_taken: set[str] = set()
        self._answered = False
        self._served_as_asked = False

    @abstractmethod
    def _send(self, body: Body) -> object:
        """Sends one request, once.

        Returns:
            The answer's JSON.

        Raises:
            HttpError: The answer has an error status.
            TransientError: There was no answer, or it is not JSON.
        """

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Asks the server about several conversations at a time; `on_tokens` is not called. See `Model.generate`.

        Raises:
            ModelError: A permanent error (key, credit, unknown model), with advice; or the server does not answer.
        """
        return self._requests.ask_all(lambda each: self._attempt(each, sampling), conversations, on_completion)

    def _attempt(self, conversation: Conversation, sampling: Sampling) -> Completion:
        """Makes one attempt; text from the server is masked and bounded in the completion and in errors."""
        try:
            return self._clean(self._ask(conversation, sampling))
        except TransientError as fault:
            raise TransientError(_one_line(str(fault)), fault.retry_after, overloaded=fault.overloaded) from None

    def _ask(self, conversation: Conversation, sampling: Sampling) -> Completion:
        """Sends a request; if it is rejected for an optional field, this and later requests go without that field."""
        body = request_body(self._name, conversation, sampling)
        requested = [field for field in _OPTIONAL if field in body]
        for field in tuple(self._not_taken):
            _adapt(body, field)
        rejection: HttpError | None = None
        dropped: list[str] = []
        while True:
            try:
                answer = self._send(body)
                _raise_embedded(answer)
            except HttpError as error:
                rejection = rejection or error
                field_to_drop = _culprit(error, body, sampling.max_new_tokens)
                if field_to_drop is not None:
                    _adapt(body, field_to_drop)
                    dropped.append(field_to_drop)
                    continue
                room = self._room(error, body, sampling)
                if room is None:
                    return self._failure(rejection if error.status in REJECTIONS else error, sampling)
                _give_room(body, room)
            else:
                completion = self._checked(read_completion(answer))
                self._remember(dropped)
                declined = sorted(field for field in requested if field not in body)
                return replace(completion, declined=", ".join(declined) or None)

    def _room(self, error: HttpError, body: Body, sampling: Sampling) -> int | None:
        """A smaller token limit for a reply, if the server allows fewer tokens than requested; else None.

        Structured replies rarely fill their token limit, so it can be lowered. The limit of a response is a setting,
        which only the user may change.

        Raises:
            ModelError: A response cannot have the requested number of tokens.
        """
        if error.status not in REJECTIONS:
            return None
        allowed = tokens_allowed(error.said, sampling.max_new_tokens)
        if allowed is None:
            return None
        if sampling.json_schema is None:
            raise ModelError(
                f"{self.id} does not write {sampling.max_new_tokens} tokens per response "
                f"({_one_line(str(error))}). Lower --max-new-tokens to {allowed}; answers so far are kept."
            )
        asked = body.get("max_tokens", body.get("max_completion_tokens"))
        return allowed if isinstance(asked, int) and allowed < asked else None

    def _checked(self, completion: Completion) -> Completion:
        """Compares the name of the model that answered with the requested one.

        Raises:
            TransientError: Another model answered, although the server gave the right name before. This is taken for a
                temporary fallback.
        """
        if completion.served is None:
            return completion
        if same_model(self._asked, completion.served):
            self._served_as_asked = True
        elif self._served_as_asked:
            raise TransientError(f"the server says that another model answered: {completion.served!r}")
        spelled = any(same_name(name, completion.served) for name in (self._asked, self._name))
        return replace(completion, served=None) if spelled else completion

    def _clean(self, completion: Completion) -> Completion:
        """Masks secrets, which a server may echo anywhere."""
        self._answered = self._answered or completion.finish in ("stop", "length")
        return replace(
            completion,
            text=masked(completion.text, data=True),
            thinking=None if completion.thinking is None else masked(completion.thinking, data=True),
            detail=None if completion.detail is None else _one_line(completion.detail),
            served=None if completion.served is None else masked(completion.served),
        )

    def _remember(self, dropped: list[str]) -> None:
        for field in dropped:
            if field not in self._not_taken:
                self._not_taken.add(field)
                _log.warning("%s does not accept `%s`: requests are sent without it.", self.id, field)

    def _failure(self, error: HttpError, sampling: Sampling) -> Completion:
        """Turns an error status into a failed completion, or raises for another attempt or for the end of the run."""
        said = _one_line(str(error))
        if out_of_credit(error.text):
            raise ModelError(f"{self.id} has no credit left ({said}). {self.remedies.get(402, '')}".rstrip())
        finish = _finish_of_rejection(error)
        left = tokens_left(error.said, sampling.max_new_tokens)
        if finish == "rejected" and sampling.json_schema is None and left is not None:
            said = f"{said} It would fit with --max-new-tokens {left}."
        if finish and (error.status != 403 or self._answered):  # else the policy concerns the account
            return Completion(text="", finish=finish, detail=said)
        may_pass = error.status in _TRANSIENT or (error.status >= 500 and error.status not in REJECTIONS)
        # the second condition is for proxies that sometimes redirect to a login
        if may_pass or (error.status < 400 and self._answered):
            raise TransientError(said, error.retry_after, overloaded=error.status == 429)
        of_one = error.status == 400 or (error.status in _OF_ONE_CONVERSATION and self._answered)
        if of_one and not unknown_model(error.text):
            return Completion(text="", finish="error", detail=said)
        remedy = self.remedies.get(
            404 if error.status == 400 else error.status, "Check the model's name and the address."
        )
        raise ModelError(f"{self.id} refused: {said}. {remedy}")


def _one_line(text: str) -> str:
    """Untrusted text as one short line without control characters and secrets."""
    text = " ".join("".join(char if char.isprintable() else " " for char in masked(text)).split())
    text = masked(text)  # again, for secrets that line breaks had split
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."


def _finish_of_rejection(error: HttpError) -> Finish | None:
    """How a rejection ends its conversation, if the server's words say so."""
    if error.status not in _OF_ONE_CONVERSATION and not (error.status >= 500 and exceeds_context(error.text)):
        return None
    if error.status != 403 and too_long(error.status, error.text):
        return "rejected"
    return "refused" if of_policy(error.text) else None


def request_body(name: str, conversation: Conversation, sampling: Sampling) -> Body:
    """The JSON of one request. It sets every parameter that decides the text, since servers' defaults differ."""
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
    """The seed of one request (31 bits), a hash of (seed, conversation, sample) that does not depend on batches."""
    decides = [sampling.seed, sampling.sample, [[message.role, message.content] for message in conversation]]
    return int.from_bytes(hashlib.sha256(json.dumps(decides).encode()).digest()[:4]) >> 1


def _raise_embedded(answer: object) -> None:
    """Raises the error in an answer with status 200, which routers send if the server behind them failed."""
    error = answer.get("error") if isinstance(answer, Mapping) and not answer.get("choices") else None
    if error:
        code = error.get("code") if isinstance(error, Mapping) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 502
        raise HttpError(status, json.dumps({"error": error}, default=str))


def _culprit(error: HttpError, body: Body, asked: int) -> str | None:
    """The optional field that may be the reason why a request was rejected; None if there is none."""
    if error.status not in REJECTIONS or of_policy(error.text):
        return None
    if "max_tokens" in body and "max_completion_tokens" in error.text and not tokens_allowed(error.said, asked):
        return "max_tokens"
    if too_long(error.status, error.text):
        return None
    named = [field for field in _OPTIONAL if field in body and field in error.text]
    if "response_format" in body and "json_schema" in error.text:
        named.insert(0, "response_format")
    explained = unknown_model(error.text) or tokens_allowed(error.said, asked) is not None
    unnamed = [] if explained else [field for field in _BLAMED_UNNAMED if field in body]
    return next(iter(named + unnamed), None)


def _adapt(body: Body, field: str) -> None:
    """Removes a field from a request; `max_tokens` is kept under its newer name."""
    value = body.pop(field, None)
    if field == "max_tokens" and value is not None:
        body["max_completion_tokens"] = value


def _give_room(body: Body, tokens: int) -> None:
    """Sets the token limit of a request, under the name that the server accepts."""
    for field in ("max_tokens", "max_completion_tokens"):
        if field in body:
            body[field] = tokens
