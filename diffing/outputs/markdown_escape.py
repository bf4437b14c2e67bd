"""Escapes text from models and users for Markdown paragraphs and tables, so that it appears literally.

It escapes only what is needed, because people also read the Markdown source, for example in somebody's model card.
"""

import re

from diffing.outputs.markdown_code import code
from diffing.outputs.phrasing import one_line

LENGTH = 1_000
"""Default maximum number of characters of a text."""
_PART = r"[^\s<>&`|\\]"
# a match is tried only at the beginning of a run of such characters: if there is none, there is none further on either
_HOST = r"(?<![\w#!-])[\w#!-]+(?:\.[\w-]{2,})+(?:[#!][\w-]*(?:\.[\w-]{2,})*)*"
_LINK_LIKE = re.compile(
    r"(?:"  # adjacent ones together: two code spans cannot stand side by side
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
"""The hyphen of `model-diff`: a card's owner opts out with this name, and a model's response must not be able to."""


def prose(text: str, length: int = LENGTH) -> str:
    """Escapes text for one line of a paragraph or table: none becomes markup, HTML, a link, a mention or a formula.

    Only what could become markup is escaped. Text that renderers turn into links (addresses, mentions, `#12`) is set as
    code, because a backslash does not prevent the link in many renderers.

    Args:
        text: Any text.
        length: Maximum number of characters before escaping.
    """
    line = one_line(text, length)
    parts, end = [], 0
    for found in _LINK_LIKE.finditer(line):
        parts += [_escaped(line[end : found.start()]), f"`{found.group()}`"]
        end = found.end()
    return "".join((*parts, _escaped(line[end:])))


def code_cell(text: str, length: int = LENGTH) -> str:
    """Formats text as code for a table cell; text with a `|` is escaped as prose instead.

    Renderers cut tables into cells before they look for code, so a bar within code would end the cell.

    Args:
        text: Any text.
        length: Maximum number of characters.
    """
    return prose(text, length) if "|" in text else code(text, length)


def _escaped(text: str) -> str:
    colon, hyphen = "\0", "\1"  # `one_line` has removed these characters from the text
    marked = _OWN_NAME.sub(hyphen, _SHORTCODE.sub(colon, text))
    return marked.translate(_SIGNS).replace(colon, "&#58;").replace(hyphen, "&#45;")
