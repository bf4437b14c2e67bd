"""Whatever may come back from a server or an LLM: replies, answers, headers. Each ends as one of the allowed outcomes.

`replies()` makes them, `check_reply` drives the real readers with one and raises where anything else comes out.
"""

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from hypothesis import strategies as st

from diffing.judge.judge_questions import JudgeQuestion
from diffing.masking import masked
from diffing.models.answers import read_completion
from diffing.models.json_text import UnreadableJsonError, check_depth, read_json
from diffing.models.rejections import exceeds_context, of_policy, out_of_credit, tokens_allowed, too_long, unknown_model
from diffing.models.remote import TransientError, date_of, retry_after
from diffing.models.served_names import same_model
from diffing.models.server_notes import ServerNotes
from diffing.models.thinking import opened_thinking, split_thinking, unknown_thinking
from diffing.models.transport import HttpError
from diffing.structured_replies import ReplyError, entries, entry, json_value, offered
from diffing.types import Completion, Hypothesis, Message, Pair, Prompt, Response

_PAIR = Pair(
    Prompt("p", (Message("user", "Hi"),), "tests", "heldout"),
    Response("p", "a", "Yes.", "stop"),
    Response("p", "b", "No.", "stop"),
)
_STATEMENTS = tuple(
    Hypothesis(f"llm-{word}", f"<MODEL> is {word}", "a", "llm", "style") for word in ("brief", "kind", "sure")
)
_QUESTION = JudgeQuestion(_PAIR, _STATEMENTS, first="a")
Kind: TypeAlias = Literal["reply", "answer", "header", "error"]


@dataclass(frozen=True)
class Reply:
    """One thing that came back."""

    kind: Kind
    """What an LLM wrote, a server's body, a Retry-After header, or an error's body."""
    text: str
    """It, as it came."""


_MARKS = (
    *("<think>", "</think>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<thought>", "</thought>", "<scratchpad>"),
    *(
        "<|channel|>",
        "<|message|>",
        "<|end|>",
        "<|start|>",
        "analysis",
        "assistantfinal",
        "final",
        "<|begin_of_solution|>",
    ),
)
_JSON_PIECES = (
    *(
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"',
        "\\",
        "null",
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 30,
        "-0",
        "\\ud800",
        "```json",
    ),
    *(
        '"verdicts"',
        '"statement"',
        '"fits"',
        '"1"',
        '"N/A"',
        '{"verdicts": [',
        "\n",
        " ",
        "[" * 70,
        "]" * 70,
        '{"a":' * 40,
    ),
)
_HEADER_PIECES = (
    *(
        "Fri, ",
        "02 ",
        "Jan ",
        "2026 ",
        "03:04:05",
        " GMT",
        " +0000",
        "-",
        "+",
        "9" * 17,
        "inf",
        "nan",
        ".",
        "1",
        "e5",
        "\0",
    ),
    *("0001 ", "9999 ", "-2359", "٣", "\t", ";", "Thu, 01-Jan-70 ", "24:60:61"),
)
_ERROR_PIECES = (
    *("max_tokens", " must be <= ", "512", ", ", "too large", "context length is ", "4096 tokens", " in the messages"),
    *(
        "content_filter",
        "insufficient_quota",
        "model ",
        "not found",
        '{"error": {"message": "',
        '"}}',
        "\n",
        "Bearer abc123456",
    ),
    *("999,999,999,999", "8193 (exclusive)", "prompt", " is too long", "://u:p@h", "api_key=", "sk-", "x" * 40),
)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1", "2", "N/A", "n/a "])
)
_keys = st.sampled_from(["verdicts", "statement", "fits", "differences", "rating", "same"]) | st.text(max_size=5)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4), max_leaves=12
)


def _joined(*pieces: str) -> st.SearchStrategy[str]:
    piece = st.sampled_from(pieces) | st.text(max_size=6) | st.characters()
    return st.lists(piece, max_size=25).map("".join)


def _verdicts() -> st.SearchStrategy[str]:
    """Replies of a judge, nearly right."""
    item = st.fixed_dictionaries({}, optional={"statement": _scalars, "fits": _scalars, "why": _values}) | _values
    whole = st.lists(item, max_size=6).map(lambda listed: {"verdicts": listed}) | _values
    dressed = st.sampled_from(["{}", "```json\n{}\n```", "I think: {} so.", "<think>{}</think>{}", "{} {}"])
    return st.builds(lambda dress, value: dress.replace("{}", json.dumps(value)), dressed, whole)


def _answers() -> st.SearchStrategy[str]:
    """Bodies of chat completions, nearly right."""
    text = _joined(*_MARKS) | _values
    part = st.fixed_dictionaries(
        {}, optional={"type": st.sampled_from(["text", "thinking", "x"]), "text": text, "thinking": _values}
    )
    message = st.fixed_dictionaries(
        {},
        optional={
            "content": st.none() | text | st.lists(part | _values, max_size=3),
            **dict.fromkeys(("reasoning_content", "reasoning", "reasoning_details", "refusal", "tool_calls"), _values),
        },
    )
    reason = st.sampled_from(["stop", "length", "content_filter", "error", "tool_calls"]) | _values
    choice = st.fixed_dictionaries({}, optional={"message": message | _values, "finish_reason": reason})
    usage = st.fixed_dictionaries({}, optional={"prompt_tokens": _values, "completion_tokens": _values}) | _values
    whole = st.fixed_dictionaries(
        {}, optional={"choices": st.lists(choice | _values, max_size=2) | _values, "model": _values, "usage": usage}
    )
    return whole.map(json.dumps) | _joined(*_JSON_PIECES)


def replies() -> st.SearchStrategy[Reply]:
    """Everything at once."""
    return st.one_of(
        st.builds(Reply, st.just("reply"), _verdicts() | _joined(*_JSON_PIECES) | _joined(*_MARKS)),
        st.builds(Reply, st.just("answer"), _answers()),
        st.builds(Reply, st.just("header"), _joined(*_HEADER_PIECES)),
        st.builds(Reply, st.just("error"), _joined(*_ERROR_PIECES) | _joined(*_JSON_PIECES)),
    )


def check_reply(value: Reply) -> None:
    """Reads it as the package does.

    Raises:
        AssertionError: What came out is none of the allowed outcomes.
        Exception: Whatever a reader should have caught.
    """
    _CHECKS[value.kind](value.text)


def _short(error: Exception) -> None:
    """Reasons are told in reports."""
    assert 0 < len(str(error)) < 200


def _reply(text: str) -> None:
    answer, thinking = split_thinking(text)
    assert isinstance(answer, str)
    assert thinking is None or isinstance(thinking, str)
    assert (
        len(answer) + len(thinking or "")
        <= len(text) + 2 * text.count("<") + 2 * text.count("[") + 2 * text.count("◁") + 2
    )
    mark = unknown_thinking(answer)
    assert mark is None or (mark in answer and len(mark) < 200)
    assert opened_thinking(text) in text
    assert isinstance(masked(text, data=True), str)
    try:
        found = json_value(answer)
    except ReplyError as error:
        _short(error)
        return
    check_depth(found)
    json.dumps(found).encode()
    for read in (lambda: _QUESTION.parse(found), lambda: entry(found, "rating"), lambda: offered(found, ("1", "2"))):
        try:
            read()
        except ReplyError as error:
            _short(error)
    if isinstance(found, dict | list):
        try:
            assert isinstance(entries(found, "verdicts"), list)
        except ReplyError:
            return
        assert len(_QUESTION.parse(found)) == 3


def _answer(text: str) -> None:
    try:
        completion = read_completion(read_json(text))
    except (UnreadableJsonError, TransientError) as error:
        _short(error)
        return
    assert isinstance(completion, Completion)
    assert completion.finish in ("stop", "length", "refused")
    for each in fields(completion):
        kept: Any = getattr(completion, each.name)
        assert kept is None or isinstance(kept, str if each.name not in ("prompt_tokens", "completion_tokens") else int)
        if isinstance(kept, str):
            kept.encode()
        elif kept is not None:
            assert 0 <= kept < 2**63
    assert isinstance(ServerNotes([completion]).notes("model A"), tuple)
    if completion.served:
        assert completion.served.isprintable()
        assert same_model(completion.served, completion.served)


def _header(text: str) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    seconds = retry_after(text, now)
    assert seconds is None or 0.0 <= seconds <= 31 * 86_400
    moment = date_of(text)
    assert moment is None or moment.tzinfo is UTC


def _error(text: str) -> None:
    error = HttpError(400, text)
    masked(str(error)).encode(errors="replace")
    for asked in (1, 1024, 10**6):
        allowed = tokens_allowed(error.said, asked)
        assert allowed is None or 0 < allowed <= asked
    for read in (exceeds_context, of_policy, out_of_credit, unknown_model):
        assert isinstance(read(text), bool)
    assert isinstance(too_long(400, text), bool)


_CHECKS = {"reply": _reply, "answer": _answer, "header": _header, "error": _error}
