"""Thinking in what other software puts around it before an answer: Ollama's lines, Open WebUI's element, a code fence.

People write the same words in answers, so each counts only if it opens a text.
"""

import re

_FRAMES = (
    # `ollama run` prints this pair of lines; without the second one the first may be an answer's own words
    (re.compile(r"\s{0,100}Thinking\.\.\.[ \t]*\r?\n"), "...done thinking.", False),
    (re.compile(r'\s{0,100}<details type="reasoning"[^<>\n]{0,300}>', re.IGNORECASE), "</details>", True),
    (re.compile(r"\s{0,100}```(?:thinking|thoughts?|reasoning)[ \t]*\r?\n", re.IGNORECASE), "\n```", True),
)
"""How each begins, how it ends, and whether a text without the end is all thinking."""
_SUMMARY = re.compile(r"\s{0,100}<summary>[^<>\n]{0,300}</summary>")
_GAP = re.compile(r"[ \t]*(?:\r?\n)*")


def split_frame(text: str) -> tuple[str, str | None]:
    """Splits such a thinking off the beginning of a text.

    Args:
        text: What a model, or the software before it, wrote.

    Returns:
        The rest of the text and the thinking, which is None if the text opens with none of these notations.
    """
    for begins, end, all_without_end in _FRAMES:
        opened = begins.match(text)
        if opened is None:
            continue
        thinking, found, rest = text[opened.end() :].partition(end)
        if found or all_without_end:
            return _GAP.sub("", rest, count=1), _SUMMARY.sub("", thinking, count=1).strip()
    return text, None
