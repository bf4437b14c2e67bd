"""Parses logs of inspect_ai: the initial prompt and the final answer of each sample.

Logs are read without inspect_ai, which cannot be installed together with Gradio, so only fields that are the same in
all of its versions are used.
"""

from collections.abc import Iterator, Mapping, Sequence

from diffing.errors import SettingError
from diffing.models.recorded.shapes.shape import (
    Beside,
    RecordedAnswer,
    RecordingShape,
    asked_in,
    failed,
    finish_of,
    id_at,
    model_at,
    numbered,
    one_turn,
    said_text,
)
from diffing.rows.content import MOST_BYTES
from diffing.rows.table_files import Row, loads
from diffing.rows.turns import RowError, kind
from diffing.rows.zip_archive import read_members
from diffing.types import Completion, Conversation

SUFFIX = ".eval"
"""The ending of archives with one file per sample."""
_HEADERS = ("header.json", "_journal/start.json")
"""The header files of a finished log and of an unfinished one."""
_FIELDS = ("id", "epoch", "input", "messages", "output", "error")
"""The fields that are kept of a sample; its events are many times larger."""


def read_archive(source: str, content: bytes, most: int = MOST_BYTES) -> Row:
    """Reads the log in a `.eval` file into the form of a JSON log.

    Args:
        source: The name of the file, for messages.
        content: The file's bytes.
        most: The maximum size in bytes of everything in the archive.

    Raises:
        SettingError: The file is no such log, or too large.
        MissingExtraError: The library that unpacks it is not installed.
    """
    headers: dict[str, object] = {}
    samples: list[object] = []
    for name, data in read_members(source, content, most):
        is_sample = name.startswith("samples/") and name.endswith(".json")
        if not is_sample and name not in _HEADERS:
            continue
        try:
            value = loads(data.decode())
        except (ValueError, RecursionError):
            raise SettingError(f"{source}, {name[:100]!r}: not JSON. The log is damaged, copy it again") from None
        if not isinstance(value, dict):
            raise SettingError(f"{source}, {name[:100]!r}: expected a JSON object, got {kind(value)}")
        if is_sample:
            samples.append({field: value[field] for field in _FIELDS if field in value})
        else:
            headers[name] = value.get("eval")
    spec = next((headers[name] for name in _HEADERS if name in headers), None)
    if spec is None:
        raise SettingError(f"{source} is no inspect log: expected an archive with {' or '.join(_HEADERS)}")
    return {"eval": spec, "samples": samples}


def _fits(row: Row) -> bool:
    return {"eval", "samples"} <= row.keys()


def _read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    samples, spec = row.get("samples"), row.get("eval")
    if not isinstance(samples, Sequence) or isinstance(samples, str) or not samples:
        raise RowError(f"`samples` must be a list of the log's samples, got {kind(samples)}")
    model = model_at(spec) if isinstance(spec, Mapping) else None
    return numbered("sample", samples, lambda sample: _answers(sample, model))


def _answers(sample: object, model: str | None) -> Iterator[RecordedAnswer]:
    if not isinstance(sample, Mapping):
        raise RowError(f"expected an object, got {kind(sample)}")
    asked = _asked(sample)
    epoch = sample.get("epoch", 1)
    if not isinstance(epoch, int) or epoch < 1:
        raise RowError(f"`epoch` must be a number from 1, got {str(epoch)[:30]!r}")
    completion = _completion(sample)
    yield RecordedAnswer(messages=asked, completion=completion, id=id_at(sample, "id"), sample=epoch - 1, model=model)


def _asked(sample: Mapping[str, object]) -> Conversation:
    """The turns before the first generated one, as solvers prepared them; else the input of the sample."""
    turns = sample.get("messages")
    if isinstance(turns, Sequence) and not isinstance(turns, str) and turns:
        own = [number for number, turn in enumerate(turns) if _is_generated(turn)]
        said = own or [number for number, turn in enumerate(turns) if _role(turn) == "assistant"][-1:]
        return asked_in(turns[: said[0]] if said else turns, "messages")
    return one_turn(sample.get("input"), "input")


def _role(turn: object) -> object:
    return turn.get("role") if isinstance(turn, Mapping) else None


def _is_generated(turn: object) -> bool:
    return _role(turn) == "assistant" and isinstance(turn, Mapping) and turn.get("source") == "generate"


def _completion(sample: Mapping[str, object]) -> Completion:
    error = sample.get("error")
    output = sample.get("output")
    choices = output.get("choices") if isinstance(output, Mapping) else None
    if error or not isinstance(choices, Sequence) or not choices:
        return failed(error.get("message") if isinstance(error, Mapping) else error)
    first = choices[0]
    if not isinstance(first, Mapping):
        raise RowError(f"`choices` must hold objects, got {kind(first)}")
    text, thinking = said_text(first.get("message"), "message")
    return Completion(text, finish_of(first.get("stop_reason"), "stop_reason"), thinking)


INSPECT = RecordingShape("an inspect log", _fits, _read)
