"""Logs of inspect_ai. Of what happened in a sample, the final answer to what the model was first shown."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence

from diffing.errors import MissingExtraError, SettingError
from diffing.models.recorded.shapes.shape import (
    Answer,
    Beside,
    Shape,
    asked_in,
    failed,
    finish_of,
    id_at,
    one_turn,
    said_texts,
    text_at,
)
from diffing.rows.content import MOST_BYTES
from diffing.rows.tables import Row, first_line
from diffing.rows.turns import RowError, kind
from diffing.types import Completion, Conversation

SUFFIX = ".eval"
_MOST_MEMBERS = 200_000


def read_archive(source: str, content: bytes, most: int = MOST_BYTES) -> Row:
    """The log in a `.eval` file, read by inspect_ai.

    Args:
        source: What messages call the file.
        content: The file's bytes, a zip archive.
        most: Bytes of all that is in it.

    Raises:
        MissingExtraError: inspect_ai is not installed.
        SettingError: It is no such log, or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # reads no member further than it says it is long
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise SettingError(f"{source} is not an inspect log that can be read ({first_line(error)})") from None
    if sum(member.file_size for member in members) > most or len(members) > _MOST_MEMBERS:
        raise SettingError(f"{source} unpacks to more than {most >> 20} MB: expected a smaller log")
    try:
        from inspect_ai.log import read_eval_log
    except ImportError:
        raise MissingExtraError("Reading .eval files", "inspect") from None
    try:
        log = read_eval_log(io.BytesIO(content), format="eval")
    except Exception as error:  # noqa: BLE001  of zip, zstandard, JSON or pydantic: the library passes all of them on
        raise SettingError(f"{source} is not an inspect log that can be read ({first_line(error)})") from None
    fields = {"id", "epoch", "input", "messages", "output", "error", "attachments"}
    samples = [sample.model_dump(include=fields) for sample in log.samples or ()]
    return {"eval": {"model": log.eval.model}, "samples": samples}


def _fits(row: Row) -> bool:
    return {"eval", "samples"} <= row.keys()


def _read(row: Row, beside: Beside) -> Iterator[Answer]:
    samples, spec = row.get("samples"), row.get("eval")
    if not isinstance(samples, Sequence) or isinstance(samples, str) or not samples:
        raise RowError(f"`samples` must be a list of the log's samples, got {kind(samples)}")
    model = text_at(spec, "model") if isinstance(spec, Mapping) else None
    for number, sample in enumerate(samples, start=1):
        try:
            yield from _answers(sample, model)
        except RowError as error:
            raise RowError(f"sample {number}: {error}") from None


def _answers(sample: object, model: str | None) -> Iterator[Answer]:
    if not isinstance(sample, Mapping):
        raise RowError(f"expected an object, got {kind(sample)}")
    asked = _asked(sample)
    epoch = sample.get("epoch", 1)
    if not isinstance(epoch, int) or epoch < 1:
        raise RowError(f"`epoch` must be a number from 1, got {str(epoch)[:30]!r}")
    completion = _completion(sample)
    yield Answer(messages=asked, completion=completion, id=id_at(sample, "id"), sample=epoch - 1, model=model)


def _asked(sample: Mapping[str, object]) -> Conversation:
    """What stands before the first turn that the model generated, as solvers made it; else the input."""
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
    [(text, thinking)] = said_texts(first.get("message"), "message")
    return Completion(text, finish_of(first.get("stop_reason"), "stop_reason"), thinking)


INSPECT = Shape("an inspect log", _fits, _read)
