"""Parses recordings with a prompt and a response column: ours, alpaca_eval's, TRL's, or columns named by the user."""

from collections.abc import Iterator, Mapping, Sequence

from diffing.errors import SettingError
from diffing.models.recorded.shapes.chats import read_messages
from diffing.models.recorded.shapes.shape import (
    Beside,
    RecordedAnswer,
    RecordingShape,
    finish_at,
    id_at,
    model_at,
    one_turn,
    said_texts,
    text_at,
)
from diffing.rows.column_names import find_column, listed
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, kind, turns_in
from diffing.types import Completion, Conversation

PROMPTS = ("messages", "prompt", "instruction", "question")
ANSWERS: Mapping[str, Sequence[str]] = {
    "response": PROMPTS,
    "completion": ("messages", "prompt"),
    "output": ("instruction",),
    "answer": ("question",),
}
"""Possible response columns, with their prompt columns. In other pairs, the text may be a reference answer."""
RIVALS = ("prediction", "predict", "generation", "generated_text", "model_output", "model_response")
"""Columns with a model's output; if one exists, `output` or `answer` beside it is the reference answer."""
FIELDS = ("prompt", "messages", "response", "id", "model", "domain", "finish", "sample")
"""The fields that `--columns` can assign."""
EXAMPLE = "--columns prompt=question,response=text"


def _fits(row: Row) -> bool:
    return bool(_pairs(row))


def _pairs(row: Row) -> list[tuple[str | None, str]]:
    """The possible pairs of prompt and response columns; rows with only ids have no prompt."""
    found = []
    for name, prompts in ANSWERS.items():
        response, prompt = find_column(row, (name,)), find_column(row, prompts)
        if response and (prompt or (name == "response" and find_column(row, ("id",)))):
            found.append((prompt, response))
    return found


def _read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    prompt, response = _pair(row)
    messages = () if prompt is None else _messages(row, prompt)
    sample = _sample(row)
    for number, (text, thinking) in enumerate(said_texts(row[response], response)):
        yield RecordedAnswer(
            messages=messages,
            completion=Completion(text=text, finish=finish_at(row), thinking=thinking),
            id=id_at(row, "id"),
            sample=sample + number,
            model=model_at(row),
            domain=text_at(row, "domain"),
        )


def _pair(row: Row) -> tuple[str | None, str]:
    pairs = _pairs(row)
    if not pairs:
        raise _unusable(row)
    rivals = [column for name in RIVALS if (column := find_column(row, (name,)))]
    if pairs[0][1].casefold() != "response" and len(pairs) + len(rivals) > 1:
        both = " or ".join(repr(column) for column in (*(response for _, response in pairs), *rivals))
        raise RowError(f"the response may be {both}. Say which, for example {EXAMPLE}")
    return pairs[0]


def _unusable(row: Row) -> RowError:
    return RowError(
        f"expected columns `prompt` (or `messages`, or `id`) and `response`, got {listed(row)}. "
        f"Other names can be given, for example {EXAMPLE}"
    )


def _messages(row: Row, column: str) -> Conversation:
    value = row[column]
    if column.casefold() == "messages" and value is not None:
        try:
            turns = turns_in(value, column)
        except RowError:
            turns = None
        if turns is None:
            raise RowError(f"`messages` must be a list of {{role, content}}, or one as JSON, got {kind(value)}")
        return one_turn(turns, column)
    if column.casefold() == "messages":
        prompt = find_column(row, PROMPTS[1:])
        return one_turn(row[prompt] if prompt else None, prompt or "prompt")
    extra = row.get("input") if column.casefold() == "instruction" else None
    whole = isinstance(value, str) and isinstance(extra, str) and extra.strip()
    return one_turn(f"{value}\n\n{extra}" if whole else value, column)  # instruction data split one prompt in two


def _sample(row: Row) -> int:
    column = find_column(row, ("sample",))
    value = row[column] if column else None
    if value is None or value == "":
        return 0
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RowError(f"`sample` must be a number 0, 1, ..., got {text[:30]!r}")
    return int(text)


COLUMNS = RecordingShape("rows with a prompt and a response", _fits, _read)
ALPACA_EVAL = RecordingShape(
    "alpaca_eval outputs", lambda row: {"instruction", "output", "generator"} <= row.keys(), _read
)


def named_columns(text: str) -> RecordingShape:
    """The shape that `--columns` describes.

    Args:
        text: The column of each field, such as `prompt=question,response=choices.0.text`. A dot leads into an
            object or a list.

    Raises:
        SettingError: The text does not name a response column and a prompt column.
    """
    named: dict[str, str] = {}
    for part in text.split(","):
        field, is_, column = (each.strip() for each in part.partition("="))
        if field not in FIELDS or not is_ or not column or field in named:
            raise SettingError(
                f"--columns is {text!r:.80}: expected each of {', '.join(FIELDS)} at most once with the name of a "
                f"column, for example {EXAMPLE}"
            )
        named[field] = column
    alone = "messages" in named and "response" not in named  # the response is the last turn of the column
    if not alone and ("response" not in named or not {"prompt", "messages", "id"} & named.keys()):
        raise SettingError(
            f"--columns is {text!r:.80}: expected `response`, and `prompt`, `messages` or `id` with it; or `messages` "
            "alone, where the last of them is the response"
        )
    reader = read_messages if alone else _read

    def read(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
        yield from reader({field: _at(row, column) for field, column in named.items()}, beside)

    return RecordingShape("rows with the columns given", lambda row: True, read)


def _at(row: Row, column: str) -> object:
    """A column's value, or one inside it."""
    if column in row:
        return row[column]
    value: object = row
    for step in column.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdigit() and len(step) < 7:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            raise RowError(f"there is no {column!r:.60}, which --columns names; got {listed(row)}")
    return value
