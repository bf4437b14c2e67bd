"""Splits a model's thinking off its answer in the channel format of gpt-oss (Harmony).

The format is `<|channel|>analysis<|message|>...<|channel|>final<|message|>...`, or, from servers that drop the special
tokens, `analysis...assistantfinal...`.
"""

import re

_MARK = re.compile(r"<\|(start|channel|message|constrain|end|return|call)\|>")
_BEGINS = re.compile(
    r"\s{0,100}(?:(?:<\|start\|>)?assistant\s?)?(?:<\|channel\|>\s?(?:analysis|commentary|final)\b"
    r"|(?:analysis|commentary|final)<\|message\|>)"
)
_BARE_BEGINS = re.compile(r"\s{0,100}(?:assistant)?analysis")
_BARE_FINAL = "assistantfinal"
MARKS = tuple(f"<|{name}|>" for name in ("start", "channel", "message", "constrain", "end", "return", "call"))
"""The markers of the format, which are special tokens in a tokenizer."""


def split_channels(text: str) -> tuple[str, str | None] | None:
    """Splits a text in the channel format into the answer and the thinking.

    Returns:
        The text of the channel `final` and the text of the other channels; None if the text is not in this format.
    """
    if not _BEGINS.match(text):
        return _bare(text)
    answer: list[str] = []
    thoughts: list[str] = []
    channel = mark = ""
    at = 0
    for found in [*_MARK.finditer(text), None]:
        piece = text[at : found.start() if found else len(text)]
        if mark in ("", "channel"):
            channel = next(iter(piece.removeprefix("assistant").split()), channel)
        elif mark == "message":
            (answer if channel == "final" else thoughts).append(piece)
        elif mark in ("end", "return") and piece.strip():  # text outside all channels counts as part of the answer
            answer.append(piece)
        if found:
            mark, at = found[1], found.end()
    return "".join(answer), "\n\n".join(thought.strip() for thought in thoughts) if thoughts else None


def _bare(text: str) -> tuple[str, str | None] | None:
    begins = _BARE_BEGINS.match(text)
    if not begins:
        return None
    thought, final, answer = text[begins.end() :].partition(_BARE_FINAL)
    return (answer, thought.strip()) if final else None
