"""Model cards as people and tools write them, with what becomes of each when a section is put into it."""

from dataclasses import dataclass

from diffing.outputs.card.markers import between_markers
from tests.outputs.card.spellings import CLOSED, OFF, OFF_IN_TEXT, OPEN

OLD = between_markers("## Behavioral differences\n\nThis model is terse.\n", {"with": "org/base@1a2b3c4"})
NEW = between_markers("## Behavioral differences\n\nThis model is verbose.\n", {"with": "org/base@5d6e7f8"})
BEGIN, END = OLD.split("\n")[0], OLD.split("\n")[-1]
EDITED = OLD.replace("is terse", "is terse, but kind")

YAML = "---\nlicense: mit\ntags:\n- text-generation\n---\n"
ODD_YAML = (
    """---
# a comment that a round trip through a parser loses
license: "apache-2.0"
language: ['en',   "no"]
no: off
tags:
    - chat
    - chat
    - 'quoted: yes'
datasets: null
widget:
- text: "a very long line that some tools would wrap, """
    + "word " * 40
    + """"
---
"""
)
SEVERAL_RESULTS = """---
model-index:
- name: one
  results:
  - task: {type: text-generation}
    dataset: {name: a, type: a}
    metrics: [{type: acc, value: 0.5}]
- name: two
  results: []
---
"""
BODY = "# Tern\n\nA small model.\n\n## Citation\n\n```bibtex\n@misc{tern}\n```\n"
LARGE = "# Large\n\n" + "".join(
    f"{i}. " + "words with `code` and [a link](https://example.com) " * 12 + "\n" for i in range(500)
)
FENCED = f"# How to\n\n```html\n{OLD}\n```\n\nText.\n"
NESTED = f"# How to\n\n````markdown\n```html\n{BEGIN}\n```\n{END}\n````\n\nText.\n"


@dataclass(frozen=True)
class Case:
    """A card, and what it is refused for, if it is."""

    card: bytes
    refused: str | None = None
    """Part of the reason; None: the section is written."""
    replaced: bool = False
    """Whether it has a section, which is replaced."""


def card(text: str, **expected: object) -> Case:
    return Case(text.encode(), **expected)  # type: ignore[arg-type]


CORPUS: dict[str, Case] = {
    "missing": card(""),
    "one newline": card("\n"),
    "only white space": card("  \n\t"),
    "only YAML": card(YAML),
    "only YAML, no final newline": card(YAML.rstrip()),
    "no YAML": card(BODY),
    "no final newline": card(YAML + "# Tern\n\nThe end."),
    "many final newlines": card(YAML + BODY + "\n\n\n"),
    "YAML comments, quotes, duplicate tags": card(ODD_YAML + BODY),
    "several model-index entries": card(SEVERAL_RESULTS + BODY),
    "YAML that does not parse": card("---\ntags: [a\nlicense: : mit\n---\n" + BODY),
    "YAML with a marker": card(f"---\nlicense: mit # {BEGIN}\n---\n" + BODY),
    "YAML never closed": card("---\nlicense: mit\n\n# Tern\n"),
    "empty YAML": card("---\n---\n" + BODY),
    "blank lines before YAML": card("\n\n" + YAML + BODY),
    "trailing space after YAML": card(YAML.rstrip() + "  \n" + BODY),
    "rules in the body": card(YAML + "# Tern\n\n---\n\nText\n---\n\n***\n"),
    "YAML-like block in the body": card("# Tern\n\n" + YAML),
    "CRLF": card((YAML + BODY).replace("\n", "\r\n")),
    "CRLF with a section": card((YAML + BODY + "\n" + OLD + "\nMore.\n").replace("\n", "\r\n"), replaced=True),
    "lone carriage returns": card(BODY.replace("\n", "\r")),
    "mixed line endings": card("# Tern\r\n\r\nOne.\nTwo.\r\nThree.\rFour.\n"),
    "section with other line endings": card(BODY.replace("\n", "\r\n") + OLD + "\n", replaced=True),
    "byte order mark": card("\ufeff" + YAML + BODY),
    "only a byte order mark": card("\ufeff"),
    "byte order mark, then a section": card("\ufeff" + OLD + "\n", replaced=True),
    "emoji and scripts": card(YAML + "# 🦜🏽‍♂️ Tern\n\nمرحبا 你好 שלום e\u0301\u2028line\u0085next\x0bpage\x0cend\n"),
    "null bytes": card("# Tern\0\n\nText \0 text\n"),
    "300 KB": card(YAML + LARGE),
    "300 KB with a section": card(YAML + LARGE + "\n" + OLD + "\n\n" + LARGE, replaced=True),
    "HTML blocks": card('<div align="center">\n<img src="x.png">\n</div>\n\n<details>\n\ny\n</details>\n'),
    "HTML block at the end": card("# Tern\n\n<p>\nno blank line after this"),
    "comments": card("<!-- This model card has been generated automatically -->\n\n# Tern\n<!-- TODO -->\n"),
    "table at the end": card("| a | b |\n|---|---|\n| 1 | 2 |"),
    "list at the end": card("- one\n  - two\n    - three"),
    "quotation at the end": card("> a quotation\n> goes on"),
    "link definitions": card("See [1].\n\n[1]: https://example.com\n[begin]: x"),
    "section": card(YAML + BODY + "\n" + OLD + "\n", replaced=True),
    "section in the middle": card(YAML + "# Tern\n\n" + OLD + "\n\n" + BODY, replaced=True),
    "section right under YAML": card(YAML + OLD, replaced=True),
    "section between lines": card("text\n" + OLD + "\ntext\n", replaced=True),
    "section without anything else": card(OLD, replaced=True),
    "section under a fenced example": card(FENCED + "\n" + OLD + "\n", replaced=True),
    "section in collapsed HTML": card(f"<details>\n\n{OLD}\n\n</details>\n", replaced=True),
    "spaces after the markers": card(OLD.replace(END, END + "  ") + "\nMore.\n", replaced=True),
    "section in a code fence": card(FENCED),
    "section in tildes": card(f"~~~\n{OLD}\n~~~\n"),
    "nested fences": card(NESTED),
    "fence in a list": card(f"- x\n\n  ```\n  {BEGIN}\n  ```\n"),
    "indented code": card(f"# Tern\n\n    {BEGIN}\n    {END}\n"),
    "markers as inline code": card(f"Put `{BEGIN}` and `{END}` around it, or `<!-- model-diff: off -->`.\n"),
    "other tool's markers": card("<!-- ALL-CONTRIBUTORS-LIST:START -->\n<!-- model-different:begin -->\nx\n"),
    "unclosed fence": card("# Tern\n\n```python\nprint()\n", refused="not closed"),
    "unclosed comment": card("# Tern\n\n<!-- notes\n", refused="not closed"),
    "unclosed pre": card("# Tern\n\n<pre>\nx\n", refused="not closed"),
    "begin without end": card(BODY + BEGIN + "\nText\n", refused="begin or an end is missing"),
    "end without begin": card(BODY + END + "\n", refused="begin or an end is missing"),
    "end before begin": card(f"{END}\n\n{BEGIN}\n", refused="the end comes before the begin"),
    "two sections": card(OLD + "\n\n" + OLD + "\n", refused="more than one section"),
    "two begins": card(BEGIN + "\n" + OLD + "\n", refused="begin or an end is missing"),
    "nested sections": card(f"{BEGIN}\n{OLD}\n{END}\n", refused="more than one section"),
    "end in a fence": card(f"{BEGIN}\n```\n{END}\n```\n", refused="begin or an end is missing"),
    "markers on one line": card(f"{BEGIN} text {END}\n", refused="shares its line"),
    "marker in a paragraph": card(f"Text {BEGIN}\nmore {END} text.\n", refused="shares its line"),
    "section in a quotation": card("> " + OLD.replace("\n", "\n> ") + "\n", refused="shares its line"),
    "section in a list": card("- " + OLD.replace("\n", "\n  ") + "\n", refused="shares its line"),
    "edited by a person": card(YAML + BODY + EDITED + "\n", refused="edited by hand"),
    "text put under the heading": card(OLD.replace("\n\n", "\n\nBy us:\n\n", 1), refused="edited by hand"),
    "hash taken out": card("<!-- model-diff:begin -->" + OLD.removeprefix(BEGIN), refused="edited by hand"),
    "opted out": card(YAML + BODY + "<!-- model-diff: off -->\n", refused="opts out of this section"),
    "opted out in capitals": card("<!--MODEL-DIFF:OFF-->\n" + BODY, refused="opts out of this section"),
    "opted out within a line": card("Text <!-- model-diff: off --> text\n", refused="opts out of this section"),
    "opted out with a reason": card("<!-- model-diff: off\nnot wanted -->\n", refused="opts out of this section"),
    "opted out, with a section": card(OLD + "\n\n<!-- model-diff: off -->\n", refused="opts out of this section"),
    "opted out in YAML": card("---\nmodel-diff: off\n---\n" + BODY, refused="opts out of this section"),
    **{
        f"opted out in YAML as {each!r}": card(f"---\nx: y\n{each}\n---\n{BODY}", refused="opts out of this section")
        for each in OFF
    },
    **{f"opted out as {each!r}": card(f"{each}\n\n{BODY}", refused="opts out of this section") for each in OFF_IN_TEXT},
    "the wish as an example": card("Write `<!-- model-diff: off -->` to have none.\n\n```\nmodel-diff: off\n```\n"),
    "opted in, in YAML": card('---\n"model-diff": on\nother-model-diff: off2\n---\n' + BODY),
    "YAML that talks of it": card("---\ntitle: what model-diff is\nname: model-diff\n---\n" + BODY),
    **{f"left open: {each!r}": card(f"# Tern\n\n{each}\n", refused="not closed") for each in OPEN},
    **{f"closed: {each!r}": card(f"# Tern\n\n{each}\n") for each in CLOSED},
    "UTF-16": Case((YAML + BODY).encode("utf-16"), refused="not in UTF-8"),
    "Latin-1": Case("# Möwe\n".encode("latin-1"), refused="not in UTF-8 .byte 3."),
}  # fmt: skip
