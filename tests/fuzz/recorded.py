"""Files of recorded responses as nobody writes them: every shape with anything in any place, and any bytes at all."""

import copy
import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from diffing.errors import DiffingError
from diffing.models.base import Sampling
from diffing.models.recorded import RecordedModel
from diffing.models.recorded.source import SUFFIXES
from tests.models.written import SHAPES, eval_archive, inspect_log

_MOST_BYTES = 1 << 20
_ROWS = [
    {"id": "a", "prompt": "p", "response": "r", "model": "m", "domain": "d", "finish": "stop"},
    {"id": "b", "prompt": "q", "response": "<think>t</think>s", "model": "m", "domain": "d", "finish": "length"},
]
_WORDS = (
    *("role", "content", "from", "value", "user", "assistant", "system", "tool", "type", "text", "messages", "prompt"),
    *(
        "response",
        "id",
        "choices",
        "turns",
        "resps",
        "arguments",
        "samples",
        "eval",
        "output",
        "stop",
        "length",
        "sample",
    ),
)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=12)
    | st.sampled_from(_WORDS)
    | st.sampled_from(['[{"role": "user", "content": "x"}]', "[{'role': 'user'", "[{}]", "[" * 3000, "<think>"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)  # fmt: skip
"""Any JSON value, in words that mean something to a reader."""


def _templates() -> list[tuple[str, bytes]]:
    """A file of every shape, as it should be."""
    made = []
    for written in SHAPES.values():
        with tempfile.TemporaryDirectory() as folder:
            try:
                path = Path(written.write(Path(folder), copy.deepcopy(_ROWS)).split("+")[0])
            except ImportError:  # Zstandard is optional
                continue
            made.append((path.name, path.read_bytes()))
    return made


_TEMPLATES = _templates()
_LOG = inspect_log(copy.deepcopy(_ROWS))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a value, with a key of it."""
    found = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += [(value, key), *_places(inner)]
    return found


@st.composite
def _changed_values(draw: st.DrawFn) -> tuple[str, bytes]:
    """A shape in which some values are others, are gone, or stand under another name."""
    name, content = draw(st.sampled_from([each for each in _TEMPLATES if each[0].endswith((".json", ".jsonl"))]))
    text = content.decode()
    document = json.loads(text) if text[0] == "[" or "\n" not in text.rstrip() or text[:2] == "{\n" else None
    rows = [json.loads(line) for line in text.splitlines()] if document is None else [document]
    for _ in range(draw(st.integers(1, 3))):
        places = _places(rows)
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        if draw(st.booleans()):
            holder[key] = draw(anything)
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(_WORDS))] = holder.pop(key)
        else:
            del holder[key]
    if len(rows) == 1 and isinstance(rows[0], dict) and "samples" in rows[0] and isinstance(rows[0]["samples"], list):
        if draw(st.booleans()) and all(
            isinstance(each, dict) and {"id", "epoch"} <= each.keys() for each in rows[0]["samples"]
        ):
            return "r.eval", eval_archive(rows[0])
    return name, "\n".join(json.dumps(row) for row in rows).encode()


@st.composite
def _changed_bytes(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of which some bytes are others, or of which a part is missing or there twice."""
    name, content = draw(st.sampled_from(_TEMPLATES))
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        kind = draw(st.integers(0, 3))
        if kind == 0 and changed:
            changed[at] = draw(st.integers(0, 255))
        elif kind == 1:
            del changed[at : at + draw(st.integers(1, 40))]
        elif kind == 2:
            changed[at:at] = draw(st.binary(max_size=8))
        else:
            changed[at:at] = changed[at : at + 40]
    return name, bytes(changed)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A table with columns of which some mean something."""
    columns = draw(
        st.lists(st.sampled_from((*_WORDS, "Prompt", "", "completion", "instruction")), min_size=1, max_size=4)
    )
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",;\t")))
    cells = st.text(max_size=8) | anything.map(str) | anything.map(lambda value: json.dumps(value))
    writer.writerow(columns)
    writer.writerows(draw(st.lists(st.lists(cells, min_size=1, max_size=5), max_size=3)))
    encoding = draw(st.sampled_from(["utf-8", "utf-16", "latin-1", "utf-8-sig"]))
    return draw(st.sampled_from(["r.csv", "r.tsv", "r.jsonl"])), text.getvalue().encode(encoding, "replace")


def _packed(file: tuple[str, bytes]) -> tuple[str, bytes]:
    return f"{file[0]}.gz", gzip.compress(file[1])


def recorded_files() -> st.SearchStrategy[tuple[str, bytes]]:
    """A file's name and its bytes."""
    plain = (
        _changed_values()
        | _changed_bytes()
        | _tables()
        | st.tuples(st.sampled_from([f"r{suffix}" for suffix in SUFFIXES]), st.binary(max_size=60))
    )
    return plain | plain.map(_packed)


def _check_message(message: str) -> None:
    """One line that can be shown anywhere."""
    message.encode()
    assert "\n" not in message


def check_recorded(name: str, data: bytes, folder: Path) -> None:
    """Reads a file as `recorded:` does: rows, or an error in one line; whatever else it raises is a fault.

    Args:
        name: The file's.
        data: Its content.
        folder: Where it is written for the time being.
    """
    path = folder / name
    path.write_bytes(data)
    try:
        model = RecordedModel.open(str(path), most=_MOST_BYTES)
        prompts = [messages for _, messages, _ in model.prompts()]
        model.generate(prompts, Sampling())
    except DiffingError as error:
        _check_message(str(error))
    else:
        for messages in prompts:
            assert messages[-1].role == "user"
            "".join(message.content for message in messages).encode()
    finally:
        path.unlink()
