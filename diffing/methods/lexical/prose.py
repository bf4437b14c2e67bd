"""Finds the parts of a response that are not prose in the model's own words: code, formulas, links, quotations, turns.

Each part is replaced by spaces of the same length, so that positions stay the same. All functions take linear time.
It does not know code that is neither fenced nor between backticks, nor who speaks in a story without quotation marks.
"""

import re
from itertools import zip_longest

FENCE = re.compile(r"[ \t>]{0,12}(`{3,}|~{3,})([^\n]*)")
"""Matches the line that opens or closes a code block, with its marks and what follows them."""
INLINE_CODE = re.compile(r"(?<!`)`[^`\n]{1,200}`(?!`)|(?<!`)``[^`\n][^\n]{0,200}?``(?!`)")
FORMULA = re.compile(
    r"\$\$.{1,1000}?\$\$|\\\[.{1,1000}?\\\]|\\\([^\n]{1,300}?\\\)|\\begin\{([a-z]{1,12}\*?)\}.{1,1000}?\\end\{\1\}|"
    r"(?<![\w\\$])\$(?![\s$])"
    r"(?!\d[^$\n]{0,200} )(?![^$\n]{0,200}(?<![\\\w{])[A-Za-z]{2,40} )[^$\n]{1,200}(?<![\s\\])\$(?![\w$])",
    re.DOTALL,
)
"""Matches LaTeX between its delimiters; between single dollars, no sum of money and no words with spaces."""
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"”»]{1,500}")
QUOTATION = re.compile(
    r"\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|«[^»\n]{1,300}»|„[^“”\n]{1,300}[“”]|「[^」\n]{1,300}」|『[^』\n]{1,300}』"
)
BLOCK_QUOTE = re.compile(r"^[ \t]{0,3}>[^\n]*", re.MULTILINE)
TURN = re.compile(
    r"^[ \t]*(?:<\|(?:im_start\|>)?|(?:#{1,4} ?|\*\*|\[)?)"
    r"(?:(?P<user>user|human|prompter|instruction|inst)|assistant|ai|bot|chatbot|response|/inst)"
    r"(?:(?:\*\*)?[ \t]*:|\|>|\]|(?<=<\|im_start\|>user)$|(?<=<\|im_start\|>assistant)$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Matches the beginning of an invented turn, such as `User:`, `### Instruction:` or `<|user|>`."""


def without_code(text: str) -> str:
    """Blanks code blocks (an open one to the end of the text) and inline code."""
    if "`" not in text and "~~~" not in text:
        return text
    lines, fence = [], ""
    for line in text.split("\n"):
        match = FENCE.match(line)
        if fence:
            lines.append(" " * len(line))
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and "`" not in match[2]:
            fence = match[1]
            lines.append(" " * len(line))
        else:
            lines.append(line)
    return _blank(INLINE_CODE, "\n".join(lines))


def without_formulas_and_links(text: str) -> str:
    """Blanks LaTeX formulas and URLs."""
    if "$" in text or "\\" in text:
        text = _blank(FORMULA, text)
    return _blank(URL, text) if "http" in text or "www." in text else text


def without_other_voices(text: str) -> str:
    """Blanks quotations and the turns of invented users; a text that is one quotation as a whole stays.

    A turn ends with its paragraph, or where the next turn begins.
    """
    if QUOTATION.fullmatch(text.strip()) is None:
        text = _blank(BLOCK_QUOTE, _blank(QUOTATION, text))
    parts, at = [], 0
    turns = list(TURN.finditer(text))
    for turn, following in zip_longest(turns, turns[1:]):
        if turn["user"] is not None:
            end = following.start() if following else len(text)
            paragraph = text.find("\n\n", turn.end(), end)
            end = paragraph if paragraph >= 0 else end
            parts += [text[at : turn.start()], _spaces(text[turn.start() : end])]
            at = end
    return "".join([*parts, text[at:]])


def _blank(sought: re.Pattern[str], text: str) -> str:
    return sought.sub(lambda match: _spaces(match[0]), text)


def _spaces(text: str) -> str:
    """Returns spaces of the same length, with the line breaks kept."""
    return re.sub(r"[^\n]", " ", text)
