"""Splits off thinking as `ollama run` and Open WebUI wrap it in saved answers, or in a code fence.

People write the same words in answers, so a wrapper counts only at the beginning of a text.
"""

import re

_FRAMES = (
    # `ollama run` prints this pair of lines; without the second one, the first may be part of an answer
    (re.compile(r"\s{0,100}Thinking\.\.\.[ \t]*\r?\n"), "...done thinking.", False),
    (re.compile(r'\s{0,100}<details type="reasoning"[^<>\n]{0,300}>', re.IGNORECASE), "</details>", True),
    (re.compile(r"\s{0,100}```(?:thinking|thoughts?|reasoning)[ \t]*\r?\n", re.IGNORECASE), "\n```", True),
)
"""For each wrapper: its beginning, its end, and whether a text without the end is all thinking."""
_SUMMARY = re.compile(r"\s{0,100}<summary>[^<>\n]{0,300}</summary>")
_GAP = re.compile(r"[ \t]*(?:\r?\n)*")


def split_frame(text: str) -> tuple[str, str | None]:
    """Splits wrapped thinking off the beginning of a text.

    Args:
        text: The output of a model, or of the software that runs it.

    Returns:
        The rest of the text and the thinking, which is None if the text does not begin with a known wrapper.
    """
    for begins, end, all_without_end in _FRAMES:
        opened = begins.match(text)
        if opened is None:
            continue
        thinking, found, rest = text[opened.end() :].partition(end)
        if found or all_without_end:
            return _GAP.sub("", rest, count=1), _SUMMARY.sub("", thinking, count=1).strip()
    return text, None
