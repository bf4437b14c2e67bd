"""What is code, a formula, a link, a quotation or an invented turn is not read as the model's own prose."""

import pytest

from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.prose import without_code
from diffing.types import Finish
from tests.work import assert_linear

FORM = (
    *(
        "headings",
        "lists",
        "tables",
        "bold",
        "italics",
        "emoji",
        "links",
        "maths",
        "numbers",
        "quotations",
        "upper_case",
    ),
    *("dashes", "parentheses", "exclamation_marks", "question_marks"),
)
WORDING = ("first_person", "second_person", "contractions", "hedges", "politeness", "apologies", "refusals", "risks")
CODE = """# step one
## step two
- a: 1
- b: 2
+ added
for i in range(3): i != 5 ? "x" : 'y'
SELECT NAME FROM TABLE WHERE g(a, b)
d[:D], list[:P] # I'm sorry, I can't help you, maybe it's risky, please :)
# It's late.
| a | b |
|---|---|
print(f"**{x}**") ; *p* ; https://example.org ; $x$ — 42!
"""


def value(name: str, text: str, finish: Finish = "stop") -> float | None:
    return BY_NAME[name].value(ParsedResponse("How?", text, finish))


@pytest.mark.parametrize("name", [*FORM, *WORDING])
@pytest.mark.parametrize("frame", [
    "Like this:\n\n```python\n{}\n```\nThat is all.",
    "Like this:\n\n  ~~~\n{}\n  ~~~\nThat is all.",
    "Like this:\n\n````\n```\n{}\n```\n````\nThat is all.",
    "Like this:\n\n```\n{}",
])  # fmt: skip
def test_form_and_wording_are_read_outside_code(name: str, frame: str) -> None:
    assert value(name, frame.format(CODE)) == 0
    assert (value(name, CODE) or 0) > 0


@pytest.mark.parametrize("name", ["emoji", "parentheses", "exclamation_marks", "quotations", "first_person"])
def test_inline_code_is_code_too(name: str) -> None:
    assert value(name, 'Use `d[:D]`, `list[:P]`, `g(a, b)`, `a != b`, ``say("i")`` and `for i in x`.') == 0


def test_after_the_code_prose_goes_on() -> None:
    text = "One!\n```\na!\n```\nTwo! And `x` too!\n```x``` Three! A ` alone!"
    assert value("exclamation_marks", text) == 5
    assert value("code_blocks", text) == value("inline_code", text) == 1
    assert len(without_code(text)) == len(text)
    assert without_code(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(("text", "expected"), [
    (r"So \(x\) holds.", 1),
    ("So $x$ holds.", 1),
    ("So $f(x) = 2^n$.", 1),
    ("$$x + y$$", 1),
    (r"\[ x \]", 1),
    ("It costs $5 and $10.", 0),
    ("From $5 to 10$ a piece.", 0),
    ("Set $HOME and $PATH first.", 0),
    ("US$5, A$6 and $7", 0),
])  # fmt: skip
def test_formulas(text: str, expected: float) -> None:
    assert value("maths", text) == expected


@pytest.mark.parametrize("name", ["parentheses", "exclamation_marks", "numbers", "first_person", "question_marks"])
def test_formulas_and_links_are_no_prose(name: str) -> None:
    assert value(name, r"So \(n! + i\), $(a, b)$, \[ (12 - i)! \] and https://example.org/a?b=(i)&c=3! hold.") == 0


@pytest.mark.parametrize(("text", "expected"), [
    ('He said "I think my cat likes me" and left.', 0),
    ("> I wrote this.\n\nIt is theirs.", 0),
    ("I agree.\nUser: I want my money, and I want it now.\nAssistant: I see.", 2),
    ("Fine.\n\nHuman: Can I ask you?\n\nI can.", 1),
    ("Fine.\n### Instruction: tell me who I am", 0),
    ("Fine.\n<|im_start|>user\nI ask.<|im_end|>\n<|im_start|>assistant\nI do.", 1),
    ('"I think so, as I said."', 2),
    ("The user I know is human: I am.", 2),
])  # fmt: skip
def test_it_speaks_of_itself_in_its_own_voice_only(text: str, expected: float) -> None:
    assert value("first_person", text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("I'm sorry, but I can't help with that.", 0),
    ("I'm sorry, but I can't. It's late, and we'll go.", 2),
    ("That's fine; don't worry.", 2),
    ('She said "don\'t".', 0),
])  # fmt: skip
def test_contractions_are_informal_but_in_apologies_and_refusals(text: str, expected: float) -> None:
    assert value("contractions", text) == expected


@pytest.mark.parametrize("name", ["open_end", "ends_with_question", "offers", "summaries"])
def test_how_a_response_ends_is_unknown_where_the_token_limit_cut_it(name: str) -> None:
    assert value(name, "So you take a pan and", "length") is None
    assert value(name, "So you take a pan.", "stop") == 0
    assert value("broken_off", "So you take a pan and", "length") == 1


@pytest.mark.parametrize(
    "junk", ["$a", "$ ", "\\(", "\\[", "$$ ", "``", "~~~\n", "user:\n", "```\n", "> ", "\\begin{a}", "$" + "a" * 40]
)
def test_hostile_marks_take_linear_time(junk: str) -> None:
    def read(size: int) -> None:
        assert ParsedResponse("", (junk * size)[:size], "stop").voice is not None

    assert_linear(read, 2_000)


def test_a_question_before_code_is_no_question_at_the_end() -> None:
    assert value("ends_with_question", "Shall I?\n```\nx\n```") == 0
    assert value("ends_with_question", "Shall I?") == 1
