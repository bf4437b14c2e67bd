"""Recognises and reads sample files of lm-evaluation-harness (`--log_samples`) for tasks that generate text.

A file contains every document once per filter, with the same raw responses; these raw responses are used.
"""

from collections.abc import Iterator, Mapping, Sequence

from diffing.models.recorded.shapes.shape import (
    Beside,
    RecordedAnswer,
    RecordingShape,
    finish_at,
    model_at,
    one_turn,
    said_text,
)
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, kind
from diffing.types import Completion


def _fits(row: Row) -> bool:
    return {"doc", "arguments"} <= row.keys() and bool({"resps", "filtered_resps"} & row.keys())


def _read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    if not _fits(row):
        raise RowError("expected `doc`, `arguments` and `resps`, as in the first row")
    messages = one_turn(_context(row["arguments"]), "arguments")
    for number, text in enumerate(_responses(row)):
        said, thinking = said_text(text, "resps")
        yield RecordedAnswer(
            messages=messages,
            completion=Completion(text=said, finish=finish_at(row), thinking=thinking),
            sample=number,
            model=model_at(row),
        )


def _context(arguments: object) -> object:
    """The prompt that was sent: in current files `{"gen_args_0": {"arg_0": ...}}`, in older ones a list of arguments.

    A chat that went to a server is logged as JSON, within a list.
    """
    if isinstance(arguments, Mapping):
        requests: list[object] = [each for each in arguments.values() if each is not None]
        first = requests[0] if requests else None
        context = first.get("arg_0") if isinstance(first, Mapping) else first
    else:
        requests = list(arguments) if isinstance(arguments, Sequence) and not isinstance(arguments, str) else []
        context = requests[0] if requests else arguments
        if isinstance(context, Sequence) and not isinstance(context, str) and context:
            context = context[0]
    if isinstance(context, Sequence) and not isinstance(context, str) and len(context) == 1:
        context = context[0]
    return context


def _responses(row: Row) -> list[str]:
    """The texts generated for a document by one request, which may be sampled several times."""
    resps = row.get("resps")
    texts = resps if resps is not None else row.get("filtered_resps")
    if isinstance(texts, Sequence) and not isinstance(texts, str) and len(texts) == 1 and not isinstance(texts[0], str):
        texts = texts[0]
    if isinstance(texts, Sequence) and not isinstance(texts, str) and texts:
        if all(isinstance(text, str) for text in texts):
            return [str(text) for text in texts]
        raise RowError("`resps` holds likelihoods of choices, no text: only tasks that generate text can be compared")
    raise RowError(f"`resps` must hold the text that was generated, got {kind(texts)}")


LM_EVAL = RecordingShape("lm-evaluation-harness samples", _fits, _read)
