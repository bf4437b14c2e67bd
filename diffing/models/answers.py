"""Parses the JSON answer of a chat-completions server into a `Completion`: text, thinking, token counts, model name.

JSON without an answer (no message, no text, a tool call that was not offered) raises `TransientError`. It never becomes
an empty text, because an empty answer is valid data.
"""

from collections.abc import Mapping

from diffing.models.remote import TransientError
from diffing.models.surrogates import without_surrogates
from diffing.models.thinking import split_thinking
from diffing.types import Completion, Finish

_FINISH: dict[object, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "refused",
    "safety": "refused",
}
"""`Completion.finish` by the server's `finish_reason`; all other reasons mean `stop`."""
_APART = ("reasoning_content", "reasoning", "thinking")
"""Fields in which servers put the thinking beside the answer."""
_MOST_TOKENS = 10**9
"""A larger token count is ignored as invalid."""
_LONGEST_NAME = 200


def read_completion(answer: object) -> Completion:
    """Parses the JSON of a chat completion.

    Returns:
        The completion; its `served` is the model name in the JSON, even if it equals the requested one.

    Raises:
        TransientError: The JSON has no choices, no message, no text, or text of another type.
    """
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise TransientError("the answer is not a chat completion: no choices[0].message in it")
    reason = choice.get("finish_reason")
    if reason == "error":
        raise TransientError("the server broke off the answer with an error")
    finish = _FINISH.get(reason, "stop") if isinstance(reason, str) else "stop"
    written, within = _content(message.get("content"))
    if not written:  # a refusal in words of its own is an answer
        written = _string(message.get("refusal")) or written
    text, opening = split_thinking(without_surrogates(written or ""))
    thoughts = [without_surrogates(each).strip() for each in (_apart(message) or within,) if each]
    if written is None and finish == "stop" and not any(thoughts):
        raise TransientError(_without_text(message, reason))
    usage = answer.get("usage")
    return Completion(
        text=text,
        finish=finish,
        thinking="\n\n".join(part for part in (*thoughts, opening or "") if part) or opening,
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        detail=f"finish_reason: {reason}" if finish == "refused" else None,
        served=_name(answer.get("model")),
    )


def _content(content: object) -> tuple[str | None, str]:
    """The text of a message's content (None if there is none), and the thinking among its parts."""
    if content is None or isinstance(content, str):
        return content, ""
    if not isinstance(content, list):
        raise TransientError(f"the answer's content is not text but {type(content).__name__}")
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        kind = part.get("type", "text") if isinstance(part, Mapping) else "text" if isinstance(part, str) else None
        if kind in ("thinking", "reasoning"):
            thoughts.append(_deep_text(part.get("thinking") or part.get("reasoning") or part.get("text")))
        elif kind in ("text", "output_text", "refusal"):
            text = part if isinstance(part, str) else _string(part.get("text", part.get("refusal")))
            texts += [text] if text is not None else []
    return "".join(texts) if texts else None, "\n\n".join(filter(None, thoughts))


def _deep_text(value: object) -> str:
    """The text of a part, which may itself be a list of parts."""
    if isinstance(value, list):
        return "".join(_string(part.get("text")) or "" for part in value if isinstance(part, Mapping))
    return _string(value) or ""


def _apart(message: Mapping[str, object]) -> str:
    """The thinking in fields beside the content."""
    texts = (_string(message.get(field)) for field in _APART)
    details = message.get("reasoning_details")
    return next((text for text in texts if text and text.strip()), "") or _deep_text(details)


def _without_text(message: Mapping[str, object], reason: object) -> str:
    if message.get("tool_calls") or message.get("function_call"):
        return "the model called a tool instead of answering, although none was offered"
    return f"the answer has no text (content is null, finish_reason {str(reason)[:40]!r})"


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(usage: object, key: str) -> int | None:
    number = usage.get(key) if isinstance(usage, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _MOST_TOKENS else None


def _name(value: object) -> str | None:
    """The model's name in the server's JSON, shortened to one printable line."""
    if not isinstance(value, str) or not value.strip():
        return None
    return " ".join("".join(char if char.isprintable() else " " for char in value[:_LONGEST_NAME]).split()) or None
