"""Whatever reads words of strangers takes time that grows with their length alone, also within C.

`outputs/test_linear.py` counts steps of what reads cards; `models/test_thinking.py`, `test_structured_replies.py` and
`test_masking.py` look at responses, replies of LLMs and what is masked.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest

from diffing.errors import DiffingError
from diffing.model_ref import being_typed, parse_spec, read_hub_link, read_ref, without_addresses
from diffing.models import rejections
from diffing.models.answers import read_completion
from diffing.models.json_text import UnreadableJsonError, read_json
from diffing.models.remote import TransientError, retry_after
from diffing.models.served_names import same_model
from diffing.outputs.markdown_escape import prose
from diffing.rows.table_files import SUFFIXES, read_table
from diffing.rows.turns import RowError, turns_in
from diffing.visible_text import several_lines
from tests.fewer import fewer
from tests.work import assert_linear

Reader = Callable[[str], object]


def check(read: Reader, unit: str, size: int) -> None:
    def work(length: int) -> None:
        with suppress(DiffingError, RowError, UnreadableJsonError, TransientError):
            read(unit * (length // len(unit)))

    assert_linear(work, size)


def rejection(text: str) -> None:
    rejections.too_long(400, text)
    rejections.exceeds_context(text)
    rejections.of_policy(text)
    rejections.unknown_model(text)
    rejections.out_of_credit(text)
    rejections.tokens_allowed(text, 1024)
    rejections.tokens_left(text, 1024)
    rejections.tokens_allowed(f"max_tokens must be {text}", 1024)


REJECTIONS = [
    *("9", "9,", "1,1", "9 ", "prompt ", "context", "context ", "model ", "input ", "exceeds ", "longer than "),
    *("9 token", "max_tokens ", "`inputs` tokens ", "messages resulted in ", "request at most ", " (exclusive)"),
]


@pytest.mark.parametrize("unit", fewer(REJECTIONS, ["9", "9,", "model "]))
def test_a_rejection_of_a_server(unit: str) -> None:
    """The smaller text is an eighth of what is read of any rejection."""
    check(rejection, unit, 2_500)


NAMES = [
    "openai:",
    "openai:a",
    "openai:a@",
    "a@https://",
    "a+",
    "a/",
    "providers:",
    "recorded:",
    "hf.co/",
    "#",
    ":",
    ".",
]


@pytest.mark.parametrize("unit", fewer(NAMES, ["openai:", "a+"]))
@pytest.mark.parametrize("read", [without_addresses, being_typed, parse_spec, read_ref, read_hub_link])
def test_the_name_of_a_model(read: Reader, unit: str) -> None:
    check(read, unit, 8_000)


ANSWERS = ["[", '{"a":', '"a",', "1", "9,", "\\", '"', "{}", "-", "NaN,", "1e9,"]


@pytest.mark.parametrize("unit", fewer(ANSWERS, ["[", '{"a":']))
@pytest.mark.parametrize("before", ["", "[", '{"choices": [{"message": {"content": '])
def test_an_answer_of_a_server(before: str, unit: str) -> None:
    check(lambda text: read_completion(read_json(before + text)), unit, 16_000)


@pytest.mark.parametrize("unit", ["9", "-", ".", "2024-", "a/", " ", "Mon, "])
def test_what_else_a_server_says(unit: str) -> None:
    check(lambda text: (retry_after(text), same_model(text, "org/name"), several_lines(text)), unit, 8_000)


FILES = ['"', "a,", "a\n", '",', "a;", "[", '{"a":', '{"a":[1,', '{"a":1}\n', "\n", '"\n', '""', "prompt\n", '"a', "\\"]


@pytest.mark.parametrize("unit", fewer(FILES, ['{"a":1}\n', '"\n']))
@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix != ".parquet"])
def test_a_file(suffix: str, unit: str) -> None:
    check(lambda text: list(read_table("file", suffix, text.encode())), unit, 16_000)


@pytest.mark.parametrize("unit", ["[", "{", "{'a': ", "'a', ", "1+", "-", "(", "'", "\\"])
def test_turns_as_text(unit: str) -> None:
    check(lambda text: turns_in("[{'role': 'user', 'content': " + text, "prompt"), unit, 8_000)


WORDS = ["a", "a.", "a.bb", "a@", "www.", "http:", "a-", "#a.bb!", "aa.bb#", "`", "<", ":a:"]


@pytest.mark.parametrize("unit", fewer(WORDS, ["a.bb", "a@"]))
def test_prose_and_what_becomes_a_link(unit: str) -> None:
    check(lambda text: prose(text, len(text)), unit, 8_000)
