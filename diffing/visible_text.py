"""Makes text of others safe to show on several lines, without characters that change what is around them."""

import re

_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters
    "\u202a-\u202e\u2066-\u2069"  # text directions that continue beyond the text
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"  # noncharacters and invisible letters
)


def several_lines(text: str) -> str:
    """Returns the text with line feeds as line ends, and U+FFFD for invisible characters that change what is around.

    Spaces of all kinds, tabs and joiners stay, because many scripts and emoji need them.
    """
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", _LINE_END.sub("\n", text))
