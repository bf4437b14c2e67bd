"""Splits a model's thinking off its answer. Knows one notation, `<think>...</think>`, and nothing of who wrote it.

Only blocks that open a text or a line count: an answer that speaks about the tags within a sentence keeps them.
"""

import re

_OPEN = re.compile(r"\s*<think>")
_BLOCK = re.compile(r"(?:\A\s*|^[ \t]*)<think>(.*?)</think>[ \t]*(?:\r?\n)*", re.DOTALL | re.MULTILINE)
# Chat templates that end with "<think>" leave the opening tag in the prompt: only the closing one is in the text.
_REST_OF_BLOCK = re.compile(r"\A((?:(?!<think>).)*?)</think>[ \t]*(?:(?:\r?\n)+|\Z)", re.DOTALL)


def split_thinking(text: str) -> tuple[str, str | None]:
    """Splits text into the answer and the thinking.

    Args:
        text: What a model wrote.

    Returns:
        The text without its `<think>...</think>` blocks, and what stood in them (None where there were none). An
        unclosed block at the beginning is all thinking: the answer is empty. A closing tag without an opening one
        (that stood in the prompt) ends the thinking.
    """
    thoughts: list[str] = []
    if "</think>" in text:
        if rest := _REST_OF_BLOCK.match(text):
            thoughts.append(rest[1])
            text = text[rest.end() :]
        thoughts += _BLOCK.findall(text)
        text = _BLOCK.sub("", text)
    if unclosed := _OPEN.match(text):
        thoughts.append(text[unclosed.end() :])
        text = ""
    if not thoughts:
        return text, None
    return text, "\n\n".join(thought.strip() for thought in thoughts)
