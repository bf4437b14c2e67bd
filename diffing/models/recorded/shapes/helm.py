"""Parses HELM's `scenario_state.json`: all requests of one scenario to one model, with their results."""

from collections.abc import Iterator, Mapping, Sequence

from diffing.models.recorded.shapes.shape import (
    Beside,
    RecordedAnswer,
    RecordingShape,
    asked_in,
    failed,
    finish_of,
    is_none,
    model_at,
    numbered,
    one_turn,
    said_text,
)
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, kind
from diffing.types import Completion


def _read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    states = row.get("request_states")
    if not isinstance(states, Sequence) or isinstance(states, str):
        raise RowError(f"`request_states` must be a list, got {kind(states)}")
    adapter = row.get("adapter_spec")
    model = model_at(adapter) if isinstance(adapter, Mapping) else None
    return numbered("request", states, lambda state: _answers(state, model))


def _answers(state: object, model: str | None) -> Iterator[RecordedAnswer]:
    request, result = (state.get(name) if isinstance(state, Mapping) else None for name in ("request", "result"))
    if not isinstance(request, Mapping):
        raise RowError(f"expected a `request`, got {kind(request)}")
    turns = request.get("messages")
    chat = isinstance(turns, Sequence) and not isinstance(turns, str) and turns
    asked = asked_in(turns, "messages") if chat else one_turn(request.get("prompt"), "prompt")  # type: ignore[arg-type]
    model = model or model_at(request)
    completions = result.get("completions") if isinstance(result, Mapping) else None
    success = str(result.get("success")).casefold() if isinstance(result, Mapping) else "false"
    if not isinstance(result, Mapping) or success == "false" or not completions or is_none(completions):
        error = result.get("error") if isinstance(result, Mapping) else None
        yield RecordedAnswer(messages=asked, completion=failed(error), model=model)
        return
    if not isinstance(completions, Sequence) or not all(isinstance(each, Mapping) for each in completions):
        raise RowError(f"`completions` must be a list of objects, got {kind(completions)}")
    for number, each in enumerate(completions):
        reason = each.get("finish_reason")
        text, thinking = said_text(each.get("text"), "text")
        finish = finish_of(reason.get("reason") if isinstance(reason, Mapping) else reason)
        yield RecordedAnswer(messages=asked, completion=Completion(text, finish, thinking), sample=number, model=model)


HELM = RecordingShape("HELM scenario state", lambda row: "request_states" in row, _read)
