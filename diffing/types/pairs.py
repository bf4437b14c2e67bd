"""Prompts, the responses of two models to them, and a `Pair` of both responses to one prompt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]
Side: TypeAlias = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
Split: TypeAlias = Literal["train", "heldout"]
Finish: TypeAlias = Literal["stop", "length", "refused", "rejected", "error"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    """The role of the speaker."""
    content: str
    """The text of the message."""


Conversation: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A user message, with the preceding turns if there are any, that is sent to both models."""

    id: str
    """Stable identifier, unique in a run."""
    messages: Conversation
    """The messages sent; the last one is the user's."""
    source: str
    """The origin of the prompt: `bundled`, a file name, or a Hub dataset with its revision."""
    split: Split
    """Hypotheses are formed on `train`; `heldout` is only used to test them."""
    domain: str | None = None
    """The subject, if the source gives one; findings can be broken down by it."""

    @property
    def text(self) -> str:
        """The last user message."""
        return self.messages[-1].content


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer to one conversation."""

    text: str
    """The answer without its thinking. An empty answer is valid data."""
    finish: Finish
    """Why generation ended: `stop`, the model ended by itself; `length`, the token limit; `refused`, the provider's
    policy; `rejected`, the model cannot read the prompt (too long, or forbidden by its chat template); `error`, no
    answer after all retries."""
    thinking: str | None = None
    """The thinking that was split off the answer; it is not compared, and shown only on request."""
    prompt_tokens: int | None = None
    """Number of prompt tokens, if known."""
    completion_tokens: int | None = None
    """Number of generated tokens, if known."""
    detail: str | None = None
    """For `refused`, `rejected` and `error`: the reason, in one line."""
    served: str | None = None
    """The name under which the server says it answered; None if that is the requested name in some spelling."""
    declined: str | None = None
    """Settings that the server does not accept and was not sent, such as `temperature, seed`; its defaults applied."""


@dataclass(frozen=True, slots=True)
class Response:
    """One model's answer to one prompt."""

    prompt_id: str
    """The id of the prompt."""
    model: str
    """The model's id: `org/name@commit-sha`, or another id if there is no commit."""
    text: str
    """The answer. An empty answer is valid data."""
    finish: Finish
    """See `Completion.finish`."""
    sample: int = 0
    """The sample number; samples of one model with different numbers are independent."""
    thinking: str | None = None
    """See `Completion.thinking`."""
    prompt_tokens: int | None = None
    """Number of prompt tokens, if known."""
    completion_tokens: int | None = None
    """Number of generated tokens, if known."""

    @classmethod
    def of(cls, prompt: Prompt, model: str, completion: Completion, sample: int) -> Self:
        """Makes a response of a completion.

        Args:
            prompt: The prompt that it answers.
            model: The model's id.
            completion: What the model wrote.
            sample: The sample number.
        """
        return cls(
            prompt_id=prompt.id,
            model=model,
            text=completion.text,
            finish=completion.finish,
            sample=sample,
            thinking=completion.thinking,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt with the responses of both models."""

    prompt: Prompt
    """The prompt."""
    a: Response
    """Model A's response."""
    b: Response
    """Model B's response."""

    def response(self, side: Side) -> Response:
        """The response of one side."""
        return self.a if side == "a" else self.b


def other_side(side: Side) -> Side:
    """The opposite side: `b` for `a`, and `a` for `b`."""
    return "b" if side == "a" else "a"


OnResponse: TypeAlias = Callable[[Side, Prompt, str], None]
"""Callback `on_response(side, prompt, text)` for each response to a prompt, as soon as it is there."""


def ignore_response(side: Side, prompt: Prompt, text: str) -> None:
    """A callback for responses that does nothing."""
