"""Parses output files of OpenAI's Batch API (also written by vLLM), whose prompts are in the input file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diffing.models.recorded.shapes.shape import (
    Beside,
    Companion,
    RecordedAnswer,
    RecordingShape,
    asked_in,
    failed,
    finish_of,
    id_at,
    model_at,
    one_turn,
    said_text,
)
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, kind
from diffing.types import Completion, Conversation, Message


def _fits(row: Row) -> bool:
    return "custom_id" in row and "response" in row


def _read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    id_ = id_at(row, "custom_id")
    if not _fits(row) or id_ is None:
        raise RowError("expected `custom_id` and `response`, as in the first row")
    request = beside.get(id_)
    if beside and request is None:
        raise RowError(f"the input file has no request {id_[:60]!r}")
    asked = _asked(request) if request else ()
    response = row["response"]
    body = response.get("body") if isinstance(response, Mapping) else None
    status = response.get("status_code") if isinstance(response, Mapping) else None
    if not isinstance(body, Mapping) or (status is not None and status != 200):
        yield RecordedAnswer(messages=asked, completion=failed(_reason(row.get("error") or body or status)), id=id_)
        return
    for number, completion in enumerate(_completions(body)):
        yield RecordedAnswer(messages=asked, completion=completion, id=id_, sample=number, model=model_at(body))


def _reason(error: object) -> object:
    """The message inside a server's error."""
    inner = error.get("error", error) if isinstance(error, Mapping) else error
    return inner.get("message", inner) if isinstance(inner, Mapping) else inner


def _completions(body: Mapping[str, object]) -> list[Completion]:
    choices = body.get("choices")
    if isinstance(choices, Sequence) and not isinstance(choices, str) and choices:
        return [_completion(choice) for choice in choices]
    output = body.get("output")  # this is the form of the Responses API
    if isinstance(output, Sequence) and not isinstance(output, str) and output:
        said = [each for each in output if isinstance(each, Mapping) and each.get("type", "message") == "message"]
        if said:
            text, thinking = said_text(said[-1], "output")
            cut = body.get("incomplete_details")
            reason = cut.get("reason") if isinstance(cut, Mapping) else None
            return [Completion(text=text, finish=finish_of(reason), thinking=thinking)]
    raise RowError(f"expected `choices` or `output` in the response's body, got {kind(choices)}")


def _completion(choice: object) -> Completion:
    if not isinstance(choice, Mapping):
        raise RowError(f"`choices` must hold objects, got {kind(choice)}")
    message = choice.get("message", choice.get("text"))
    finish = finish_of(choice.get("finish_reason"))
    if isinstance(message, Mapping) and message.get("content") is None and isinstance(message.get("refusal"), str):
        return Completion(text=str(message["refusal"]), finish="refused")
    text, thinking = said_text(message, "message")
    return Completion(text=text, finish=finish, thinking=thinking)


def _asked(request: Row) -> Conversation:
    body = request.get("body")
    if not isinstance(body, Mapping):
        raise RowError(f"expected a `body` in the input file's request, got {kind(body)}")
    if "messages" in body:
        turns = body["messages"]
        if not isinstance(turns, Sequence) or isinstance(turns, str):
            raise RowError(f"`messages` must be a list of {{role, content}}, got {kind(turns)}")
        return asked_in(turns, "messages")
    column = "prompt" if "prompt" in body else "input"
    asked = one_turn(body.get(column), column)
    instructions = body.get("instructions")
    return (Message("system", instructions), *asked) if isinstance(instructions, str) and instructions else asked


def _inputs(output: Path) -> list[Path]:
    """Possible input files beside the output file: its name with `input` in place of `output`, or a usual name."""
    named = output.name.replace("output", "input").replace("results", "input")
    names = [named, "input.jsonl", "batch_input.jsonl", "batchinput.jsonl", "requests.jsonl"]
    return [output.parent / name for name in dict.fromkeys(names) if name != output.name]


OPENAI_BATCH = RecordingShape(
    "OpenAI batch output", _fits, _read, companion=Companion("input file", "custom_id", _inputs)
)
