"""Our instructions to LLMs, one Markdown file each, and the fence that keeps outside text from becoming instructions.

`render` fills a template; text from models and users enters only as `fence(text)`, and stands between two marker lines
that carry a code which occurs in none of the texts. Knows no model and reads no reply.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import jinja2
from jinja2 import meta

from diffing.rendering import environment, templates_of
from diffing.types import Conversation

_CONTROL = {
    code: "\ufffd"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        *range(0x2028, 0x202F),  # line ends of their own; these and the next turn the direction of what is shown
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),  # half characters, which no request can carry
        *range(0xE0000, 0xE0080),  # invisible copies of ASCII, which some models read
    )
}
_DEFUSED = _CONTROL | {ord("\n"): "\n", ord("\t"): "\t", ord("\r"): " "}
# several small patterns: each is searched by its first character, which is twice as fast as one with alternatives
_SPECIAL = tuple(
    map(
        re.compile,
        (
            r"<[|｜]",  # <|im_end|>, <|eot_id|>, <｜User｜>
            r"\|>",
            r"｜>",
            r"<(?i:(?=/?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|think|tool_call|tool_response|tools)>))",
            r"<(?=</?SYS>>)",
            r"\[(?i:(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|gMASK|sop)\]))",
            r"\[\[(?i:material)",  # this and the next look like our own marker lines
            r"(?i:(?<=material))[ \t]+\w+\]\]",
        ),
    )
)
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "[": "⁅", "]": "⁆"})


@dataclass(frozen=True, slots=True)
class Fenced:
    """Text from outside, ready to be shown to an LLM between markers; made by `fence`."""

    text: str
    """The text, defused."""


Value: TypeAlias = Fenced | list[Fenced] | int
"""What a template can be given. A plain string cannot: whatever is not written in the template itself is fenced."""


def fence(text: str) -> Fenced:
    """Defuses text from outside, character for character, so that a place in the result is the same place in the text.

    Control characters, half and invisible ones become U+FFFD; brackets of chat special tokens (`<|im_end|>`, `[INST]`,
    `</s>`, ...) and of our own markers become look-alikes that no tokenizer and no reader takes for them.
    """
    text = text.translate(_DEFUSED)
    for pattern in _SPECIAL:
        text = pattern.sub(lambda found: found[0].translate(_HARMLESS), text)
    return Fenced(text)


def fence_conversation(messages: Conversation) -> Fenced:
    """Fences what was asked: the user's message alone, or all turns, each with its role, where there are several."""
    if len(messages) == 1:
        return fence(messages[0].content)
    return fence("\n\n".join(f"({message.role}) {message.content}" for message in messages))


def render(name: str, **variables: Value) -> str:
    """Fills a template.

    Each fenced text becomes a block of its own, whatever the text contains:

        [[material CODE
        the text
        material CODE]]

    CODE is the first 16 hexadecimal digits of a hash of the text given first, derived again until it occurs in no text
    of this rendering. So whoever wrote one of the texts cannot close its block, nor open another. Templates tell the
    LLM the code in advance, as `{{ code }}`.

    A template begins with what is the same in every question, byte for byte, so that servers can cache it; what is
    filled in comes below the heading `# Question`. Questions that begin with the same text have the same code, so that
    this text can be cached as well.

    Args:
        name: The template's file name without `.md`.
        variables: All that the template uses, and nothing else, in its order; sequences become lists of blocks.

    Raises:
        TypeError: A variable is plain text, missing, or not used by the template: a bug in the calling code.
    """
    template, used = _load(name)
    if used != variables.keys() | {"code"}:
        raise TypeError(f"template {name} uses {sorted(used - {'code'})}, got {sorted(variables)}")
    code = _code([text for key, value in variables.items() for text in _texts(key, value)])
    return template.render(code=code, **{key: _shown(value, code) for key, value in variables.items()})


def _texts(name: str, value: Value) -> list[Fenced]:
    match value:
        case int():
            return []
        case Fenced():
            return [value]
        case list():
            return value
        case _:
            raise TypeError(f"template variable {name} is plain text; outside text is given as fence(text)")


def _code(texts: Sequence[Fenced]) -> str:
    digest = hashlib.sha256("".join(text.text for text in texts[:1]).encode()).hexdigest()
    while any(digest[:16] in text.text for text in texts):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return digest[:16]


def _shown(value: Value, code: str) -> str | int | list[str]:
    match value:
        case int():
            return value
        case Fenced():
            return f"[[material {code}\n{value.text}\nmaterial {code}]]"
        case list():
            return [f"[[material {code}\n{text.text}\nmaterial {code}]]" for text in value]


@lru_cache
def _load(name: str) -> tuple[jinja2.Template, frozenset[str]]:
    # not HTML: escaping would change the words that are judged; the fence is what keeps them apart
    find = templates_of(__name__)
    templates, file = environment(find, escapes=False), f"{name}.md"
    return templates.get_template(file), frozenset(meta.find_undeclared_variables(templates.parse(find(file) or "")))
