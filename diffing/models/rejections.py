"""Classifies the error messages with which servers reject a request, which every server words differently.

Recognised reasons are a prompt that is too long, too many requested tokens, the provider's policy, an unknown model,
and an account without credit.
"""

import re

REJECTIONS = frozenset({400, 413, 422, 501})
"""HTTP statuses with which servers reject the content of a request, rather than the account or the moment."""
_LONGEST_READ = 20_000
"""Number of characters of a rejection that are read; the reason comes first, and echoes of the request later."""

_FEWEST = 8
"""A smaller number in a rejection cannot be a model's token limit."""

_POLICY = re.compile(
    r"content.?(policy|filter|management)|responsible.?ai|moderation|safety|input was flagged", re.IGNORECASE
)
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum (prompt|input|model) length|max_model_len|exceed_context"
    r"|\b(prompt|inputs?|messages?|request|conversation|query)\b.{0,60}\btoo (long|large|many tokens)"
    r"|too many (input |prompt )?tokens|exceeds? the maximum number of (input )?tokens"
    r"|(prompt|inputs?|messages?|request).{0,40}(longer than|exceeds?|must have less than|at most).{0,60}"
    r"(token|length|limit)"
    r"|input tokens exceed|prompt contains \d+ tokens.{0,60}too large|`inputs` tokens \+ `max_new_tokens` must be"
    r"|payload too large|request entity too large|string_above_max_length",
    re.IGNORECASE | re.DOTALL,
)
_CONTEXT_EXCEEDED = re.compile(
    r"exceed(s|ed)?\b.{0,40}\bcontext|exceed_context|context_length_exceeded"
    r"|longer than.{0,40}context.?(length|window|size)|maximum context length is \d",
    re.IGNORECASE | re.DOTALL,
)
_UNKNOWN_MODEL = re.compile(
    r"model_not_(found|supported)|\bmodel\b.{0,200}(not found|does not exist|not supported)", re.IGNORECASE
)
_OUT_OF_CREDIT = re.compile(r"insufficient_quota|exceeded your current quota", re.IGNORECASE)

_ANSWER_TOKENS = re.compile(
    r"max_?(new_|completion_|output_)?tokens|\bmax(imum)? tokens|maxOutputTokens"
    r"|(completion|output|generated|new) tokens|in the completion",
    re.IGNORECASE,
)
_TOO_HIGH = re.compile(
    r"too (large|high|big|many)|at most|less than|<=?|≤|>|exceed|greater than|range|maximum|must be|up to|limit"
    r"|no more than|longer than",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.-])\d{1,3}(?:,\d{3})+(?![\w-])|(?<![\w.-])\d{1,12}(?![\w-]|[.,]\d)")
_WHOLE = r"(?<![\d,])(\d[\d,]{0,15})"
"""A number, read from its first digit and bounded, so that endless digits neither take long nor overflow."""
_EXCLUSIVE = re.compile(rf"{_WHOLE}\s{{0,9}}\(exclusive\)")
_WHOLE_CONTEXT = re.compile(
    rf"context.?(?:length|window|size)[^\d\"{{}}]{{0,30}}{_WHOLE}(?!\d)|{_WHOLE}(?: token\w{{0,20}})? maximum context"
    r"|`max_new_tokens` must be <= (\d{1,12})\. Given: \d{1,12} `inputs`",
    re.IGNORECASE,
)
_READ = re.compile(
    rf"{_WHOLE} (?:tokens )?(?:in the messages|in (?:the|your) prompt|input tokens|prompt tokens|`inputs` tokens)"
    rf"|messages resulted in {_WHOLE}(?!\d)",
    re.IGNORECASE,
)


def of_policy(text: str) -> bool:
    """Whether the provider's policy forbids an answer to the conversation."""
    return _POLICY.search(text[:_LONGEST_READ]) is not None


def too_long(status: int, text: str) -> bool:
    """Whether the conversation is longer than the model or the server can read."""
    return status == 413 or _TOO_LONG.search(text[:_LONGEST_READ]) is not None


def exceeds_context(text: str) -> bool:
    """Whether the message names the context length as exceeded; some servers send this with a 5xx status."""
    return _CONTEXT_EXCEEDED.search(text[:_LONGEST_READ]) is not None


def unknown_model(text: str) -> bool:
    """Whether the server has no model of the requested name."""
    return _UNKNOWN_MODEL.search(text[:_LONGEST_READ]) is not None


def out_of_credit(text: str) -> bool:
    """Whether the account has no credit left."""
    return _OUT_OF_CREDIT.search(text[:_LONGEST_READ]) is not None


def tokens_allowed(text: str, asked: int) -> int | None:
    """The largest token limit that the server allows, if it rejected a request for asking for too many tokens.

    Args:
        text: The server's message, without the JSON around it.
        asked: The requested number of tokens.

    Returns:
        The largest allowed number for this conversation; None if the message does not say so, or if the answer alone
        would fit and the conversation is what takes the space.
    """
    text = text[:_LONGEST_READ]
    context = _first_number(_WHOLE_CONTEXT, text)
    if context is not None:
        left = context - (_first_number(_READ, text) or 0)
        return left if asked >= context and left > 0 else None
    if not (_ANSWER_TOKENS.search(text) and _TOO_HIGH.search(text)):
        return None
    below = [number for number in map(_number, _NUMBER.findall(text)) if _FEWEST <= number < asked]
    excluded = {_number(found) for found in _EXCLUSIVE.findall(text)}
    return max((number - (number in excluded) for number in below), default=None)


def tokens_left(text: str, asked: int) -> int | None:
    """How many tokens a conversation leaves for its answer, if the server names its context and the prompt's length.

    Args:
        text: The server's message, without the JSON around it.
        asked: The requested number of tokens.

    Returns:
        A number below `asked`; None if no tokens are left, or if the message does not give these numbers.
    """
    text = text[:_LONGEST_READ]
    context, read = _first_number(_WHOLE_CONTEXT, text), _first_number(_READ, text)
    if context is None or read is None:
        return None
    return context - read if 0 < context - read < asked else None


def _first_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return None if found is None else _number(next(group for group in found.groups() if group))


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))
