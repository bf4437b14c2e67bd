"""Text from models and users in a card's sentences: shown as it is, and still readable in the file, which is not ours.

Knows no report and no card.
"""

import re

from diffing.outputs.markdown_code import code
from diffing.outputs.phrasing import one_line

LENGTH = 1_000
"""Characters of a text, where nothing else is said."""
_PART = r"[^\s<>&`|\\]"
# looked for once in each stretch of such signs, at its beginning: what is not there, is not further on either
_HOST = r"(?<![\w#!-])[\w#!-]+(?:\.[\w-]{2,})+(?:[#!][\w-]*(?:\.[\w-]{2,})*)*"
_LINK_LIKE = re.compile(
    r"(?:"  # as many as stand side by side: two spans of code cannot
    rf"(?:https?|ftp|mailto|xmpp):{_PART}+|www\.{_PART}+"  # addresses
    rf"|(?<!{_PART}){_PART}*@{_PART}+"  # mentions and mail
    rf"|{_HOST}(?:/{_PART}*)?"  # names of hosts and files
    r"|[#!]\d+"  # references to issues
    r")+",
    re.IGNORECASE,
)
_SIGNS = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "*_~|#!"},
        # as entities, since a backslash before these begins a formula in some renderers
        **{sign: f"&#{ord(sign)};" for sign in "\\`$[]{}"},
        **{"<": "&lt;", ">": "&gt;", "&": "&amp;"},
    }
)
_SHORTCODE = re.compile(r":(?=[\w+-]+:)")
_OWN_NAME = re.compile("(?<=model)-(?=diff)", re.IGNORECASE)
"""In the name by which a card's owner keeps the section away: no model may do that with what it says."""


def prose(text: str, length: int = LENGTH) -> str:
    """Any text on one line of a paragraph or table: nothing in it becomes markup, HTML, a link, a mention or a formula.

    Only what could become markup is escaped. What renderers link by themselves (addresses, mentions, `#12`) is set as
    code: in many of them a backslash does not prevent it.

    Args:
        text: Any text.
        length: Characters of it at most, before escaping.
    """
    line = one_line(text, length)
    parts, end = [], 0
    for found in _LINK_LIKE.finditer(line):
        parts += [_escaped(line[end : found.start()]), f"`{found.group()}`"]
        end = found.end()
    return "".join((*parts, _escaped(line[end:])))


def code_cell(text: str, length: int = LENGTH) -> str:
    """Text as code in a table; as prose with a bar in it, since tables are cut into cells before code is looked for.

    Args:
        text: Any text.
        length: Characters of it at most.
    """
    return prose(text, length) if "|" in text else code(text, length)


def _escaped(text: str) -> str:
    colon, hyphen = "\0", "\1"  # `one_line` leaves none
    marked = _OWN_NAME.sub(hyphen, _SHORTCODE.sub(colon, text))
    return marked.translate(_SIGNS).replace(colon, "&#58;").replace(hyphen, "&#45;")
