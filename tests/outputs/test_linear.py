"""Whatever strangers write, reading it takes time that grows with its length alone.

Counted in lines of Python. What is done in C within one of them has a bound of its own: patterns read on from where the
last match ended and look back at nothing but the one that failed; libyaml reads once; texts have at most a megabyte.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from diffing.errors import DiffingError
from diffing.hub import MetadataError, front_matter, metadata_of, pairs_in, read_yaml
from diffing.outputs.card.edit import edit
from diffing.outputs.card.text_diff import changes
from diffing.outputs.dataset.identity import identity_in
from diffing.outputs.examples import excerpt
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.types import Response
from tests.outputs.card.corpus import BEGIN, NEW, OLD
from tests.outputs.card.reading import opted_out
from tests.steps import growth

SIZE = 400
"""Characters of the smaller text."""
MOST = 2.35
"""Growth of the steps when the size doubles: what is square has 4."""
CARDS = (
    *("<!-- model-diff:begin\n", "<!-- model-diff:begin ", f"{BEGIN}\n", f"{BEGIN} ", f"x {BEGIN}\n\n", f"> {BEGIN}\n"),
    *(f"- {BEGIN}\n", f"{OLD}\n\n", f"`{BEGIN}` ", "<!--", "<!-- x -->\n", "<!---->", "-->", "<", "<a ", "<b>", "</b>"),
    *(
        "<details>\n\n",
        "<table>\n",
        "`",
        "` `` ``` ",
        "`a",
        "\\`",
        "[",
        "](",
        "[a]: b\n",
        '[a]: b "\n',
        "*a **",
        "_",
        "![",
    ),
    *("> ", "> > a\n", "- ", "- a\n", "1. a\n", "- a\n  - b\n", "* * *\n", "```\n", "~~~~\n", "    a\n", "\t", "# a\n"),
    *(
        "a\n=\n",
        "---\n",
        "|a|b|\n|-|-|\n",
        "a\n",
        "a\n\n",
        "\n",
        "\r",
        "\0",
        " ",
        "a",
        "model-diff: off ",
        "&#x41;",
        "é",
    ),
)
YAMLS = (
    *(
        "a: b\n",
        "- a\n",
        "[",
        "{",
        "- ",
        "? ",
        "[a, ",
        "{a: ",
        "a:\n ",
        "&a ",
        "- &a b\n",
        "*a ",
        "- *a\n",
        "!!a ",
        "'' ",
    ),
    *(
        '"\\x41',
        "|\n a\n",
        ">\n\n",
        "%A B\n",
        "---\n",
        "# a\n",
        "\n",
        " ",
        "a",
        "1:",
        "9",
        "0x",
        "<<: a\n",
        "a b ",
        "a: 'b\n",
    ),
)
WORDS = (
    *(
        "a",
        "a@",
        "@",
        "a.",
        "a.bb",
        "a.bb/",
        "www.",
        "http:",
        "mailto:",
        "#1",
        "!",
        "-",
        "a-",
        "#a.bb!",
        "aa.bb#",
        ":a",
    ),
    *("`", "\\", "|", "<", "&", "_", "*", "\0", " ", "\u202e", ":a:"),
)


def refused(run: Callable[[], object]) -> None:
    with suppress(DiffingError, MetadataError):
        run()


@pytest.mark.parametrize("unit", CARDS)
def test_a_card(unit: str) -> None:
    def read(size: int) -> None:
        body = unit * (size // len(unit))
        for card in (body, f"{OLD}\nx {body}"):
            refused(lambda card=card: edit(card.encode(), NEW))  # type: ignore[misc]

    assert growth(read, SIZE) < MOST


@pytest.mark.parametrize("unit", YAMLS)
def test_metadata(unit: str) -> None:
    def read(size: int) -> None:
        text = unit * (size // len(unit))
        card = f"---\nmodel-diff: on\n{text}\n---\n"
        refused(lambda: read_yaml(text))
        refused(lambda: list(pairs_in(text)))
        refused(lambda: opted_out(card.encode()))
        identity_in(metadata_of(card.encode()))

    assert growth(read, SIZE) < MOST


def test_aliases_endless_numbers_and_depth_make_nothing_large() -> None:
    names = "abcdefghij"
    lists = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise(names))
    million = f"a: &a [{', '.join('x' * 10)}]\n{lists}"
    assert len(million) < 600
    for text, why in (
        (million, "aliases"),
        ("a: &a {b: 1}\nc: {<<: *a}\n", "aliases"),
        (f"a: {'1:' * 50_000}1", "number"),
        (f"a: {'9' * 5_000}", "number"),
        (f"a: !!int '{'9' * 5_000}'", "number"),
        (f"a: !!binary '{'A' * 5_000}'", "number"),
        ("[" * 60 + "]" * 60, "deep"),
        ("- " * 60, "deep"),
        ("a: 2020-99-99", "no valid"),
        ("? [a]\n: b", "no valid"),
        ("a: b: c", "no valid"),
        ("a: " + "b" * 1_000_001, "1,000,000"),
    ):
        with pytest.raises(MetadataError, match=why):
            read_yaml(text)
        assert metadata_of(f"---\n{text}\n---\n".encode()) == {}
    # what names nothing twice is read as before, a lone surrogate too
    assert read_yaml("a: [1, 2.5, 2020-01-01, ~, on]\nb: &x {c: d}") == read_yaml(
        "b: {c: d}\na: [1, 2.5, 2020-01-01, ~, on]"
    )
    assert read_yaml('a: "\\ud800"') == {"a": "\ud800"}


def test_front_matter_ends_at_the_first_fence_that_ends_it() -> None:
    found = front_matter("\ufeff \n---\r\na: b\n---x\n--- \t\r\nc\n---\n")
    assert found is not None
    assert (found.yaml, found.whole) == ("a: b\n---x", "\ufeff \n---\r\na: b\n---x\n--- \t\r\n")
    assert front_matter("x\n---\na: b\n---\n") is None
    assert front_matter("---\na: b\n") is None


@pytest.mark.parametrize("unit", WORDS)
def test_prose_and_what_becomes_a_link(unit: str) -> None:
    def read(size: int) -> None:
        text = unit * (size // len(unit))
        prose(text, size)
        code_cell(text, size)

    assert growth(read, SIZE) < MOST


def test_what_changes_in_a_card() -> None:
    def compare(size: int) -> None:
        lines = "".join(f"{number % 7}\n" for number in range(size))
        changes(f"x\n{lines}y\n", f"x\n{lines[:0]}{lines}{lines}z\n", "README.md")
        changes(lines, lines.replace("1", "2"), "README.md")

    assert growth(compare, 2 * SIZE) < MOST


def test_quotes_that_almost_match() -> None:
    def look(size: int) -> None:
        text = "a b " * (size // 4)
        quotes = [text.upper() + "c", "A  " * (size // 3), "b", "missing"] + [f"no {number}" for number in range(size)]
        found = excerpt(Response("p", "m", text, "stop"), quotes, 4_000)
        assert len(found.missing) <= 100

    assert growth(look, SIZE) < MOST
    spaced = excerpt(Response("p", "m", "One  TWO\nthree İ four", "stop"), ["two three İ"], 100)
    assert [piece for piece, quoted in spaced.pieces if quoted] == ["TWO\nthree İ"]
